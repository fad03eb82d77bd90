//! Folders that are damaged or that mean harm: each gets an error that says what is wrong, nothing crashes or hangs, and
//! nothing outside of the folder is read.
#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};
use whyfirst_model::*;

fn config() -> Config {
    let config = json!({
        "model_type": "qwen3", "vocab_size": 8, "hidden_size": 8, "intermediate_size": 8, "num_hidden_layers": 1,
        "num_attention_heads": 2, "num_key_value_heads": 1, "head_dim": 4, "max_position_embeddings": 64,
        "tie_word_embeddings": true,
    });
    Config::from_json(&config).unwrap()
}

fn tokenizer(words: usize) -> Tokenizer {
    let vocabulary: serde_json::Map<String, Value> =
        (0..words).map(|i| (format!("w{i}"), i.into())).collect();
    let json = json!({ "added_tokens": [], "pre_tokenizer": { "type": "Whitespace" },
                       "model": { "type": "WordLevel", "vocab": vocabulary, "unk_token": "w0" } });
    Tokenizer::new(json.to_string(), json!({ "eos_token": "w1" }), Path::new("tokenizer.json")).unwrap()
}

/// A model as it should be.
fn good(dir: &Path) -> Folder {
    let (config, tokenizer) = (config(), tokenizer(8));
    let template = ChatTemplate::new("{{ messages[0].content }}".into(), &tokenizer).unwrap();
    let folder = Folder::new(config.clone(), Weights::random(&config, 1), tokenizer, Some(template));
    folder.save(dir).unwrap();
    Folder::load(dir).unwrap()
}

/// The error of a folder in which `spoil` changed something.
fn error(spoil: impl Fn(&Path)) -> String {
    let dir = tempfile::tempdir().unwrap();
    good(dir.path());
    spoil(dir.path());
    let started = Instant::now();
    let error = Folder::load(dir.path()).map(|_| ()).unwrap_err().to_string();
    assert!(started.elapsed() < Duration::from_secs(10));
    error
}

/// A safetensors file with this header and so many bytes after it.
fn safetensors(header: &str, data: usize) -> Vec<u8> {
    [&(header.len() as u64).to_le_bytes(), header.as_bytes(), &vec![0; data]].concat()
}

