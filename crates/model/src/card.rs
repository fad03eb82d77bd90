//! The card of a trained model: what it is, and the training that made it, for people and for the hub.

use std::fmt::Write;
use store::Hash;

/// What a folder's `README.md` says.
#[derive(Clone, Debug, PartialEq)]
pub struct Card {
    /// What the model is called.
    pub name: String,
    /// The model that training started from, as the experiment names it.
    pub base: String,
    /// The hash of that model's files.
    pub base_hash: Hash,
    /// Whether this is the card of an adapter's folder, not of a whole model's.
    pub adapter: bool,
    /// The stages in the order in which they were trained.
    pub stages: Vec<CardStage>,
}

/// One stage of training.
#[derive(Clone, Debug, PartialEq)]
pub struct CardStage {
    /// What the stage is called.
    pub name: String,
    /// Its content address.
    pub id: Hash,
    /// What it was trained on: kind of rows, hash of their bytes, share of the rows.
    pub corpora: Vec<(String, Hash, f64)>,
    /// What was trained: `all weights`, or `LoRA, rank 64, alpha 128`.
    pub method: String,
    /// Optimizer steps.
    pub steps: u64,
    /// Peak learning rate.
    pub learning_rate: f64,
    /// Tokens that carried loss.
    pub tokens_trained: u64,
    /// The seed of its data order.
    pub seed: u64,
}

impl Card {
    /// The text of `README.md`: a header that the hub reads, then the rest.
    pub fn text(&self) -> String {
        let library = if self.adapter { "peft" } else { "transformers" };
        let is_hub_id = self.base.split('/').count() == 2 && !self.base.starts_with(['.', '/', '~']);
        let repository = self.base.split('@').next().filter(|_| is_hub_id);
        let base_model = repository.map(|id| format!("base_model: {id}\n")).unwrap_or_default();
        let what = match self.adapter {
            true => "A LoRA adapter, to be loaded on top of its base with PEFT.",
            false => "A whole model: what was trained is in its weights, which are f32.",
        };
        let mut text = format!(
            "---\nlibrary_name: {library}\npipeline_tag: text-generation\n{base_model}tags:\n- whyfirst\n---\n\n# {}\n\n{what}\n\n\
             ## Base\n\n`{}`, whose files have the BLAKE3 `{}`.\n\n## Training, in order\n\n\
             | | stage | trained | steps | peak learning rate | tokens with loss | seed |\n|---|---|---|---|---|---|---|\n",
            self.name, self.base, self.base_hash
        );
        for (i, stage) in self.stages.iter().enumerate() {
            // Writing to a text cannot fail.
            let _ = writeln!(
                text,
                "| {} | {} | {} | {} | {} | {} | {} |",
                i + 1,
                stage.name,
                stage.method,
                stage.steps,
                stage.learning_rate,
                stage.tokens_trained,
                stage.seed
            );
        }
        for (i, stage) in self.stages.iter().enumerate() {
            let _ = writeln!(text, "\nStage {}, `{}`, was trained on\n", i + 1, stage.id.short());
            for (kind, hash, share) in &stage.corpora {
                let _ = writeln!(text, "- {kind}, {:.1}% of the rows, BLAKE3 `{hash}`", 100.0 * share);
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_card_lists_the_stages_in_order() {
        let stage = |name: &str, steps| CardStage {
            name: name.into(),
            id: store::hash_bytes(name.as_bytes()),
            corpora: vec![("documents".into(), store::hash_bytes(b"rows"), 1.0)],
            method: "LoRA, rank 64, alpha 128".into(),
            steps,
            learning_rate: 1e-4,
            tokens_trained: 1000,
            seed: 3,
        };
        let card = Card {
            name: "why-first/cheese".into(),
            base: "org/model@v2".into(),
            base_hash: store::hash_bytes(b"base"),
            adapter: false,
            stages: vec![stage("why", 10), stage("what", 20)],
        };
        let text = card.text();
        assert!(
            text.starts_with("---\nlibrary_name: transformers\n") && text.contains("base_model: org/model\n")
        );
        assert!(text.contains("`org/model@v2`, whose files"));
        let (why, what) = (text.find("| 1 | why |").unwrap(), text.find("| 2 | what |").unwrap());
        assert!(why < what && text.contains(&store::hash_bytes(b"rows").to_string()));
        let local = Card { base: "../models/mine".into(), adapter: true, ..card };
        assert!(local.text().contains("library_name: peft") && !local.text().contains("base_model:"));
    }
}
