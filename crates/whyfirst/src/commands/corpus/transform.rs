//! `corpus transform`: another corpus from a corpus.

use std::collections::BTreeSet;

use audit::{Documents, THRESHOLD, near_duplicates};
use corpus::{Opened, Steps};
use serde_json::json;

use super::{Counter, failed, invalid, open};
use crate::args::CorpusTransform;
use crate::exit::Exit;
use crate::output::{self, counted};

/// Makes the new corpus and says what was done.
pub fn run(args: &CorpusTransform) -> Exit {
    let opened = match open(&args.path) {
        Ok(opened) => opened,
        Err(exit) => return exit,
    };
    let made = steps(args, &opened).and_then(|steps| {
        let mut counter = Counter::new(args.base.as_deref(), &opened.name)?;
        corpus::transform(&opened, &steps, &args.out, |row| counter.count(row)).map_err(failed)
    });
    let made = match made {
        Ok(made) => made,
        Err(exit) => return exit,
    };
    if args.json {
        output::json(&json!({
            "out": args.out,
            "changed": made.changed,
            "dropped": made.dropped,
            "manifest": made.manifest,
        }));
        return Exit::Done;
    }
    output::line(&format!(
        "wrote {}: {}, of which {} changed; {} dropped",
        args.out.display(),
        counted(made.manifest.rows as usize, "row"),
        made.changed,
        made.dropped,
    ));
    output::line(&format!("next: whyfirst corpus audit {}", output::typed(&args.out)));
    Exit::Done
}

/// What is to be done, with the rows that go.
fn steps(args: &CorpusTransform, opened: &Opened) -> Result<Steps, Exit> {
    let mut steps =
        Steps { strip_reasoning: args.strip_reasoning, rename: args.rename.clone(), ..Steps::default() };
    if !args.drop.is_empty() {
        let mut left: BTreeSet<&str> = args.drop.iter().map(String::as_str).collect();
        for index in 0..opened.rows.len() {
            let place = opened.rows.id(index).map_err(failed)?;
            if args.drop.contains(&place) {
                steps.drop.insert(index);
                left.remove(place.as_str());
            }
        }
        if let Some(place) = left.first() {
            let message = format!("there is no row `{place}` in {}", args.path.display());
            return Err(invalid(
                &message,
                "name rows as `whyfirst corpus audit` does: `0003/0001/0007`, or `line 12`",
            ));
        }
        steps.why.push(format!("{} chosen by hand dropped", counted(steps.drop.len(), "row")));
    }
    if args.dedup {
        let found = near_duplicates(&[&opened.rows], THRESHOLD).map_err(failed)?;
        let repeats: BTreeSet<usize> = found.repeats.iter().map(|repeat| repeat.row.row as usize).collect();
        steps.why.push(format!(
            "{} dropped that nearly repeat an earlier one (Jaccard similarity of at least {THRESHOLD})",
            counted(repeats.len(), "row")
        ));
        steps.drop.extend(repeats);
    }
    if steps.drop.len() >= opened.rows.len() {
        return Err(invalid("no row would be left", "nothing was written"));
    }
    Ok(steps)
}
