//! ZIP archives in memory.

use std::io::{Cursor, Read, Write};
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, System, ZipArchive, ZipWriter};

use crate::error::{EvalError, Result};

/// Files shorter than this are stored as they are: compressing a thousand short samples one by one saves a
/// fifth of the archive and takes ten times as long.
const COMPRESSED_FROM: usize = 4096;

/// Packs files into an archive whose bytes depend on nothing else: every file bears the same time (the
/// earliest that ZIP knows, 1980) and the same permissions, on every system.
pub(crate) fn pack(files: &[(String, String)]) -> zip::result::ZipResult<Vec<u8>> {
    let options = SimpleFileOptions::default()
        .last_modified_time(DateTime::DEFAULT)
        .unix_permissions(0o644)
        .system(System::Unix);
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, text) in files {
        let long = text.len() >= COMPRESSED_FROM;
        let method = if long { CompressionMethod::Deflated } else { CompressionMethod::Stored };
        archive.start_file(name.as_str(), options.compression_method(method))?;
        archive.write_all(text.as_bytes())?;
    }
    Ok(archive.finish()?.into_inner())
}

/// An archive that was read whole.
pub(crate) struct Archive {
    path: PathBuf,
    zip: ZipArchive<Cursor<Vec<u8>>>,
}

impl Archive {
    pub(crate) fn open(path: &Path) -> Result<Archive> {
        let zip = ZipArchive::new(Cursor::new(store::read(path)?))
            .map_err(|error| EvalError::log(path, format!("not an evaluation log: {error}")))?;
        Ok(Archive { path: path.to_owned(), zip })
    }

    /// Reads one JSON file.
    pub(crate) fn json<T: DeserializeOwned>(&mut self, name: &str) -> Result<T> {
        let wrong = |error: String| EvalError::log(&self.path, format!("{name}: {error}"));
        let mut file = self.zip.by_name(name).map_err(|error| wrong(error.to_string()))?;
        let mut bytes = Vec::with_capacity(file.size().min(1 << 26) as usize);
        file.read_to_end(&mut bytes).map_err(|error| wrong(error.to_string()))?;
        serde_json::from_slice(&bytes).map_err(|error| wrong(error.to_string()))
    }
}