#[test]
fn headers_that_lie_about_sizes() {
    let huge = u64::MAX;
    let header = |text: &str| format!(r#"{{"model.embed_tokens.weight": {text}}}"#);
    let lies: Vec<Vec<u8>> = vec![
        huge.to_le_bytes().to_vec(),
        [&(1u64 << 40).to_le_bytes()[..], b"{}"].concat(),
        safetensors(&header(r#"{"dtype": "F32", "shape": [8, 8], "data_offsets": [0, 999999999999]}"#), 256),
        safetensors(&header(r#"{"dtype": "F32", "shape": [8, 8], "data_offsets": [0, 256]}"#), 16),
        safetensors(&header(r#"{"dtype": "F32", "shape": [8, 8], "data_offsets": [0, 16]}"#), 16),
        safetensors(&header(r#"{"dtype": "F32", "shape": [8, 8], "data_offsets": [256, 0]}"#), 256),
        safetensors(
            &header(r#"{"dtype": "F32", "shape": [8, 8], "data_offsets": [18446744073709551615, 3]}"#),
            256,
        ),
        safetensors(
            &header(r#"{"dtype": "F32", "shape": [4611686018427387904, 4, 4], "data_offsets": [0, 0]}"#),
            0,
        ),
        safetensors(&"[".repeat(100_000), 0),
        safetensors("{}", 0)[..5].to_vec(),
        Vec::new(),
    ];
    for (i, bytes) in lies.iter().enumerate() {
        let error = error(|dir| fs::write(dir.join("model.safetensors"), bytes).unwrap());
        assert!(error.contains("model.safetensors") && error.contains("cut short"), "{i}: {error}");
    }
    let other = safetensors(&header(r#"{"dtype": "F32", "shape": [8, 4], "data_offsets": [0, 128]}"#), 128);
    let error = error(|dir| fs::write(dir.join("model.safetensors"), &other).unwrap());
    assert!(error.contains("has shape [8, 4], but config.json says [8, 8]"), "{error}");
}

#[test]
fn pickles_are_never_loaded() {
    let only = error(|dir| {
        fs::rename(dir.join("model.safetensors"), dir.join("pytorch_model.bin")).unwrap();
    });
    assert!(only.contains("pytorch_model.bin") && only.contains("never loaded"), "{only}");
    for bytes in [&b"PK\x03\x04archive/data.pkl"[..], b"\x80\x02}q\x00."] {
        let renamed = error(|dir| fs::write(dir.join("model.safetensors"), bytes).unwrap());
        assert!(renamed.contains("a pickle under the name of a safetensors file"), "{renamed}");
    }
}

#[test]
fn tensors_that_do_not_belong_together() {
    let with = |name: &str, values: f32| {
        error(|dir| {
            let folder = Folder::load(dir).unwrap();
            let bytes: Vec<(String, Vec<usize>, Vec<u8>)> = folder
                .weights
                .layout
                .tensors
                .iter()
                .map(|t| (t.name.clone(), t.shape.clone(), &folder.weights.flat[t.range.clone()]))
                .map(|(name, shape, x)| (name, shape, x.iter().flat_map(|x| x.to_le_bytes()).collect()))
                .chain([(
                    name.to_string(),
                    vec![8, 8],
                    [values; 64].iter().flat_map(|x| x.to_le_bytes()).collect(),
                )])
                .collect();
            let views = bytes.iter().map(|(name, shape, bytes)| {
                let dtype = safetensors::Dtype::F32;
                (name, safetensors::tensor::TensorView::new(dtype, shape.clone(), bytes).unwrap())
            });
            fs::write(dir.join("model.safetensors"), safetensors::serialize(views, None).unwrap()).unwrap();
        })
    };
    let extra = with("model.layers.1.mlp.up_proj.weight", 0.0);
    assert!(extra.contains("`model.layers.1.mlp.up_proj.weight` is none that the model"), "{extra}");
    let untied = with("lm_head.weight", 1.0);
    assert!(untied.contains("`lm_head.weight` is not the embedding"), "{untied}");
}

#[test]
fn an_endless_template_is_stopped() {
    let dir = tempfile::tempdir().unwrap();
    good(dir.path());
    let source =
        "{% macro m(n) %}{% for i in range(99999) %}{{ m(n + 1) }}{% endfor %}{% endmacro %}{{ m(0) }}";
    let loops = "{% for a in range(99999) %}{% for b in range(99999) %}{% for c in range(99999) %}{% endfor %}{% endfor %}{% endfor %}";
    for source in [source, loops] {
        fs::write(dir.path().join("chat_template.jinja"), source).unwrap();
        let folder = Folder::load(dir.path()).unwrap();
        let message = |role: &str| Message { role: role.into(), name: None, content: "w2".into() };
        let started = Instant::now();
        let error = folder.chat(&[message("user"), message("assistant")]).unwrap_err().to_string();
        assert!(
            started.elapsed() < Duration::from_secs(20) && error.starts_with("chat template: "),
            "{error}"
        );
    }
}

#[test]
fn a_tokenizer_of_another_model() {
    let error = error(|dir| fs::write(dir.join("tokenizer.json"), tokenizer(9).json()).unwrap());
    assert!(error.contains("tokenizer.json") && error.contains("embedding has 8 rows"), "{error}");
    // Few tokens, one of which has a large id.
    let sparse = tokenizer(8).json().replace("\"w7\":7", "\"w7\":700");
    let error = self::error(|dir| fs::write(dir.join("tokenizer.json"), &sparse).unwrap());
    assert!(error.contains("ids up to 700"), "{error}");
    let stops = self::error(|dir| {
        fs::write(dir.join("generation_config.json"), r#"{"eos_token_id": [1, 8]}"#).unwrap()
    });
    assert!(stops.contains("`eos_token_id` 8 is no token"), "{stops}");
}

#[test]
fn json_that_is_none() {
    for name in ["config.json", "tokenizer.json", "tokenizer_config.json", "generation_config.json"] {
        for bytes in [&b"{\"a\": "[..], b"\xff\xfe", &b"[".repeat(100_000)] {
            let error = error(|dir| fs::write(dir.join(name), bytes).unwrap());
            assert!(error.contains(name), "{name}: {error}");
        }
    }
}

#[test]
fn an_index_that_leads_elsewhere() {
    let root = tempfile::tempdir().unwrap();
    let outside = root.path().join("outside.safetensors");
    let with = |shard: &str| {
        error(|dir| {
            fs::copy(dir.join("model.safetensors"), &outside).unwrap();
            fs::remove_file(dir.join("model.safetensors")).unwrap();
            let index = json!({ "weight_map": { "model.norm.weight": shard } });
            fs::write(dir.join("model.safetensors.index.json"), index.to_string()).unwrap();
        })
    };
    for shard in [outside.to_str().unwrap(), "../outside.safetensors", "a/../../outside.safetensors"] {
        let error = with(shard);
        assert!(error.contains("leaves the folder"), "{error}");
    }
    assert!(with("absent.safetensors").contains("the shard \"absent.safetensors\" is not there"));
    let broken = error(|dir| {
        fs::remove_file(dir.join("model.safetensors")).unwrap();
        fs::write(dir.join("model.safetensors.index.json"), r#"{"weight_map": ["a"]}"#).unwrap();
    });
    assert!(broken.contains("`weight_map`"), "{broken}");
}

#[cfg(unix)]
#[test]
fn links_that_lead_elsewhere_and_files_that_never_end() {
    use std::os::unix::fs::symlink;
    let root = tempfile::tempdir().unwrap();
    for name in [
        "config.json",
        "model.safetensors",
        "tokenizer.json",
        "chat_template.jinja",
        "generation_config.json",
    ] {
        let error = error(|dir| {
            let outside = root.path().join(name);
            fs::copy(dir.join(name), &outside).unwrap();
            fs::remove_file(dir.join(name)).unwrap();
            symlink(&outside, dir.join(name)).unwrap();
        });
        assert!(error.contains(name) && error.contains("a link that leaves the model's folder"), "{error}");
    }
    let pipe = error(|dir| {
        let path = dir.join("tokenizer_config.json");
        let _ = fs::remove_file(&path);
        assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
    });
    assert!(pipe.contains("not an ordinary file"), "{pipe}");
    let device = error(|dir| {
        fs::remove_file(dir.join("model.safetensors")).unwrap();
        symlink("/dev/zero", dir.join("model.safetensors")).unwrap();
    });
    assert!(device.contains("leaves the model's folder"), "{device}");
}

#[cfg(unix)]
#[test]
fn a_model_in_the_hubs_cache_is_read_through_its_links() {
    use std::os::unix::fs::symlink;
    let root = tempfile::tempdir().unwrap();
    let repository = root.path().join("models--org--name");
    let (blobs, snapshot) = (repository.join("blobs"), repository.join("snapshots/0123"));
    let folder = good(&blobs);
    fs::create_dir_all(&snapshot).unwrap();
    for entry in fs::read_dir(&blobs).unwrap() {
        let name = entry.unwrap().file_name();
        symlink(Path::new("../../blobs").join(&name), snapshot.join(&name)).unwrap();
    }
    assert_eq!(Folder::load(&snapshot).unwrap().weights, folder.weights);
    assert_eq!(Folder::content_hash(&snapshot).unwrap(), Folder::content_hash(&blobs).unwrap());
}

#[test]
fn what_is_hashed_is_what_the_model_is() {
    let dir = tempfile::tempdir().unwrap();
    good(dir.path());
    let hash = || Folder::content_hash(dir.path()).unwrap();
    let before = hash();
    fs::write(dir.path().join("README.md"), "x").unwrap();
    assert_eq!(hash(), before);
    fs::write(dir.path().join("generation_config.json"), r#"{"eos_token_id": [1, 2]}"#).unwrap();
    let several = hash();
    assert_ne!(several, before, "texts end elsewhere");
    assert_eq!(Folder::load(dir.path()).unwrap().stops(), [1, 2]);
    fs::write(dir.path().join("chat_template.jinja"), "other").unwrap();
    assert_ne!(hash(), several);
}

#[test]
fn an_adapter_names_the_state_of_its_base() {
    let config = config();
    let shape = LoraShape { rank: 2, alpha: 4.0, targets: vec![Target::QProj] };
    let adapter = Adapter::new(&config, shape, 3);
    let named = |base: Option<BaseName>| {
        let dir = tempfile::tempdir().unwrap();
        adapter.save(&config, base.as_ref(), None, dir.path()).unwrap();
        let about: Value = store::read_json(dir.path().join("adapter_config.json")).unwrap();
        (about["base_model_name_or_path"].clone(), about["revision"].clone())
    };
    assert_eq!(named(Some(BaseName::hub("org/name@v2"))), (json!("org/name"), json!("v2")));
    assert_eq!(named(Some(BaseName::hub("org/name"))), (json!("org/name"), Value::Null));
    assert_eq!(named(Some(BaseName::folder(Path::new("/a@b")))), (json!("/a@b"), Value::Null));
    assert_eq!(named(None), (Value::Null, Value::Null));
}

#[test]
fn adapters_that_are_not_what_they_say() {
    let config = config();
    let weights = Weights::random(&config, 1);
    let shape = LoraShape { rank: 2, alpha: 4.0, targets: vec![Target::QProj, Target::DownProj] };
    let adapter = Adapter::new(&config, shape, 3);
    let error = |spoil: &dyn Fn(&Path)| {
        let dir = tempfile::tempdir().unwrap();
        adapter.save(&config, None, Some(weights.hash()), dir.path()).unwrap();
        assert_eq!(Adapter::load_onto(dir.path(), &config, &weights).unwrap(), adapter);
        spoil(dir.path());
        Adapter::load_onto(dir.path(), &config, &weights).unwrap_err().to_string()
    };
    let change = |key: &str, value: Value| {
        error(&|dir: &Path| {
            let path = dir.join("adapter_config.json");
            let mut about: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
            about[key] = value.clone();
            fs::write(&path, about.to_string()).unwrap();
        })
    };
    for (key, value, named) in [
        ("r", json!(1u64 << 60), "`r`"),
        ("r", json!(1 << 20), "with rank 1048576"),
        ("r", json!(0), "`r`"),
        ("peft_type", json!("IA3"), "IA3"),
        ("use_dora", json!(true), "`use_dora`"),
        ("use_rslora", json!(true), "`use_rslora`"),
        ("bias", json!("all"), "`bias`"),
        ("modules_to_save", json!(["lm_head"]), "`modules_to_save`"),
        ("rank_pattern", json!({ "q_proj": 4 }), "`rank_pattern`"),
        ("init_lora_weights", json!("pissa"), "pissa"),
    ] {
        let error = change(key, value);
        assert!(error.contains(named), "{error}");
    }
    let pickled = error(&|dir: &Path| {
        fs::rename(dir.join("adapter_model.safetensors"), dir.join("adapter_model.bin")).unwrap();
    });
    assert!(pickled.contains("never loaded"), "{pickled}");
    let cut = error(&|dir: &Path| {
        let path = dir.join("adapter_model.safetensors");
        let bytes = fs::read(&path).unwrap();
        fs::write(&path, &bytes[..bytes.len() - 4]).unwrap();
    });
    assert!(cut.contains("cut short"), "{cut}");
    let elsewhere = Weights::random(&config, 2);
    let dir = tempfile::tempdir().unwrap();
    adapter.save(&config, None, Some(weights.hash()), dir.path()).unwrap();
    let other = Adapter::load_onto(dir.path(), &config, &elsewhere).unwrap_err().to_string();
    assert!(other.contains("was trained on the weights"), "{other}");
}
