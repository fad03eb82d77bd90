//! `spec transform value-augmented` and `rule-augmented`: drafts that a model writes.

use std::path::{Path, PathBuf};

use experiment::{AugmentEnd, Augmented, Office, Paths, WriteOptions};
use spec::Spec;
use spec::transform::Augment;

use super::super::number;
use super::Sizes;
use crate::args::Transform;
use crate::exit::Exit;
use crate::interrupt;
use crate::lab_base::SHIPPED;
use crate::output::{self, counted};
use crate::progress::Watch;

/// How many times as long a section becomes, unless the user says otherwise.
const GROWTH: f64 = 1.5;

/// Writes the draft.
pub(super) fn run(args: &Transform, spec: &Spec, hash: &str, wanted: Augment) -> Exit {
    interrupt::listen();
    let watch = Watch::new();
    let options =
        WriteOptions { max_cost: args.max_cost, interrupt: interrupt::requested(), progress: &watch };
    let growth = args.growth.unwrap_or(GROWTH);
    let write = |office: &Office| experiment::augment(office, spec, hash, wanted, growth, &options);
    let ended = match &args.experiment {
        Some(folder) => with_experiment(folder, args.rehearse, write),
        None => in_passing(write),
    };
    watch.close();
    match ended {
        Err(error) => output::error(&error),
        Ok(AugmentEnd::Interrupted) => {
            eprintln!("interrupted; every answer so far is kept: the same command goes on");
            Exit::Interrupted
        }
        Ok(AugmentEnd::Stopped(reason)) => {
            eprintln!("stopped: {reason}");
            Exit::Stopped
        }
        Ok(AugmentEnd::Done(draft)) => match store::write_atomic(&args.out, draft.made.text.as_bytes()) {
            Err(error) => output::failure(error),
            Ok(()) => {
                report(args, spec, &draft);
                Exit::Done
            }
        },
    }
}

/// With the writer and the store of an experiment, which nobody else uses meanwhile.
fn with_experiment(
    folder: &Path,
    rehearse: bool,
    write: impl Fn(&Office) -> experiment::Result<AugmentEnd>,
) -> experiment::Result<AugmentEnd> {
    let mut experiment = experiment::open(folder, SHIPPED)?;
    if rehearse {
        experiment.rehearse();
    }
    let office = Office::of(&experiment)?;
    let _lock = experiment::lock(&experiment.paths())?;
    write(&office)
}

/// With the simulated writer and a store that is forgotten: its answers cost nothing, and are the same the next time.
fn in_passing(write: impl Fn(&Office) -> experiment::Result<AugmentEnd>) -> experiment::Result<AugmentEnd> {
    let folder = Folder(std::env::temp_dir().join(format!("whyfirst-rehearsal-{}", std::process::id())));
    let office = Office::rehearsal(&folder.0)?;
    let _lock = experiment::lock(&Paths::new(&folder.0))?;
    write(&office)
}

/// A folder that goes when this does.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn report(args: &Transform, before: &Spec, draft: &Augmented) {
    let (made, summary) = (&draft.made, &draft.summary);
    let sizes = Sizes::of(before, made);
    if args.json {
        return sizes.print(args, made, "writer", summary);
    }
    output::line(&format!(
        "wrote {}: {} by {}; {}",
        args.out.display(),
        counted(summary.sections, "section"),
        summary.model,
        sizes.shown(),
    ));
    output::line(&format!(
        "the value-augmented draft has {} words, the rule-augmented one {}: {:.1}% apart; {} asked for again to make them so",
        number(summary.words[0]),
        number(summary.words[1]),
        100.0 * summary.difference,
        counted(summary.again, "section"),
    ));
    output::line(&format!(
        "{} sent now; both drafts cost ${:.4}",
        counted(summary.calls as usize, "call"),
        summary.dollars
    ));
    output::line(&format!("next: whyfirst spec lint {}", output::typed(&args.out)));
}
