//! Making the Python environment: a venv with the packages of a pinned list.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::environment::{find, program};
use crate::{Doctor, Python, TorchError, doctor};

/// The packages, pinned.
pub const REQUIREMENTS: &str = include_str!("requirements.txt");

/// The file that is written last, with the list that the environment was made from.
pub(crate) const MADE_FROM: &str = "made-from.txt";

/// Makes the environment in `dir`, anew if it is there but not of this version, and asks it what it has. `say` is told
/// what is being done.
///
/// The python that makes it is that of `WHYFIRST_PYTHON`, or `python3`; pip reads its own settings (`PIP_INDEX_URL` and
/// so on). PyTorch brings its CUDA libraries where it was built for them: several gigabytes.
///
/// # Errors
/// When there is no suitable Python, or a package cannot be had: the error says what was said. An unfinished folder is
/// never taken for a whole one.
pub fn install(dir: &Path, say: &mut dyn FnMut(&str)) -> Result<Doctor, TorchError> {
    if let Ok(python) = crate::environment::installed(dir)
        && let Ok(found) = doctor(&python)
    {
        say("the environment is there already");
        return Ok(found);
    }
    let base = base_python(dir)?;
    say("making a virtual environment");
    if dir.exists() {
        let ours =
            dir.join("pyvenv.cfg").is_file() || std::fs::read_dir(dir).is_ok_and(|mut d| d.next().is_none());
        if !ours {
            let message = "the folder holds something else; name another one, or remove it".to_owned();
            return Err(TorchError::Install { dir: dir.to_owned(), message });
        }
        store::remove(dir)?;
    }
    execute(dir, &base, ["-m".as_ref(), "venv".as_ref(), dir.as_os_str()])?;
    let list = dir.join("requirements.txt");
    store::write_atomic(&list, REQUIREMENTS.as_bytes())?;
    let python = program(dir);
    say("installing the packages (several gigabytes where PyTorch brings CUDA)");
    let pip = ["-m", "pip", "install", "--disable-pip-version-check", "--no-input", "--requirement"];
    execute(dir, &python, pip.iter().map(OsStr::new).chain([list.as_os_str()]))?;
    say("asking it what it has");
    let found = doctor(&Python { path: python })?;
    store::write_atomic(dir.join(MADE_FROM), REQUIREMENTS.as_bytes())?;
    // Where the variable names another python, that one stays in use; say so rather than surprise.
    if find(dir)?.path != found.path {
        say(&format!("note: {} is set, so that python is used instead", crate::PYTHON_VARIABLE));
    }
    Ok(found)
}

/// A Python that can make the environment.
fn base_python(dir: &Path) -> Result<PathBuf, TorchError> {
    let python = PathBuf::from(std::env::var_os("WHYFIRST_PYTHON").unwrap_or_else(|| "python3".into()));
    let check = "import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))";
    let mut command = Command::new(&python);
    command.args(["-c", check]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    if command.status().is_ok_and(|status| status.success()) {
        return Ok(python);
    }
    let message = format!(
        "`{}` is not a Python of version 3.11 or newer with venv; install one (Debian and Ubuntu: python3 and python3-venv) or set WHYFIRST_PYTHON",
        python.display()
    );
    Err(TorchError::Install { dir: dir.to_owned(), message })
}

fn execute<'a>(
    dir: &Path,
    program: &Path,
    arguments: impl IntoIterator<Item = &'a OsStr>,
) -> Result<(), TorchError> {
    let fails = |message: String| TorchError::Install { dir: dir.to_owned(), message };
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null());
    let output = command.output().map_err(|error| fails(format!("{}: {error}", program.display())))?;
    if output.status.success() {
        return Ok(());
    }
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    let lines: Vec<&str> = said.lines().filter(|line| !line.trim().is_empty()).collect();
    Err(fails(lines[lines.len().saturating_sub(5)..].join("\n")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_package_is_pinned_exactly() {
        let lines =
            REQUIREMENTS.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        let packages: Vec<&str> = lines.collect();
        for name in ["torch==", "transformers==", "peft==", "safetensors==", "accelerate==", "numpy=="] {
            assert!(packages.iter().any(|package| package.starts_with(name)), "{name}");
        }
        assert!(packages.iter().all(|package| package.split_once("==").is_some_and(|(_, v)| !v.is_empty())));
    }

    #[test]
    fn a_folder_with_something_else_in_it_stays() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("thesis.tex"), "").unwrap();
        if let Err(error) = install(dir.path(), &mut |_| {}) {
            assert!(matches!(error, TorchError::Install { .. }), "{error}");
        }
        assert!(dir.path().join("thesis.tex").exists());
    }
}
