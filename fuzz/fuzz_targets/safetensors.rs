//! Weights: `config.json` in the first line, then a safetensors file. What loads is as large as its file allows, and
//! is the same when written and read again.
#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use model::{Config, Network, Weights};

fuzz_target!(|bytes: &[u8]| {
    let end = bytes.iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len());
    let (config, file) = (&bytes[..end], bytes.get(end + 1..).unwrap_or_default());
    let Ok(json) = serde_json::from_slice(config) else { return };
    let Ok(config) = Config::from_json(&json) else { return };
    assert_eq!(Config::from_json(&config.to_json(None, None, None)).as_ref(), Ok(&config));
    let path = Path::new("model.safetensors");
    let Ok(weights) = Weights::from_safetensors(&config, file, path) else { return };
    assert!(weights.flat.len() <= file.len());
    assert!(weights.flat.iter().all(|x| x.is_finite()));
    let written = weights.to_safetensors().expect("what was read can be written");
    assert_eq!(Weights::from_safetensors(&config, &written, path).expect("what was written"), weights);
    assert_eq!(Network::rope_table(&config, 3).len(), 3);
});
