//! Engines: what trains a stage. The native one is ours, for small models on a CPU; torch is PyTorch's own stack, for the rest.

use toml::Spanned;
use torch::TorchSettings;

use crate::file::Written;
use crate::problem::{FileProblem, Source};

/// What trains a stage.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Engine {
    /// Ours.
    #[default]
    Native,
    /// transformers and PEFT under `torchrun`.
    Torch,
}

impl Engine {
    /// As files write it.
    pub fn name(self) -> &'static str {
        match self {
            Engine::Native => "native",
            Engine::Torch => "torch",
        }
    }
}

/// The engines of an experiment.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Engines {
    /// The one of arms that name none, and of controls.
    pub usual: Engine,
    /// How the torch engine is spread over processes.
    pub torch: TorchSettings,
}

/// Reads `engine` and `[torch]`.
///
/// # Errors
/// An engine that there is not, settings that make no sense, settings of an engine that nothing uses.
pub fn read(written: &Written, source: &Source) -> Result<Engines, FileProblem> {
    let top = &written.top;
    let usual = top.engine.as_ref().map(|name| named(name, source)).transpose()?.unwrap_or_default();
    let Some(torch) = &top.torch else { return Ok(Engines { usual, torch: TorchSettings::default() }) };
    torch.get_ref().check().map_err(|error| {
        source.problem(error.to_string(), torch.span(), "in this table", "remove the line for the default")
    })?;
    let wanted = |name: &Spanned<String>| name.get_ref() == Engine::Torch.name();
    let used = usual == Engine::Torch || top.arms.iter().filter_map(|arm| arm.engine.as_ref()).any(wanted);
    if !used {
        return Err(source.problem(
            "[torch] has settings of an engine that no stage uses",
            torch.span(),
            "means nothing here",
            "add `engine = \"torch\"` at the top of the file, or remove this table",
        ));
    }
    Ok(Engines { usual, torch: torch.get_ref().clone() })
}

/// The file's engine and that of an arm.
///
/// # Errors
/// One that there is not.
pub fn of_arm(
    name: Option<&Spanned<String>>,
    written: &Written,
    source: &Source,
) -> Result<(Engine, Engine), FileProblem> {
    let read = |name: &Spanned<String>| named(name, source);
    let usual = written.top.engine.as_ref().map(read).transpose()?.unwrap_or_default();
    Ok((usual, name.map(read).transpose()?.unwrap_or(usual)))
}

fn named(name: &Spanned<String>, source: &Source) -> Result<Engine, FileProblem> {
    let engines = [Engine::Native, Engine::Torch];
    let found = engines.into_iter().find(|engine| engine.name() == name.get_ref());
    found.ok_or_else(|| source.unknown(name.get_ref(), name.span(), "engine", &engines.map(Engine::name)))
}

/// Arms are compared with each other, so one engine trains them all, unless the file asks for the comparison of engines.
///
/// # Errors
/// When arms have different engines and `mixed_engines` does not stand at the top.
pub fn check_mixture(written: &Written, usual: Engine, source: &Source) -> Result<(), FileProblem> {
    if written.top.mixed_engines {
        return Ok(());
    }
    let differs = |name: &&Spanned<String>| name.get_ref() != usual.name();
    match written.top.arms.iter().filter_map(|arm| arm.engine.as_ref()).find(differs) {
        None => Ok(()),
        Some(name) => Err(source.problem(
            format!("this arm is trained by the {} engine and the controls by the {} one", name.get_ref(), usual.name()),
            name.span(),
            "another engine",
            "what engines do differently would look like an effect of the arm; to compare the engines themselves, add \
             `mixed_engines = true` at the top of the file",
        )),
    }
}
