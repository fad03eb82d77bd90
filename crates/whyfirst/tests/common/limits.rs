//! Commands for which the operating system sets limits: permissions that hold even for the superuser, files that may not grow.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use super::Project;

/// A command that may not write where permissions forbid it, also when the superuser runs the tests.
///
/// # Panics
/// When the folder of the project cannot be used.
pub fn obedient(project: &Project, args: &[&str]) -> Command {
    let plain = project.program(args);
    let probe = project.path("probe");
    fs::create_dir(&probe).unwrap();
    fs::set_permissions(&probe, fs::Permissions::from_mode(0o555)).unwrap();
    let obeys = fs::write(probe.join("file"), "").is_err();
    fs::remove_dir_all(&probe).unwrap();
    if obeys {
        return plain;
    }
    // The capability to override permissions is given up; setpriv comes with every Linux (util-linux).
    behind(project, "setpriv", &["--bounding-set", "-dac_override"], &plain)
}

/// A command whose files may not grow beyond so many blocks of 512 bytes.
pub fn cramped(project: &Project, args: &[&str], blocks: u64) -> Command {
    let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$@\"");
    behind(project, "sh", &["-c", &script, "sh"], &project.program(args))
}

/// A command as the arguments of another one.
fn behind(project: &Project, program: &str, first: &[&str], plain: &Command) -> Command {
    let mut command = Command::new(program);
    command.args(first).arg(plain.get_program()).args(plain.get_args());
    command.current_dir(project.root.path()).env("NO_COLOR", "1").stdin(std::process::Stdio::null());
    command
}
