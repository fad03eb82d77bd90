//! What all pipelines are told: who the assistant is, which models write, how long answers may be, how far to go.

use std::collections::BTreeMap;

use llm::{Budget, Call, Dollars, Prompt, Role, Speaker, Turn};

use crate::prompts::Rendered;

/// What the calls of one corpus share.
#[derive(Clone, Debug, PartialEq)]
pub struct Brief {
    /// The id of the corpus: the beginning of the hash of all that determines it.
    pub corpus: String,
    /// What the experiment calls the corpus, such as `why:main`.
    pub name: String,
    /// What the assistant is called.
    pub model_name: String,
    /// Who makes it.
    pub provider_name: String,
    /// The model of each role, as rows are to name it.
    pub models: BTreeMap<Role, String>,
    /// Tokens that each role may spend on reasoning, apart from its text.
    pub planning: BTreeMap<Role, u32>,
    /// Sampling temperature of planner and writer; the critic's is 0.
    pub temperature: f64,
    /// How many calls can be under way: how much is begun at once follows it.
    pub concurrency: usize,
}

impl Brief {
    /// A call of this corpus, whose answer may have so many tokens of text.
    pub fn call(&self, role: Role, path: &str, sample: u64, rendered: Rendered, text: u32) -> Call {
        let temperature = match role {
            Role::Planner | Role::Writer => self.temperature,
            Role::Critic | Role::Judge => 0.0,
        };
        Call {
            role,
            path: path.to_owned(),
            corpus: self.corpus.clone(),
            template: rendered.template,
            sample,
            prompt: Prompt {
                system: rendered.system,
                turns: vec![Turn { speaker: Speaker::User, text: rendered.user }],
                budget: Budget { planning: self.planning.get(&role).copied().unwrap_or(0), text },
                temperature: Some(temperature),
            },
        }
    }

    /// The model of a role, as rows name it.
    pub fn model(&self, role: Role) -> &str {
        self.models.get(&role).map_or("", String::as_str)
    }
}

/// How much of a corpus is wanted for now. Rows of a smaller scope are those of a larger one, by the same requests.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Scope {
    /// So many rows, to look at.
    Probe(u64),
    /// A part of all rows.
    Pilot(f64),
    /// All of it.
    Full,
}

impl Scope {
    /// Rows that are wanted of `all`.
    pub fn rows(self, all: u64) -> u64 {
        match self {
            Scope::Probe(rows) => rows.min(all),
            Scope::Pilot(part) => ((all as f64 * part).ceil() as u64).min(all),
            Scope::Full => all,
        }
    }
}

/// What writing came to. Counts are of rows unless they say otherwise.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tally {
    /// Rows that were wanted.
    pub asked: u64,
    /// Rows that are in the corpus.
    pub kept: u64,
    /// Rows that were begun, where lost ones are made up for by others; 0 where each is tried once.
    pub tried: u64,
    /// Rows that are not, by reason.
    pub dropped: BTreeMap<String, u64>,
    /// Rows that were written again because the critic faulted them.
    pub rewritten: u64,
    /// Rounds in which lost rows were made up.
    pub backfilled: u64,
    /// Input tokens of the calls behind the rows.
    pub input_tokens: u64,
    /// Output tokens of the calls behind the rows.
    pub output_tokens: u64,
    /// What those calls cost.
    pub cost: Dollars,
    /// Rows that failed on their way and that a later run tries again.
    pub passing: u64,
}

impl Tally {
    /// The part of the rows that was kept.
    pub fn kept_share(&self) -> f64 {
        if self.asked == 0 { 1.0 } else { self.kept as f64 / self.asked as f64 }
    }

    /// The part that a gate on yield is about: of the rows that were wanted, and of those that were begun. Rows that make up
    /// for lost ones hide no losses.
    pub fn yielded(&self) -> f64 {
        let of_begun = if self.tried == 0 { 1.0 } else { self.kept as f64 / self.tried as f64 };
        of_begun.min(self.kept_share())
    }

    /// Counts rows that are not in the corpus. Reasons that differ in details are counted as one.
    pub fn drop(&mut self, reason: &str, rows: u64) {
        if rows > 0 {
            *self.dropped.entry(kind_of_reason(reason)).or_default() += rows;
        }
    }

    /// Counts the calls behind something.
    pub fn spend<'a>(&mut self, answers: impl IntoIterator<Item = &'a llm::Answer>) {
        for answer in answers {
            self.input_tokens += answer.usage.input + answer.usage.cache_read + answer.usage.cache_write;
            self.output_tokens += answer.usage.output;
            self.cost += answer.cost;
        }
    }

    /// Both together.
    pub fn add(&mut self, other: &Tally) {
        self.asked += other.asked;
        self.kept += other.kept;
        self.tried += other.tried;
        for (reason, rows) in &other.dropped {
            *self.dropped.entry(reason.clone()).or_default() += rows;
        }
        self.rewritten += other.rewritten;
        self.backfilled += other.backfilled;
        self.input_tokens += other.input_tokens;
        self.output_tokens += other.output_tokens;
        self.cost += other.cost;
        self.passing += other.passing;
    }
}

/// The beginning of a reason, up to where it speaks of one row: what counts are kept by.
fn kind_of_reason(reason: &str) -> String {
    let first = reason.split("; ").next().unwrap_or(reason);
    let first = first.split(": ").take(2).collect::<Vec<_>>().join(": ");
    let mut short: String = first.chars().take(80).collect();
    if short.len() < first.len() {
        short.push_str("...");
    }
    short
}

/// What a corpus would take, before anything is sent.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Estimate {
    /// Rows if all are kept.
    pub rows: u64,
    /// By role.
    pub roles: BTreeMap<Role, RoleEstimate>,
}

/// What a role's model would be asked.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct RoleEstimate {
    /// Calls.
    pub calls: u64,
    /// Tokens read, about.
    pub input: u64,
    /// Tokens written, about.
    pub output: u64,
}

impl Estimate {
    /// Adds calls of so many tokens each.
    pub fn add(&mut self, role: Role, calls: u64, input: u64, output: u64) {
        let sum = self.roles.entry(role).or_default();
        sum.calls += calls;
        sum.input += calls * input;
        sum.output += calls * output;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_are_parts_of_all() {
        assert_eq!((Scope::Probe(8).rows(5), Scope::Probe(8).rows(500)), (5, 8));
        assert_eq!((Scope::Pilot(0.03).rows(2_000), Scope::Pilot(0.03).rows(10)), (60, 1));
        assert_eq!(Scope::Full.rows(7), 7);
    }

    #[test]
    fn reasons_are_counted_by_their_kind() {
        let mut tally = Tally::default();
        tally.drop("no </document> in the answer; the model refused", 1);
        tally.drop("no </document> in the answer", 2);
        tally.drop("critic: faithful: it says that all dogs fly", 1);
        tally.drop("critic: faithful: it names a fee", 1);
        tally.drop("nothing", 0);
        assert_eq!(tally.dropped["no </document> in the answer"], 3);
        assert_eq!(tally.dropped["critic: faithful"], 2);
        assert_eq!(tally.dropped.len(), 2);
    }
}
