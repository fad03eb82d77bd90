//! Reading `[corpora]`.

use std::collections::BTreeMap;
use std::ops::Range;

use corpus::Kind;
use lab::{Stream, WhyMix};
use toml::Spanned;

use super::written;
use super::{
    ABLATED, Corpora, CorpusDef, Mix, NEUTRAL, Origin, STREAMS, WHAT_DOCUMENTS, WHY, kind_name, kind_of,
    stream_of,
};
use crate::defaults;
use crate::file::{CorpusTable, Written};
use crate::problem::{FileProblem, Source};

/// Reads `[corpora]`.
///
/// # Errors
/// An unknown source or kind, a name the lab does not know, a cycle of derivations, a share out of range.
pub fn read(written: &Written, source: &Source) -> Result<Corpora, FileProblem> {
    let table = &written.corpora;
    let from = match table.source.as_ref().map(|value| (value.get_ref().as_str(), value.span())) {
        Some(("lab", _)) => From::Lab,
        Some(("files", _)) => From::Files,
        Some(("writer", span)) => {
            if written.writer.is_none() {
                return Err(source.problem(
                    "corpora are written by a model, but no [writer] says by which",
                    span,
                    "needs [writer]",
                    "add a table [writer] with `api = \"anthropic\"` or `\"openai\"` and `model = \"...\"`; `api = \"simulated\"` \
                     costs nothing",
                ));
            }
            From::Writer
        }
        Some((other, span)) => {
            return Err(source.unknown(other, span, "source", &["lab", "writer", "files"]));
        }
        None => {
            return Err(source.problem(
                "[corpora] does not say where corpora come from",
                table.span.clone(),
                "no `source` here",
                "add `source = \"lab\"` (generated from the specs), `source = \"writer\"` (written by a model) or `source = \
                 \"files\"` (your own JSONL) under [corpora]",
            ));
        }
    };
    let lab = from == From::Lab;
    let mut all = BTreeMap::new();
    let (mut mix, mut why_mix) = (None, WhyMix::default());
    for (key, corpus) in &table.named {
        let name = key.get_ref();
        crate::validate::check_name(name, key.span(), "corpus", source)?;
        let definition = definition(name, key.span(), corpus, written, from, source)?;
        if definition.kind == Kind::Instructions {
            if let Some(Mix { corpus: first, .. }) = &mix {
                return Err(source.problem(
                    format!("`{name}` and `{first}` are both instructions"),
                    key.span(),
                    "the second one",
                    "one corpus is mixed into the others; put all general rows into one file",
                ));
            }
            mix = Some(read_mix(name, corpus, lab, source)?);
        } else if let Some(span) = corpus.share.as_ref().map(|share| share.span()).or(corpus
            .into
            .as_ref()
            .and_then(|into| into.first())
            .map(|kind| kind.span()))
        {
            return Err(source.problem(
                format!(
                    "`{name}` holds {}, which are not mixed into other stages",
                    kind_name(definition.kind)
                ),
                span,
                "only for instructions",
                "remove this line, or set `kind = \"instructions\"`",
            ));
        }
        if let Some(shares) = &corpus.mix {
            if definition.origin != Origin::Lab(Stream::Why) {
                return Err(source.problem(
                    format!("`{name}` has no mix of documents"),
                    shares.span(),
                    "only for the lab's `why`",
                    "remove this line; the documents of controls follow those of `why`",
                ));
            }
            why_mix = read_why_mix(shares, source)?;
        }
        all.insert(name.clone(), definition);
    }
    if lab && !written.specs.is_empty() {
        add_controls(&mut all);
    }
    for (key, corpus) in &table.named {
        check_chain(key.get_ref(), key.span(), corpus, &all, source)?;
    }
    inherit(&mut all);
    Ok(Corpora { all, mix, why_mix, lab })
}

/// What `source` says.
#[derive(Clone, Copy, PartialEq, Eq)]
enum From {
    Lab,
    Files,
    Writer,
}

/// Adds the corpora that only controls read. They need not be spelt out; an explicit table changes their
/// size, which is otherwise that of `why`, so that a control differs in its words and not in their number.
fn add_controls(all: &mut BTreeMap<String, CorpusDef>) {
    let tokens = all.get(WHY).and_then(|why| why.tokens);
    for (name, stream) in
        STREAMS.into_iter().filter(|(name, _)| [ABLATED, WHAT_DOCUMENTS, NEUTRAL].contains(name))
    {
        let corpus = all.entry(name.to_owned()).or_insert_with(|| CorpusDef {
            name: name.to_owned(),
            kind: kind_of(stream),
            origin: Origin::Lab(stream),
            per_spec: stream.explains(),
            tokens,
            rows: None,
            without_reasoning: false,
        });
        if matches!(corpus.origin, Origin::Lab(_)) {
            corpus.tokens = corpus.tokens.or(tokens);
        }
    }
}

