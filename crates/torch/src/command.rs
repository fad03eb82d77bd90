//! The one command line that trains a job.

use std::ffi::OsString;
use std::fmt;
use std::path::Path;

use crate::{Prepared, Python};

/// A program with its arguments; shown as it can be pasted into a shell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandLine {
    /// The program.
    pub program: OsString,
    /// Its arguments.
    pub arguments: Vec<OsString>,
}

/// What nodes of a cluster agree on; the shell that starts the command fills it in.
const ENDPOINT: &str = "$WHYFIRST_HEAD:29500";

/// The `torchrun` command that trains a job. On one node it is complete; on several, every node runs it, with
/// `WHYFIRST_HEAD` set to the name of one of them.
pub fn command(prepared: &Prepared, python: &Python) -> CommandLine {
    let (settings, dir) = (&prepared.settings, &prepared.dir);
    let torchrun = python.path.with_file_name("torchrun");
    let mut line = match torchrun.is_file() {
        true => CommandLine { program: torchrun.into(), arguments: Vec::new() },
        false => CommandLine {
            program: python.path.clone().into(),
            arguments: vec!["-m".into(), "torch.distributed.run".into()],
        },
    };
    let mut add = |name: &str, value: OsString| line.arguments.extend([OsString::from(name), value]);
    add("--nproc-per-node", settings.nproc.to_string().into());
    if settings.nodes > 1 {
        add("--nnodes", settings.nodes.to_string().into());
        add("--rdzv-id", prepared.id.short().into());
        add("--rdzv-backend", "c10d".into());
        add("--rdzv-endpoint", ENDPOINT.into());
    } else {
        line.arguments.push("--standalone".into());
    }
    line.arguments.extend([dir.join("train.py").into(), dir.into()]);
    let mut add = |name: &str, value: OsString| line.arguments.extend([OsString::from(name), value]);
    add("--model", prepared.model.clone().into());
    add("--processes", settings.processes().to_string().into());
    if settings.nodes > 1 {
        add("--nodes", settings.nodes.to_string().into());
    }
    add("--sharding", settings.sharding.name().into());
    add("--rows-per-pass", settings.rows_per_pass.to_string().into());
    add("--checkpoint-every", settings.checkpoint_every.to_string().into());
    if settings.gradient_checkpointing {
        line.arguments.push("--gradient-checkpointing".into());
    }
    line
}

impl fmt::Display for CommandLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&quoted(Path::new(&self.program)))?;
        self.arguments.iter().try_for_each(|argument| write!(f, " {}", quoted(Path::new(argument))))
    }
}

/// As a shell takes it for one word; the variable of [`ENDPOINT`] stays one.
fn quoted(word: &Path) -> String {
    let word = word.to_string_lossy();
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,+@%".contains(c);
    match word.as_ref() {
        ENDPOINT => format!("\"{ENDPOINT}\""),
        word if !word.is_empty() && word.chars().all(plain) => word.to_owned(),
        word => format!("'{}'", word.replace('\'', r"'\''")),
    }
}

#[cfg(test)]
mod tests {
    use train::Method;

    use super::*;
    use crate::job::tests::prepared;
    use crate::{Dtype, Sharding, TorchSettings};

    #[test]
    fn one_node_takes_a_complete_line_and_several_a_rendezvous() {
        let dir = tempfile::tempdir().unwrap();
        let mut job = prepared(&dir.path().join("it's work"), Method::Full);
        let python = Python { path: "/opt/env/bin/python".into() };
        let shown = command(&job, &python).to_string();
        let folder = format!("'{}/it'\\''s work'", dir.path().display());
        let script = folder.replace(" work'", " work/train.py'");
        let model = folder.replace(" work'", " work/job/model'");
        assert_eq!(
            shown,
            format!(
                "/opt/env/bin/python -m torch.distributed.run --nproc-per-node 1 --standalone {script} {folder} --model {model} \
                 --processes 1 --sharding full --rows-per-pass 1 --checkpoint-every 100"
            )
        );
        job.settings = TorchSettings {
            nproc: 8,
            nodes: 4,
            dtype: Dtype::Bf16,
            sharding: Sharding::Hybrid,
            gradient_checkpointing: true,
            ..TorchSettings::default()
        };
        let shown = command(&job, &python).to_string();
        for part in [
            "--nproc-per-node 8 --nnodes 4 --rdzv-id ",
            "--rdzv-backend c10d --rdzv-endpoint \"$WHYFIRST_HEAD:29500\"",
            "--processes 32 --nodes 4 --sharding hybrid",
            "--gradient-checkpointing",
        ] {
            assert!(shown.contains(part), "{shown}");
        }
        assert!(!shown.contains("standalone"));
    }

    #[test]
    fn torchrun_itself_is_used_where_it_is() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("torchrun"), "").unwrap();
        let job = prepared(&dir.path().join("work"), Method::Full);
        let line = command(&job, &Python { path: dir.path().join("python") });
        assert_eq!(line.program, dir.path().join("torchrun").into_os_string());
        assert_eq!(line.arguments[0], "--nproc-per-node");
    }
}
