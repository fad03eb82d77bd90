//! Sections written anew by a model: with their reasons made explicit, or with more detailed rules, at a given length.
//!
//! Two specs that are compared must not differ in length, so a section that misses its length by more than a fifth is asked
//! for again, and set aside if it never fits.

use futures_util::{StreamExt, stream};
use llm::{Ask, Role};
use serde_json::json;

use crate::WritingError;
use crate::chats::desk::{Desk, Order, Reply, Trail};
use crate::chats::others::Others;
use crate::parse::last_tag;

/// How a section may miss its length.
const TOLERANCE: f64 = 0.2;

/// What is added to a section.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Augment {
    /// Its reasons.
    Value,
    /// More detailed rules.
    Rule,
}

/// A section that is to be written anew.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SectionJob {
    /// Its id, such as `S12`.
    pub id: String,
    /// Its title.
    pub title: String,
    /// Its Markdown, heading included.
    pub text: String,
    /// How many words the new one has.
    pub words: usize,
    /// Tells askings for the same section apart.
    pub round: u64,
}

/// What became of it.
#[derive(Clone, Debug, PartialEq)]
pub struct SectionDone {
    /// The job's id.
    pub id: String,
    /// The new Markdown, or why there is none.
    pub text: Result<String, String>,
    /// Whether a later run may fare better: no answer came at all.
    pub pending: bool,
    /// What it cost.
    pub cost: ledger::Dollars,
}

impl Augment {
    /// The task, which is the name of its template.
    pub fn task(self) -> &'static str {
        match self {
            Augment::Value => "spec/value-augment",
            Augment::Rule => "spec/rule-augment",
        }
    }
}

/// Writes sections anew; in the order of the jobs. `check` says what else is wrong with a new section, if anything: it is then
/// asked for again.
///
/// # Errors
/// When the run is ending, or a template does not render.
pub async fn augment<A: Ask>(
    desk: &Desk<'_, A>,
    kind: Augment,
    jobs: &[SectionJob],
    check: impl Fn(&str) -> Result<(), String> + Sync,
) -> Result<Vec<SectionDone>, WritingError> {
    let mut done = Vec::with_capacity(jobs.len());
    let check = &check;
    let calls = stream::iter(jobs.iter().enumerate()).map(|(index, job)| async move {
        one(desk, kind, index, job, check).await.map(|section| (index, section))
    });
    let mut calls = std::pin::pin!(calls.buffer_unordered(desk.brief.concurrency.max(1)));
    while let Some(section) = calls.next().await {
        done.push(section?);
    }
    done.sort_by_key(|(index, _)| *index);
    Ok(done.into_iter().map(|(_, section)| section).collect())
}

async fn one<A: Ask>(
    desk: &Desk<'_, A>,
    kind: Augment,
    index: usize,
    job: &SectionJob,
    check: &(impl Fn(&str) -> Result<(), String> + Sync),
) -> Result<SectionDone, WritingError> {
    let own = [desk.brief.model_name.as_str(), desk.brief.provider_name.as_str()];
    let others = Others::new(own[0], own[1]);
    let sections =
        format!("<section id=\"{}\" title=\"{}\">\n{}\n</section>", job.id, job.title, job.text.trim_end());
    let order = Order {
        role: Role::Writer,
        task: kind.task(),
        context: json!({"sections": sections, "words": job.words}),
        path: format!("{:04}", index + 1),
        sample: job.round,
        // Words are about 1.4 tokens each, Markdown more.
        text: 500 + 3 * job.words as u32,
    };
    let mut trail = Trail::default();
    let read = |text: &str| {
        let section = read(text, job)?;
        names(&section, job, own, &others)?;
        check(&section).map(|()| section)
    };
    let reply = desk.call(order, &mut trail, read).await?;
    let (text, pending) = match reply {
        Reply::Got(text) => (Ok(text), false),
        Reply::Unusable(reason, _) => (Err(reason), false),
        Reply::Failed(reason) => (Err(reason), true),
    };
    Ok(SectionDone { id: job.id.clone(), text, pending, cost: trail.cost })
}

/// A section keeps its placeholders open, and gets no names of others that it did not have.
fn names(section: &str, job: &SectionJob, own: [&str; 2], others: &Others) -> Result<(), String> {
    for (name, placeholder) in own.into_iter().zip(["{model_name}", "{provider_name}"]) {
        if section.contains(name) && !job.text.contains(name) && job.text.contains(placeholder) {
            return Err(format!("the section has {name} in place of {placeholder}"));
        }
    }
    let before = job.text.to_lowercase();
    match others.named(section).filter(|name| !before.contains(&name.to_lowercase())) {
        Some(name) => Err(format!("the section names another assistant or its maker: {name}")),
        None => Ok(()),
    }
}

/// The new section, if it has the right length and heading.
fn read(text: &str, job: &SectionJob) -> Result<String, String> {
    let section = last_tag(text, "section")?.trim();
    let words = spec::count_words(section);
    let least = (job.words as f64 * (1.0 - TOLERANCE)).ceil() as usize;
    let most = (job.words as f64 * (1.0 + TOLERANCE)).floor() as usize;
    if section.is_empty() {
        return Err("the section is empty".to_string());
    }
    if !(least..=most).contains(&words) {
        return Err(format!("the section has {words} words, where {least} to {most} were asked for"));
    }
    let heading = job.text.lines().next().filter(|line| line.starts_with('#'));
    if let Some(heading) =
        heading.filter(|heading| section.lines().next().map(str::trim_end) != Some(heading.trim_end()))
    {
        return Err(format!("the section does not begin with its heading `{heading}`"));
    }
    let inner = section
        .lines()
        .skip(1)
        .find(|line| heading.is_some() && line.starts_with('#') && !job.text.contains(line.trim()));
    match inner {
        Some(line) => Err(format!("the section has a heading that the old one does not have: `{line}`")),
        None => Ok(section.to_string()),
    }
}
