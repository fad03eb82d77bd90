//! `doctor`: what this machine can do.

use serde_json::json;
use torch::{Doctor as Found, TorchError};

use crate::args::{Component, Doctor};
use crate::commands::threads;
use crate::exit::Exit;
use crate::output;

/// Looks around; installs what is asked for.
pub fn run(args: &Doctor) -> Exit {
    let found = match args.install {
        Some(Component::Torch) => install(),
        None => look(),
    };
    if let (Err(error), Some(_)) = (&found, args.install) {
        return output::failure(error);
    }
    let cpu = kernels::simd::cpu_kind();
    if args.json {
        let torch = match &found {
            Ok(found) => json!({ "installed": true, "environment": found }),
            Err(error) => json!({ "installed": false, "reason": error.to_string() }),
        };
        output::json(&json!({
            "version": env!("CARGO_PKG_VERSION"),
            "cpu": cpu,
            "threads": threads(None),
            "torch": torch,
        }));
        return Exit::Done;
    }
    output::line(&format!("whyfirst {}", env!("CARGO_PKG_VERSION")));
    output::line(&format!("native engine: {} on {cpu}", output::counted(threads(None), "thread")));
    match found {
        Ok(found) => show(&found),
        Err(error) => output::line(&format!("torch engine: {error}")),
    }
    Exit::Done
}

fn look() -> Result<Found, TorchError> {
    torch::doctor(&torch::find(&torch::default_dir()?)?)
}

fn install() -> Result<Found, TorchError> {
    torch::install(&torch::default_dir()?, &mut |step| eprintln!("{step}"))
}

fn show(found: &Found) {
    let Found { python, torch, transformers, peft, .. } = found;
    output::line(&format!(
        "torch engine: torch {torch}, transformers {transformers}, peft {peft} on Python {python} ({})",
        found.path.display()
    ));
    match (&found.cuda, found.gpus.is_empty()) {
        (None, _) => output::line("GPUs: none; this PyTorch was built without CUDA"),
        (Some(cuda), true) => {
            output::line(&format!("GPUs: none seen by PyTorch, which was built for CUDA {cuda}"))
        }
        (Some(_), false) => {
            for gpu in &found.gpus {
                output::line(&format!("GPU: {}, {}", gpu.name, indicatif::BinaryBytes(gpu.memory)));
            }
        }
    }
}
