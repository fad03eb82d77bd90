//! `spec transform`: another spec from a spec.

mod augmented;

use std::path::Path;

use serde_json::json;
use spec::transform::{
    AblateOptions, Action, Augment, Renames, Transformed, attribution_ablated, rename, rules_only,
};
use spec::{Spec, count_words, estimate_tokens};

use super::{invalid, number, open_usable};
use crate::args::{Transform, TransformKind};
use crate::exit::Exit;
use crate::output;

/// How many sentences that need a look are shown.
const SHOWN: usize = 10;

/// Makes the new spec and writes it.
pub fn run(args: &Transform) -> Exit {
    let opened = match open_usable(&args.file) {
        Ok(opened) => opened,
        Err(exit) => return exit,
    };
    if let Err(exit) = check_options(args).and_then(|()| check_destination(args)) {
        return exit;
    }
    let (spec, hash) = (&opened.spec, store::hash_bytes(&opened.bytes).to_string());
    let made = match args.kind {
        TransformKind::RulesOnly => rules_only(spec, &hash),
        TransformKind::AttributionAblated => {
            attribution_ablated(spec, &hash, &AblateOptions { keep_reasons: args.keep_reasons })
        }
        TransformKind::Rename => {
            let names = args.model_name.iter().chain(&args.provider_name).cloned().collect();
            rename(spec, &hash, &Renames { names, in_code: args.in_code })
        }
        TransformKind::ValueAugmented => return augmented::run(args, spec, &hash, Augment::Value),
        TransformKind::RuleAugmented => return augmented::run(args, spec, &hash, Augment::Rule),
    };
    if made.notes.iter().all(|note| note.action == Action::Kept) {
        let help = "check the file and the names; nothing was written";
        return invalid(&format!("{}: there is nothing to change", args.file.display()), help);
    }
    if let Err(error) = store::write_atomic(&args.out, made.text.as_bytes()) {
        return output::failure(error);
    }
    report(args, spec, &made);
    Exit::Done
}

/// Options belong to their transforms.
fn check_options(args: &Transform) -> Result<(), Exit> {
    let named = !(args.model_name.is_empty() && args.provider_name.is_empty());
    let is_rename = args.kind == TransformKind::Rename;
    if is_rename && !named {
        let help = "for example --model-name \"ChatGPT=Quill\" --provider-name \"OpenAI=Quill Labs\"";
        return Err(invalid("rename needs old and new names", help));
    }
    if !is_rename && (named || args.in_code) {
        let help =
            "make two files, one after the other: a transform may be applied to what another one wrote";
        return Err(invalid("--model-name, --provider-name and --in-code are for rename", help));
    }
    let by_model = matches!(args.kind, TransformKind::ValueAugmented | TransformKind::RuleAugmented);
    let of_model =
        args.experiment.is_some() || args.rehearse || args.growth.is_some() || args.max_cost.is_some();
    if of_model && !by_model {
        let message =
            "--experiment, --rehearse, --growth and --max-cost are for value-augmented and rule-augmented";
        return Err(invalid(message, "leave them out: this transform needs no model"));
    }
    if by_model && args.experiment.is_none() && !args.rehearse {
        let help = "add --experiment DIR with a [writer], or --rehearse for the simulated writer; rules-only, attribution-ablated \
                    and rename need no model";
        return Err(invalid("this draft is written by a model, and no writer is set", help));
    }
    if args.keep_reasons && args.kind != TransformKind::AttributionAblated {
        return Err(invalid("--keep-reasons is for attribution-ablated", "leave it out"));
    }
    Ok(())
}

/// A file that no transform wrote is not overwritten.
fn check_destination(args: &Transform) -> Result<(), Exit> {
    let Ok(bytes) = store::read(&args.out) else { return Ok(()) };
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let ours = spec::parse("out", Path::new("out"), text).is_ok_and(|spec| spec.provenance.is_some());
    if ours && !same_file(&args.out, &args.file) {
        return Ok(());
    }
    let message =
        format!("{} is there already, and was not written by a transform of this file", args.out.display());
    Err(invalid(&message, "choose another name for the new file"))
}

fn same_file(one: &Path, other: &Path) -> bool {
    match (std::fs::canonicalize(one), std::fs::canonicalize(other)) {
        (Ok(one), Ok(other)) => one == other,
        _ => false,
    }
}

/// How large a spec was and is.
struct Sizes {
    words_before: usize,
    words: usize,
    tokens_before: usize,
    tokens: usize,
}

impl Sizes {
    fn of(before: &Spec, made: &Transformed) -> Sizes {
        // The first line says where the rest comes from.
        let after = made.text.split_once('\n').map_or("", |(_, content)| content);
        Sizes {
            words_before: count_words(before.content()),
            words: count_words(after),
            tokens_before: estimate_tokens(before.content()),
            tokens: estimate_tokens(after),
        }
    }

    /// `12 words of 20, about 30 tokens of 50`.
    fn shown(&self) -> String {
        format!(
            "{} words of {}, about {} tokens of {}",
            number(self.words),
            number(self.words_before),
            number(self.tokens),
            number(self.tokens_before),
        )
    }

    /// What every transform prints as JSON, with what one of them has to say besides.
    fn print(&self, args: &Transform, made: &Transformed, name: &str, more: impl serde::Serialize) {
        output::json(&json!({
            "file": args.file,
            "out": args.out,
            "transform": made.kind,
            "parent": made.parent_hash,
            "words_before": self.words_before,
            "words": self.words,
            "tokens_estimate_before": self.tokens_before,
            "tokens_estimate": self.tokens,
            name: more,
        }));
    }
}

fn report(args: &Transform, before: &Spec, made: &Transformed) {
    let sizes = Sizes::of(before, made);
    let actions = [Action::Removed, Action::Cut, Action::Replaced, Action::Kept];
    if args.json {
        return sizes.print(args, made, "notes", &made.notes);
    }
    let done = |action: &Action| made.count(*action) > 0 && *action != Action::Kept;
    let done: Vec<String> = actions
        .into_iter()
        .filter(done)
        .map(|action| format!("{} {}", number(made.count(action)), action.name()))
        .collect();
    if args.all {
        for note in &made.notes {
            output::line(&format!(
                "{}:{}: {}: {}",
                args.file.display(),
                note.line,
                note.action.name(),
                note.text
            ));
        }
    } else {
        let kept: Vec<_> = made.notes.iter().filter(|note| note.action == Action::Kept).collect();
        if !kept.is_empty() {
            output::line(
                "look at these yourself; they could not be changed without damage, or were not to be:",
            );
        }
        for note in kept.iter().take(SHOWN) {
            output::line(&format!("{}:{}: {}", args.file.display(), note.line, note.text));
        }
        if kept.len() > SHOWN {
            output::line(&format!("and {} more; --all shows them", kept.len() - SHOWN));
        }
    }
    output::line(&format!("wrote {}: {}; {}", args.out.display(), done.join(", "), sizes.shown(),));
    output::line(&format!("next: whyfirst spec lint {}", output::typed(&args.out)));
}
