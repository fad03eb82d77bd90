//! The Python environment of the engine: where it is, and what is in it.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::{Deserialize, Serialize};

use crate::TorchError;
use crate::install::{MADE_FROM, REQUIREMENTS};

/// Names a python to use instead of the installed environment's.
pub const PYTHON_VARIABLE: &str = "WHYFIRST_TORCH_PYTHON";

/// A python that has what the engine needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Python {
    /// The program.
    pub path: PathBuf,
}

/// What an environment has.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Doctor {
    /// The program.
    #[serde(skip_deserializing)]
    pub path: PathBuf,
    /// Version of Python.
    pub python: String,
    /// Version of PyTorch.
    pub torch: String,
    /// Version of transformers.
    pub transformers: String,
    /// Version of PEFT.
    pub peft: String,
    /// The CUDA that PyTorch was built for, if any.
    pub cuda: Option<String>,
    /// GPUs that PyTorch sees.
    pub gpus: Vec<Gpu>,
}

/// A GPU.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Gpu {
    /// Its name.
    pub name: String,
    /// Its memory, bytes.
    pub memory: u64,
}

/// What [`doctor`] has Python say.
const QUESTIONS: &str = "
import json, sys
import torch, transformers, peft, safetensors, accelerate
from torch.distributed.fsdp import fully_shard
devices = range(torch.cuda.device_count()) if torch.cuda.is_available() else []
properties = [torch.cuda.get_device_properties(i) for i in devices]
print(json.dumps({
    'python': sys.version.split()[0], 'torch': torch.__version__, 'transformers': transformers.__version__,
    'peft': peft.__version__, 'cuda': torch.version.cuda,
    'gpus': [{'name': p.name, 'memory': p.total_memory} for p in properties],
}))
";

/// Where the environment is made unless another folder is named: with the user's data, not with an experiment.
///
/// # Errors
/// When the system names no home folder.
pub fn default_dir() -> Result<PathBuf, TorchError> {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let data = set("XDG_DATA_HOME")
        .or_else(|| set("HOME").map(|home| home.join(".local/share")))
        .or_else(|| set("LOCALAPPDATA"));
    let missing =
        || TorchError::NotInstalled { looked: "no home folder is set, so there is no place for one".into() };
    Ok(data.ok_or_else(missing)?.join("whyfirst").join("torch"))
}

/// The python of the engine: that of `WHYFIRST_TORCH_PYTHON`, or of the environment in `dir`.
///
/// # Errors
/// When there is none, or the one in `dir` is unfinished or made from an older list of packages.
pub fn find(dir: &Path) -> Result<Python, TorchError> {
    if let Some(path) = std::env::var_os(PYTHON_VARIABLE).filter(|path| !path.is_empty()) {
        return Ok(Python { path: path.into() });
    }
    installed(dir)
}

/// The python of the environment in `dir`.
pub(crate) fn installed(dir: &Path) -> Result<Python, TorchError> {
    let looked = |what: &str| Err(TorchError::NotInstalled { looked: format!("{} {what}", dir.display()) });
    let path = program(dir);
    if !path.exists() {
        return looked("has none");
    }
    match store::read_text(dir.join(MADE_FROM)) {
        Ok(made_from) if made_from == REQUIREMENTS => Ok(Python { path }),
        Ok(_) => looked("was made for another version of whyfirst"),
        Err(_) => looked("is unfinished"),
    }
}

pub(crate) fn program(dir: &Path) -> PathBuf {
    if cfg!(windows) { dir.join("Scripts").join("python.exe") } else { dir.join("bin").join("python") }
}

/// Asks a python what it has.
///
/// # Errors
/// When it cannot be started, or lacks something: the error says what Python said.
pub fn doctor(python: &Python) -> Result<Doctor, TorchError> {
    let fails =
        |why: String| TorchError::NotInstalled { looked: format!("{}: {why}", python.path.display()) };
    let mut command = Command::new(&python.path);
    command.args(["-c", QUESTIONS]).stdin(Stdio::null()).env("HF_HUB_OFFLINE", "1");
    let output = command.output().map_err(|error| fails(format!("cannot be started ({error})")))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let last = said.lines().rev().find(|line| !line.trim().is_empty());
        return Err(fails(last.unwrap_or("it said nothing").to_owned()));
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let line = text.lines().rev().find(|line| line.starts_with('{')).unwrap_or_default();
    let found: Doctor = serde_json::from_str(line).map_err(|error| fails(error.to_string()))?;
    Ok(Doctor { path: python.path.clone(), ..found })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_finished_environment_of_this_version_is_used() {
        let dir = tempfile::tempdir().unwrap();
        let says = |what: &str| {
            let error = installed(dir.path()).unwrap_err().to_string();
            assert!(error.contains(what) && error.contains("doctor --install torch"), "{error}");
        };
        says("has none");
        store::write_atomic(program(dir.path()), b"").unwrap();
        says("unfinished");
        store::write_atomic(dir.path().join(MADE_FROM), b"torch==1").unwrap();
        says("another version");
        store::write_atomic(dir.path().join(MADE_FROM), REQUIREMENTS.as_bytes()).unwrap();
        assert_eq!(installed(dir.path()).unwrap().path, program(dir.path()));
    }

    #[test]
    fn a_python_that_lacks_something_is_told_in_its_own_words() {
        let error = doctor(&Python { path: "/nowhere/python".into() }).unwrap_err().to_string();
        assert!(error.contains("/nowhere/python") && error.contains("cannot be started"), "{error}");
    }
}
