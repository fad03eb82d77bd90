//! The base model that every arm starts from: the one that ships with the program, a folder, or a model of the hub.

use std::path::{Path, PathBuf};

use hub::{ModelId, Settings};
use model::{BaseName, Files, Folder, ModelError};
use store::Hash;

/// The files of the base model that ships with the program, by name. They are part of the binary, so that
/// one file is a whole installation, and the model is used from memory.
#[derive(Debug, Clone, Copy)]
pub struct ShippedBase {
    /// (file name, bytes).
    pub files: &'static [(&'static str, &'static [u8])],
}

/// Where the base model comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BaseSource {
    /// The one that ships with the program (`base = "lab"`).
    Lab,
    /// A Hugging Face folder.
    Folder {
        /// As the file writes it.
        written: String,
        /// Where that is.
        path: PathBuf,
    },
    /// A model of the hub, in the hub's cache.
    Hub {
        /// As the file writes it: `org/name`, perhaps with `@revision`.
        written: String,
        /// Where it lies in the cache.
        path: PathBuf,
    },
}

impl BaseSource {
    /// As the file writes it.
    pub fn written(&self) -> &str {
        match self {
            BaseSource::Lab => "lab",
            BaseSource::Folder { written, .. } | BaseSource::Hub { written, .. } => written,
        }
    }

    /// The name under which the hub has it.
    pub fn on_the_hub(&self) -> Option<BaseName> {
        match self {
            BaseSource::Hub { written, .. } => Some(BaseName::hub(written)),
            BaseSource::Lab | BaseSource::Folder { .. } => None,
        }
    }

    /// What a text names: `lab`, a folder relative to `dir`, or a model of the hub, which is fetched as [`BaseSource::fetch`]
    /// does.
    ///
    /// # Errors
    /// When it is none of these, or cannot be had; the error says what to do.
    pub fn find(
        written: &str,
        dir: &Path,
        announce: &mut (dyn FnMut(&str) + Send),
    ) -> Result<BaseSource, NotFound> {
        let path = dir.join(written);
        match written {
            "lab" => Ok(BaseSource::Lab),
            folder if path.is_dir() => Ok(BaseSource::Folder { written: folder.to_owned(), path }),
            id if ModelId::is_like(id) => BaseSource::fetch(id, announce).map_err(NotFound::Hub),
            _ => Err(NotFound::Folder),
        }
    }

    /// The model of the hub with that id, downloaded into the hub's cache if it is not there; `announce` is told once about
    /// every file that is.
    ///
    /// # Errors
    /// When it cannot be had; the error says what to do.
    pub fn fetch(written: &str, announce: &mut (dyn FnMut(&str) + Send)) -> Result<BaseSource, String> {
        let id: ModelId = written.parse()?;
        let settings = Settings::from_env().map_err(|error| error.to_string())?;
        let mut last = String::new();
        let mut progress = |progress: hub::Progress| {
            if progress.file != last {
                announce(&format!(
                    "downloading {id}: {} ({:.1} MB)",
                    progress.file,
                    progress.size as f64 / 1e6
                ));
                last = progress.file;
            }
        };
        let path = hub::fetch(&id, &settings, &mut progress).map_err(|error| error.to_string())?;
        Ok(BaseSource::Hub { written: written.to_owned(), path })
    }
}

/// Why a text names no model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotFound {
    /// There is no such folder, and it is no hub id.
    Folder,
    /// There is no such folder, and the hub does not have it or cannot be asked; why.
    Hub(String),
}

/// The base model, loaded.
#[derive(Clone)]
pub struct Base {
    /// The model.
    pub folder: Folder,
    /// Hash over its files.
    pub hash: Hash,
    /// Its `manifest.json`, where it has one.
    pub manifest: Option<serde_json::Value>,
}

/// The name of the file in which a base says how it was made.
const MANIFEST: &str = "manifest.json";

impl Base {
    /// Loads it.
    ///
    /// # Errors
    /// When it is not a model folder, or one of its files is damaged; the error names the file.
    pub fn load(source: &BaseSource, shipped: ShippedBase) -> Result<Base, ModelError> {
        match source {
            BaseSource::Lab => Base::load_shipped(shipped),
            BaseSource::Folder { path, .. } | BaseSource::Hub { path, .. } => Base::load_folder(path),
        }
    }

    fn load_shipped(shipped: ShippedBase) -> Result<Base, ModelError> {
        let path = Path::new("(built in)");
        let find = |name: &str| shipped.files.iter().find(|(file, _)| *file == name).map(|(_, bytes)| *bytes);
        let need = |name: &str| {
            find(name)
                .ok_or_else(|| ModelError::NotAModel { path: path.to_owned(), missing: name.to_owned() })
        };
        let files = Files {
            config: need("config.json")?,
            weights: need("model.safetensors")?,
            tokenizer: need("tokenizer.json")?,
            tokenizer_config: find("tokenizer_config.json"),
            template: find("chat_template.jinja"),
        };
        let manifest = find(MANIFEST).and_then(|bytes| serde_json::from_slice(bytes).ok());
        Ok(Base {
            folder: Folder::from_files(&files, path)?,
            hash: Folder::content_hash_of(&files),
            manifest,
        })
    }

    fn load_folder(path: &Path) -> Result<Base, ModelError> {
        let folder = Folder::load(path)?;
        let hash = Folder::content_hash(path)?;
        // Other tools may write a file of this name too: what is not JSON is simply not ours.
        let manifest = Folder::beside(path, MANIFEST)?.and_then(|bytes| serde_json::from_slice(&bytes).ok());
        Ok(Base { folder, hash, manifest })
    }

    /// Number of parameters.
    pub fn parameters(&self) -> u64 {
        self.folder.weights.flat.len() as u64
    }

    /// The seed of the lab's world that it was trained in; `None` for a base that was not made by the lab.
    pub fn world_seed(&self) -> Option<u64> {
        self.manifest.as_ref()?.get("world_seed")?.as_u64()
    }
}