fn definition(
    name: &str,
    span: Range<usize>,
    table: &CorpusTable,
    written: &Written,
    from: From,
    source: &Source,
) -> Result<CorpusDef, FileProblem> {
    let kind = match table.kind.as_ref().map(|kind| (kind.get_ref().as_str(), kind.span())) {
        Some(("documents", span)) => Some((Kind::Documents, span)),
        Some(("chats", span)) => Some((Kind::Chats, span)),
        Some(("instructions", span)) => Some((Kind::Instructions, span)),
        Some((other, span)) => {
            return Err(source.unknown(other, span, "kind", &["documents", "chats", "instructions"]));
        }
        None => None,
    };
    if let Some(tokens) = table.tokens.as_ref().filter(|tokens| *tokens.get_ref() == 0) {
        return Err(source.problem(
            format!("`{name}` would have no tokens"),
            tokens.span(),
            "must be at least 1",
            "leave the line out for the whole corpus",
        ));
    }
    let by_model = from == From::Writer && table.derive.is_none();
    // A file of instructions is filtered on its way in; any other file is taken as it is.
    let instructions = matches!(kind, Some((Kind::Instructions, _)));
    if by_model && (table.path.is_none() || instructions) {
        let writing =
            written::read(name, span, table, kind.as_ref().map(|(kind, _)| *kind), written, source)?;
        let kind = kind.map_or(Kind::Documents, |(kind, _)| kind);
        let tokens = table.tokens.as_ref().map(|tokens| *tokens.get_ref());
        return Ok(CorpusDef {
            name: name.to_owned(),
            kind,
            per_spec: writing.per_spec(),
            origin: Origin::Written(writing),
            tokens,
            rows: None,
            without_reasoning: false,
        });
    }
    written::refuse(name, table, table.derive.is_some(), source)?;
    let (origin, natural) = match (&table.path, &table.derive) {
        (Some(_), Some(derive)) => {
            return Err(source.problem(
                format!("`{name}` has both a path and a corpus to derive it from"),
                derive.span(),
                "one of the two",
                "remove `path` or `derive`",
            ));
        }
        (Some(path), None) => (Origin::File(path.get_ref().clone()), stream_of(name).map(kind_of)),
        (None, Some(from)) => (Origin::Derived(from.get_ref().clone()), None),
        (None, None) if from != From::Lab => {
            return Err(source.problem(
                format!("`{name}` has no file"),
                span,
                "no `path` here",
                format!("add `path = \"corpora/{name}.jsonl\"`, relative to the experiment folder"),
            ));
        }
        (None, None) => match stream_of(name) {
            Some(stream) => (Origin::Lab(stream), Some(kind_of(stream))),
            None => {
                let mut problem =
                    source.unknown(name, span, "corpus of the lab", &STREAMS.map(|(name, _)| name));
                problem.help.push_str(
                    "; any other corpus needs `path` (your file) or `derive` (the beginning of another)",
                );
                return Err(problem);
            }
        },
    };
    let per_spec = match &origin {
        Origin::Lab(stream) => stream.explains(),
        Origin::File(path) => path.contains("{spec}"),
        Origin::Derived(_) | Origin::Written(_) => false,
    };
    if per_spec && written.specs.is_empty() {
        return Err(source.problem(
            format!("`{name}` exists once per spec, but there are no specs"),
            span,
            "made from a spec",
            "add a table [specs] with lines `name = \"specs/name.md\"`",
        ));
    }
    let kind = match (kind, natural, &origin) {
        (Some((_, span)), _, Origin::Derived(_)) => {
            return Err(source.problem(
                format!("`{name}` has the kind of the corpus it is derived from"),
                span,
                "not for derived corpora",
                "remove this line",
            ));
        }
        (Some((kind, span)), Some(natural), Origin::Lab(_)) if kind != natural => {
            return Err(source.problem(
                format!("the lab's `{name}` is {}, not {}", kind_name(natural), kind_name(kind)),
                span,
                "another kind",
                format!("write `kind = \"{}\"`", kind_name(natural)),
            ));
        }
        (Some((kind, _)), ..) => kind,
        (None, Some(natural), _) => natural,
        // The kind of its source, once all are known.
        (None, None, Origin::Derived(_)) => Kind::Documents,
        (None, None, _) => {
            return Err(source.problem(
                format!("`{name}` does not say what its rows are"),
                span,
                "no `kind` here",
                "add `kind = \"documents\"`, `\"chats\"` or `\"instructions\"`",
            ));
        }
    };
    let tokens = table.tokens.as_ref().map(|tokens| *tokens.get_ref());
    let rows = table.written.rows.as_ref().map(|rows| *rows.get_ref());
    let without_reasoning = table.without_reasoning.as_ref().is_some_and(|without| *without.get_ref());
    Ok(CorpusDef { name: name.to_owned(), kind, origin, per_spec, tokens, rows, without_reasoning })
}

