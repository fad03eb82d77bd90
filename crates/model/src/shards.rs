//! The weights of a folder: `model.safetensors`, or the shards that `model.safetensors.index.json` names. They are mapped,
//! not read: only the pages that are being decoded are in memory.

use crate::ModelError;
use crate::inside::Inside;
use memmap2::Mmap;
use safetensors::tensor::{SafeTensors, TensorView};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::path::{Path, PathBuf};
use store::{Operation, StoreError};

/// The one file of weights.
pub(crate) const WHOLE: &str = "model.safetensors";
/// Which tensor is in which shard.
pub(crate) const INDEX: &str = "model.safetensors.index.json";

/// The names of the files that hold a folder's weights, in order: the index before its shards.
pub(crate) fn names(inside: &Inside, dir: &Path) -> Result<Vec<String>, ModelError> {
    if inside.file(WHOLE)?.is_some() {
        return Ok(vec![WHOLE.into()]);
    }
    let Some(index) = inside.read(INDEX)? else {
        return Err(without_weights(dir));
    };
    let shards: BTreeSet<String> = weight_map(&index, &dir.join(INDEX))?.into_values().collect();
    Ok(std::iter::once(INDEX.to_string()).chain(shards).collect())
}

/// Tensor to shard, as the index says.
fn weight_map(index: &[u8], path: &Path) -> Result<BTreeMap<String, String>, ModelError> {
    let index: Value =
        serde_json::from_slice(index).map_err(|e| ModelError::invalid(path, format!("not JSON: {e}")))?;
    serde_json::from_value(index["weight_map"].clone()).map_err(|e| {
        ModelError::invalid(path, format!("`weight_map` does not say which tensor is in which file: {e}"))
    })
}

/// What to say of a folder without safetensors. Pickles can run code when they are loaded, so none ever is.
fn without_weights(dir: &Path) -> ModelError {
    let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
    let mut pickles: Vec<String> = entries
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .filter(|name| [".bin", ".pt", ".pth", ".pkl", ".ckpt"].iter().any(|end| name.ends_with(end)))
        .collect();
    pickles.sort();
    match pickles.first() {
        Some(pickle) => ModelError::invalid(
            dir.join(pickle),
            "pickled weights are never loaded, because a pickle can run any program; convert the model with \
             transformers (`from_pretrained`, then `save_pretrained`) and use the safetensors that it writes",
        ),
        None => ModelError::NotAModel { path: dir.to_path_buf(), missing: WHOLE.into() },
    }
}

/// A mapped file.
pub(crate) struct Shard {
    path: PathBuf,
    map: Mmap,
}

impl Shard {
    /// Maps a file.
    pub fn open(path: PathBuf) -> Result<Shard, ModelError> {
        let failed = |error| StoreError::io(Operation::Read, &path, error);
        let file = File::open(&path).map_err(failed)?;
        // SAFETY: the map is read only, and what is read from it is checked as bytes from anywhere are. A file that is
        // cut short by another process while it is being loaded ends this one (SIGBUS); that is the price of maps.
        let map = unsafe { Mmap::map(&file) }.map_err(failed)?;
        Ok(Shard { path, map })
    }

    /// Maps all files with weights of a folder.
    pub fn open_all(inside: &Inside, dir: &Path) -> Result<Vec<Shard>, ModelError> {
        let names = names(inside, dir)?;
        let files = names.iter().filter(|name| *name != INDEX);
        files
            .map(|name| match inside.file(name)? {
                Some(path) => Shard::open(path),
                None => Err(ModelError::invalid(
                    dir.join(INDEX),
                    format!("the shard {name:?} is not there; was the copy or download cut short?"),
                )),
            })
            .collect()
    }

    /// Its path and bytes.
    pub fn parts(&self) -> (&Path, &[u8]) {
        (&self.path, &self.map)
    }
}

/// All tensors of some safetensors files, by name, with the file that each is in.
pub(crate) struct Tensors<'a> {
    views: BTreeMap<String, (&'a Path, TensorView<'a>)>,
    files: Vec<&'a Path>,
}

impl<'a> Tensors<'a> {
    /// Reads the headers. Sizes and offsets are checked against the file by `safetensors` before anything is used.
    pub fn parse(files: &[(&'a Path, &'a [u8])]) -> Result<Tensors<'a>, ModelError> {
        let mut views = BTreeMap::new();
        for (path, bytes) in files {
            let file = SafeTensors::deserialize(bytes).map_err(|e| unreadable(path, bytes, &e))?;
            for (name, view) in file.tensors() {
                if views.contains_key(&name) {
                    return Err(ModelError::invalid(
                        *path,
                        format!("tensor `{name}` is in another shard as well"),
                    ));
                }
                views.insert(name, (*path, view));
            }
        }
        Ok(Tensors { views, files: files.iter().map(|(path, _)| *path).collect() })
    }

    /// A tensor and the file that it is in, for errors.
    pub fn get(&self, name: &str) -> Result<&(&'a Path, TensorView<'a>), ModelError> {
        self.views.get(name).ok_or_else(|| {
            let place = match &self.files[..] {
                [file] => file.to_path_buf(),
                files => files.first().and_then(|file| file.parent()).unwrap_or(Path::new("")).to_path_buf(),
            };
            ModelError::invalid(place, format!("tensor `{name}` is missing"))
        })
    }

    /// The types of all tensors, by name.
    pub fn types(&self) -> BTreeSet<String> {
        self.views.values().map(|(_, view)| format!("{:?}", view.dtype()).to_lowercase()).collect()
    }

    /// The names of all tensors.
    pub fn names(&self) -> impl Iterator<Item = (&str, &'a Path)> {
        self.views.iter().map(|(name, (path, _))| (name.as_str(), *path))
    }
}

fn unreadable(path: &Path, bytes: &[u8], error: &safetensors::SafeTensorError) -> ModelError {
    // A zip archive or a pickle of protocol 2 or later, as PyTorch writes them.
    if bytes.starts_with(b"PK\x03\x04")
        || (bytes.first() == Some(&0x80) && bytes.get(1).is_some_and(|p| (2..=5).contains(p)))
    {
        return ModelError::invalid(
            path,
            "a pickle under the name of a safetensors file; it is not loaded, because a pickle can run any program",
        );
    }
    ModelError::invalid(
        path,
        format!("not a complete safetensors file ({error}); was the copy or download cut short?"),
    )
}

/// What a safetensors file's header notes under a name.
pub(crate) fn note(bytes: &[u8], key: &str) -> Option<String> {
    let (_, header) = SafeTensors::read_metadata(bytes).ok()?;
    header.metadata().as_ref()?.get(key).cloned()
}
