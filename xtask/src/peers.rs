//! The peers: PyTorch, transformers, PEFT, Inspect, SciPy, statsmodels, lm-eval and the official clients, in one cached
//! Python environment.
//!
//! `.peers/` is made from `peers/requirements.txt`, and made anew when that file changes.

use std::path::{Path, PathBuf};

use crate::shell::{Result, command, read, root, run, succeeds};

const REQUIREMENTS: &str = "peers/requirements.txt";
const STAND_INS: &str = "peers/cuda_stand_ins.py";
const IMPORTS: &str = "import torch, transformers, peft, safetensors, scipy, statsmodels.stats.api, inspect_ai; \
    import anthropic, openai, lm_eval";

/// Checks that the environment exists or that this machine has what making it takes.
pub fn check_prerequisites() -> Result<()> {
    if is_current(&folder(), &wanted()?) { Ok(()) } else { find_python().map(|_| ()) }
}

/// The environment's python; makes the environment first unless it is there already.
pub fn environment() -> Result<PathBuf> {
    let (folder, wanted) = (folder(), wanted()?);
    let python = folder.join("bin/python");
    if is_current(&folder, &wanted) {
        return Ok(python);
    }
    let system = find_python()?;
    eprintln!("Making .peers/ (about 0.7 GB to download once, 2 GB on disk).");
    if folder.exists() {
        std::fs::remove_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    }
    let mut venv = command(system);
    venv.args(["-m", "venv"]).arg(&folder);
    run(venv)?;
    let mut pip = command(&python);
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]);
    pip.args(["--no-deps", "--requirement", REQUIREMENTS]);
    run(pip).map_err(|error| format!("{error}; it needs the Python Package Index"))?;
    let mut stand_ins = command(&python);
    stand_ins.arg(STAND_INS).stdout(std::io::stderr());
    run(stand_ins)?;
    let mut imports = command(&python);
    imports.args(["-c", IMPORTS]);
    run(imports)?;
    // Last, so that an interrupted environment is never taken for a whole one.
    let stamp = folder.join("made-from");
    std::fs::write(&stamp, wanted).map_err(|error| format!("{}: {error}", stamp.display()))?;
    Ok(python)
}

/// The python of an environment of its own, for a peer whose packages do not go together with those of the others; made
/// from its requirements unless it is there already.
pub fn own_environment(folder: &str, requirements: &str) -> Result<PathBuf> {
    let (folder, wanted) = (root().join(folder), read(requirements)?);
    let python = folder.join("bin/python");
    if is_current(&folder, &wanted) {
        return Ok(python);
    }
    let system = find_python()?;
    eprintln!("Making {} from {requirements}.", folder.display());
    if folder.exists() {
        std::fs::remove_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    }
    let mut venv = command(system);
    venv.args(["-m", "venv"]).arg(&folder);
    run(venv)?;
    let mut pip = command(&python);
    pip.args([
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--no-deps",
        "--requirement",
        requirements,
    ]);
    run(pip).map_err(|error| format!("{error}; it needs the Python Package Index"))?;
    let stamp = folder.join("made-from");
    std::fs::write(&stamp, wanted).map_err(|error| format!("{}: {error}", stamp.display()))?;
    Ok(python)
}

/// Makes the committed fixtures anew, or with `check` compares them with a fresh run.
pub fn fixtures(check: bool) -> Result<()> {
    let mut script = command(environment()?);
    script.arg("peers/make_fixtures.py").env("HF_HUB_OFFLINE", "1");
    if check {
        script.arg("--check");
    }
    run(script)
}

fn folder() -> PathBuf {
    root().join(".peers")
}

/// What an environment made now would be made from; kept in it whole, so that no hash is needed.
fn wanted() -> Result<String> {
    Ok(read(REQUIREMENTS)? + &read(STAND_INS)?)
}

fn is_current(folder: &Path, wanted: &str) -> bool {
    folder.join("bin/python").exists()
        && std::fs::read_to_string(folder.join("made-from")).is_ok_and(|made_from| made_from == wanted)
}

/// A Python that can make the environment: `$WHYFIRST_PYTHON`, or `python3`.
fn find_python() -> Result<PathBuf> {
    let python = std::env::var_os("WHYFIRST_PYTHON").unwrap_or_else(|| "python3".into());
    let accepts = |code: &str| {
        let mut command = command(&python);
        command.args(["-c", code]);
        succeeds(command)
    };
    let shown = python.to_string_lossy();
    let problem = if !accepts("pass") {
        format!("`{shown}` cannot be run")
    } else if !accepts("import sys; sys.exit(sys.version_info < (3, 11))") {
        format!("`{shown}` is older than Python 3.11")
    } else if !accepts("import venv, ensurepip") {
        format!("`{shown}` cannot make virtual environments")
    } else if cfg!(target_os = "linux") && !has_readelf() {
        "`readelf`, which comes with every C linker, cannot be run".to_owned()
    } else {
        return Ok(PathBuf::from(python));
    };
    Err(format!(
        "{problem}. The comparisons with PyTorch need Python 3.11 or newer with venv:\n  \
         Debian, Ubuntu:  apt-get install python3 python3-venv binutils\n  \
         macOS:           brew install python\n\
         or set WHYFIRST_PYTHON to another one. `cargo test --workspace` works without."
    ))
}

fn has_readelf() -> bool {
    let mut readelf = command("readelf");
    readelf.arg("--version");
    succeeds(readelf)
}
