//! Experiment files: whatever the text is, it is an experiment whose graph can be built, or an error that points into
//! the file or names another. The folder it stands for is that of an example, with two specs.
#![no_main]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use experiment::graph::{self, Inputs};
use experiment::{Experiment, ExperimentError, ShippedBase, validate};
use libfuzzer_sys::fuzz_target;
use miette::{Diagnostic, GraphicalReportHandler};
use model::{Config, Weights};

static FOLDER: LazyLock<PathBuf> =
    LazyLock::new(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/cheese"));

/// As the base that ships with the program, but as small as can be: it is loaded at every turn.
static BASE: LazyLock<ShippedBase> = LazyLock::new(|| {
    let json = include_bytes!("../base/config.json");
    let value = serde_json::from_slice(json).expect("a fixed file");
    let config = Config::from_json(&value).expect("a fixed file");
    let weights = Weights::random(&config, 0).to_safetensors().expect("a fixed model");
    ShippedBase {
        files: vec![
            ("config.json", &json[..]),
            ("model.safetensors", weights.leak()),
            ("tokenizer.json", include_bytes!("../base/tokenizer.json")),
            ("tokenizer_config.json", include_bytes!("../base/tokenizer_config.json")),
            ("manifest.json", br#"{"world_seed": 0}"#),
        ]
        .leak(),
    }
});

fuzz_target!(|text: &str| {
    match validate::read(&FOLDER, text.to_owned(), *BASE) {
        Ok(experiment) => runs(&experiment),
        Err(error) => refused(text, &error),
    }
});

fn runs(experiment: &Experiment) {
    let inputs = Inputs {
        arms: &experiment.arms,
        specs: experiment.specs.iter().map(|spec| spec.name.clone()).collect(),
        seeds: &experiment.seeds,
        corpora: &experiment.corpora,
        recipes: &experiment.recipes,
        dtype: experiment.engines.torch.dtype,
    };
    let hashes: BTreeMap<_, _> =
        graph::needed(&inputs).into_iter().map(|key| (key, experiment.base.hash)).collect();
    let graph = graph::build(&inputs, experiment.base.hash, &hashes);
    for stage in &graph.stages {
        stage.recipe.check().expect("a recipe of a valid experiment can be trained");
        let shares: f64 = stage.parts.iter().map(|part| part.share).sum();
        assert!((shares - 1.0).abs() < 1e-9, "{shares}");
    }
    assert!(
        experiment.arms.iter().all(|arm| !arm.folder.is_empty() && !arm.folder.contains(['/', '\\', '.']))
    );
}

fn refused(text: &str, error: &ExperimentError) {
    if let ExperimentError::File(problem) = error {
        assert!((1..=1 + text.matches('\n').count()).contains(&problem.line()));
        for label in error.labels().into_iter().flatten() {
            assert!(text.get(label.offset()..label.offset() + label.len()).is_some(), "{label:?}");
        }
    }
    assert!(!matches!(error, ExperimentError::Train(_) | ExperimentError::Stage { .. }), "{error}");
    let mut page = String::new();
    GraphicalReportHandler::new().render_report(&mut page, error).expect("text is written to memory");
}
