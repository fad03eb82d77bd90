//! What a critic says of a chat.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::parse::last_tag;

/// A verdict. Only [`Verdict::Pass`] keeps a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Verdict {
    /// The row is good.
    Pass,
    /// It is not.
    Fail,
    /// No verdict could be read from any of the critic's answers.
    Unparsed,
    /// The reply is a refusal, or the critic refused to judge it.
    Refused,
}

impl Verdict {
    /// As provenance and reports write it.
    pub fn name(self) -> &'static str {
        match self {
            Verdict::Pass => "PASS",
            Verdict::Fail => "FAIL",
            Verdict::Unparsed => "UNPARSED",
            Verdict::Refused => "REFUSED",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A verdict and the critic's words for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// The verdict.
    pub verdict: Verdict,
    /// Why, in a sentence.
    pub why: String,
}

/// Reads `<why>...</why><verdict>PASS</verdict>`, strictly: nothing but one of the three words is a verdict, and there is
/// no default.
pub(crate) fn read(text: &str) -> Result<Judgement, String> {
    let word = last_tag(text, "verdict")?;
    let verdict = match word.trim() {
        "PASS" => Verdict::Pass,
        "FAIL" => Verdict::Fail,
        "REFUSED" => Verdict::Refused,
        other => {
            let shown: String = other.chars().take(40).collect();
            return Err(format!("`{shown}` is not a verdict"));
        }
    };
    let why = last_tag(text, "why")?.trim().to_string();
    if why.is_empty() {
        return Err("the verdict has no reason".to_string());
    }
    Ok(Judgement { verdict, why })
}