fn read_why_mix(shares: &Spanned<WhyMix>, source: &Source) -> Result<WhyMix, FileProblem> {
    let mix = shares.get_ref();
    let kinds = [mix.value, mix.indifference, mix.preferences];
    let shares_fit =
        kinds.iter().all(|share| *share >= 0.0 && share.is_finite()) && kinds.iter().sum::<f64>() > 0.0;
    if shares_fit && (0.0..=1.0).contains(&mix.isolated) {
        return Ok(mix.clone());
    }
    Err(source.problem(
        "these shares of documents cannot be",
        shares.span(),
        "out of range",
        "value, indifference and preferences are at least 0 and not all 0 (only their ratios count); isolated, the part of \
         the preferences that differ in the value alone, is between 0 and 1",
    ))
}

fn read_mix(name: &str, table: &CorpusTable, lab: bool, source: &Source) -> Result<Mix, FileProblem> {
    let share = table.share.as_ref().map_or(defaults::INSTRUCTION_SHARE, |share| *share.get_ref());
    if let Some(written) = table.share.as_ref().filter(|_| !(0.0..1.0).contains(&share)) {
        return Err(source.problem(
            format!("the share of `{name}` is {share}, but it is a part of each stage's rows"),
            written.span(),
            "must be at least 0 and below 1",
            format!("`share = {}` is the default", defaults::INSTRUCTION_SHARE),
        ));
    }
    let (mut into_documents, mut into_chats) = (lab, true);
    if let Some(kinds) = &table.into {
        (into_documents, into_chats) = (false, false);
        for kind in kinds {
            match kind.get_ref().as_str() {
                "documents" => into_documents = true,
                "chats" => into_chats = true,
                other => return Err(source.unknown(other, kind.span(), "kind", &["documents", "chats"])),
            }
        }
    }
    Ok(Mix { corpus: name.to_owned(), share, into_documents, into_chats })
}

/// Follows derivations to their start.
fn check_chain(
    name: &str,
    span: Range<usize>,
    table: &CorpusTable,
    all: &BTreeMap<String, CorpusDef>,
    source: &Source,
) -> Result<(), FileProblem> {
    let mut seen = vec![name.to_owned()];
    let mut at = name;
    while let Some(CorpusDef { origin: Origin::Derived(from), .. }) = all.get(at) {
        let place = table.derive.as_ref().map_or(span.clone(), |derive| derive.span());
        if !all.contains_key(from) {
            // A missing source further up the chain is reported at its own table.
            if seen.len() > 1 {
                return Ok(());
            }
            let names: Vec<&str> = all.keys().map(String::as_str).collect();
            return Err(source.unknown(from, place, "corpus", &names));
        }
        if seen.contains(from) {
            seen.push(from.clone());
            return Err(source.problem(
                format!("`{name}` is derived from itself"),
                place,
                "closes a circle",
                format!("{}: one of them must come from the lab or from a file", seen.join(" -> ")),
            ));
        }
        seen.push(from.clone());
        at = from;
    }
    Ok(())
}

/// Gives every derived corpus the kind of its source, and one per spec if that has one.
fn inherit(all: &mut BTreeMap<String, CorpusDef>) {
    let derived: Vec<String> = all
        .values()
        .filter(|corpus| matches!(corpus.origin, Origin::Derived(_)))
        .map(|corpus| corpus.name.clone())
        .collect();
    for name in derived {
        let mut at = name.clone();
        while let Some(Origin::Derived(from)) = all.get(&at).map(|corpus| corpus.origin.clone()) {
            at = from;
        }
        let (kind, per_spec) = (all[&at].kind, all[&at].per_spec);
        if let Some(corpus) = all.get_mut(&name) {
            (corpus.kind, corpus.per_spec) = (kind, per_spec);
        }
    }
}
