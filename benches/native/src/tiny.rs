//! The shipped base of the lab: as it is, and shrunk to where training costs nothing.

use experiment::ShippedBase;
use model::{Config, Folder, Layout, Weights};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

use crate::Result;

/// The folder of the shipped base, from the root of the repository, where this program is run.
pub fn lab_base() -> PathBuf {
    PathBuf::from("assets/lab-base")
}

/// The shipped base as an experiment asks for it. Read from its folder and kept to the end of the process.
pub fn shipped() -> Result<ShippedBase> {
    let mut files: Vec<(&'static str, &'static [u8])> = Vec::new();
    for entry in std::fs::read_dir(lab_base())? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        files.push((name.leak(), std::fs::read(entry.path())?.leak()));
    }
    Ok(ShippedBase { files: files.leak() })
}

/// Writes a base with the words, the chat template and the world of the shipped one, and random weights.
pub fn write(folder: &Path) -> Result<Value> {
    let lab = Folder::load(&lab_base())?;
    let config = Config {
        hidden_size: 8,
        ffn_size: 16,
        layers: 1,
        heads: 2,
        kv_heads: 1,
        head_dim: 4,
        ..lab.config.clone()
    };
    std::fs::create_dir_all(folder)?;
    Folder { weights: Weights::random(&config, 7), config: config.clone(), ..lab }.save(folder)?;
    let manifest: Value = serde_json::from_slice(&std::fs::read(lab_base().join("manifest.json"))?)?;
    let world = json!({ "world_seed": manifest["world_seed"] });
    std::fs::write(folder.join("manifest.json"), world.to_string())?;
    Ok(json!({ "parameters": Layout::new(&config).len }))
}
