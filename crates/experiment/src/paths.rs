//! Where everything lies below the experiment folder. The one place that knows these names.

use std::path::{Path, PathBuf};

use store::Hash;

/// In place of a spec's name, for arms that mention none.
pub const SHARED: &str = "shared";

/// The folders and files of a run.
#[derive(Debug, Clone)]
pub struct Paths {
    dir: PathBuf,
    rehearsal: bool,
}

impl Paths {
    /// Of the experiment in `dir`.
    pub fn new(dir: &Path) -> Paths {
        Paths { dir: dir.to_owned(), rehearsal: false }
    }

    /// Of a rehearsal of it: the same below `runs/rehearsal/`, so that simulated text is never mixed with paid text.
    pub fn rehearsal(dir: &Path) -> Paths {
        Paths { dir: dir.to_owned(), rehearsal: true }
    }

    /// `runs/`: everything that a run produces. Safe to delete, except `store.sqlite`, whose answers were paid for.
    pub fn runs(&self) -> PathBuf {
        self.resolve(self.runs_name())
    }

    fn runs_name(&self) -> &'static str {
        if self.rehearsal { "runs/rehearsal" } else { "runs" }
    }

    /// The experiment folder.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// `runs/store.sqlite`: every call to a writer and what came of it.
    pub fn store(&self) -> PathBuf {
        self.runs().join("store.sqlite")
    }

    /// `runs/audit/`: the findings on every written corpus.
    pub fn audit(&self) -> PathBuf {
        self.runs().join("audit")
    }

    /// `runs/writing.json`: what the last writing came to.
    pub fn writing(&self) -> PathBuf {
        self.runs().join("writing.json")
    }

    /// `runs/corpora/`: one folder per corpus.
    pub fn corpora(&self) -> PathBuf {
        self.runs().join("corpora")
    }

    /// `runs/corpora/index.json`: which folder came from which inputs.
    pub fn corpus_index(&self) -> PathBuf {
        self.corpora().join("index.json")
    }

    /// `runs/stages/<id>/`: a model folder, complete when it has a `DONE`.
    pub fn stage(&self, id: Hash) -> PathBuf {
        self.runs().join("stages").join(id.short())
    }

    /// `runs/work/<id>/`: checkpoints of a stage that is being trained.
    pub fn work(&self, id: Hash) -> PathBuf {
        self.runs().join("work").join(id.short())
    }

    /// The checkpoint folders that exist, each with the folder of its stage.
    pub fn work_and_stages(&self) -> Vec<(PathBuf, PathBuf)> {
        let entries = std::fs::read_dir(self.runs().join("work")).into_iter().flatten().flatten();
        entries.map(|entry| (entry.path(), self.runs().join("stages").join(entry.file_name()))).collect()
    }

    /// `evals/<spec>/<arm>/<seed>/<suite>.eval` below `runs/`, relative to the experiment folder.
    pub fn eval(&self, spec: Option<&str>, arm: &str, seed: u64, suite: &str) -> String {
        format!("{}/evals/{}/{arm}/{seed}/{suite}.eval", self.runs_name(), spec.unwrap_or(SHARED))
    }

    /// An absolute form of a path relative to the experiment folder.
    pub fn resolve(&self, relative: &str) -> PathBuf {
        relative.split('/').fold(self.dir.clone(), |path, part| path.join(part))
    }

    /// `runs/record.json`: what the run did.
    pub fn record(&self) -> PathBuf {
        self.runs().join("record.json")
    }

    /// `runs/timings/<id>.json`: how long a stage took; apart from the stage, whose bytes are reproducible.
    pub fn timing(&self, id: Hash) -> PathBuf {
        self.runs().join("timings").join(format!("{}.json", id.short()))
    }

    /// Every folder that a run writes into and that exists: where a killed one may have left something
    /// unfinished.
    pub fn written(&self) -> Vec<PathBuf> {
        let mut dirs = vec![self.runs()];
        dirs.extend(["corpora", "stages", "timings", "tables", "audit"].map(|name| self.runs().join(name)));
        dirs.extend(folders_below(&self.runs().join("work")));
        dirs.extend(folders_below(&self.runs().join("evals")));
        dirs.retain(|dir| dir.is_dir());
        dirs
    }
}

/// A folder and all folders below it, except hidden ones.
fn folders_below(dir: &Path) -> Vec<PathBuf> {
    let mut found = vec![dir.to_owned()];
    for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
        let hidden = entry.file_name().to_string_lossy().starts_with('.');
        if !hidden && entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            found.extend(folders_below(&entry.path()));
        }
    }
    found
}
