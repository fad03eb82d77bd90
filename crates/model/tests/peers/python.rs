//! Running the Python programs that we compare with.

use serde_json::Value;
use std::ffi::OsStr;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

/// What a program of `peers/` prints when it is given arguments and a JSON object.
pub fn python<S: AsRef<OsStr>>(script: &str, arguments: &[S], input: &Value) -> String {
    let python = std::env::var_os("WHYFIRST_PEERS_PYTHON")
        .expect("WHYFIRST_PEERS_PYTHON is not set: it is the path that `cargo xtask peers` prints");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../peers").join(script);
    let mut command = Command::new(python);
    command.arg(&script).args(arguments).env("HF_HUB_OFFLINE", "1");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // A program that does not read it has closed its input.
    let _ = child.stdin.take().unwrap().write_all(input.to_string().as_bytes());
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}: {}", script.display(), String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}
