//! The corpora of an experiment: generated, imported or cut from another; written once, read back, tokenised
//! once.
//!
//! A corpus's folder is named by its content, which is known only once it was made. So that a second run
//! need not make all corpora again, an index remembers which folder came from which inputs. It is a cache:
//! without it, or with a wrong entry, the corpora are made again and come out the same.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use corpus::{Budget, Corpus, CorpusError, Kind, Manifest, Request, Row};
use lab::{LabSpec, Stream};
use model::{Example, Folder};
use store::{Hash, IdBuilder};

use crate::corpora::{CorpusDef, Origin};
use crate::error::{ExperimentError, Result};
use crate::graph::CorpusKey;
use crate::paths::Paths;
use crate::validate::Experiment;

/// What is known about a corpus without reading it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// The name of its folder: the beginning of its id.
    pub folder: String,
    /// Hash of its rows.
    pub hash: Hash,
    /// Rows.
    pub rows: u64,
    /// Tokens, all of them counted.
    pub tokens: u64,
}

/// The corpora of an experiment.
pub struct Library<'a> {
    experiment: &'a Experiment,
    paths: Paths,
    /// Folder by hash of inputs, as on the disk and as extended since.
    index: Mutex<BTreeMap<String, String>>,
    /// For each corpus that a model writes, the id of what determines it.
    writings: BTreeMap<CorpusKey, String>,
    made: Mutex<BTreeMap<CorpusKey, Arc<Corpus>>>,
    tokenised: Mutex<BTreeMap<CorpusKey, Arc<Vec<Example>>>>,
}

/// Rows of a stream that stand for the code that makes it: a changed generator changes them.
const PROBE: u64 = 16;

/// The seed with which parts of written corpora are drawn: one for all, so that parts of twins have the same rows.
const DRAW: u64 = 0;

impl<'a> Library<'a> {
    /// Of an experiment.
    pub fn new(experiment: &'a Experiment, paths: &Paths) -> Library<'a> {
        // A damaged index is as good as none.
        let index = store::read_json(paths.corpus_index()).unwrap_or_default();
        Library {
            experiment,
            paths: paths.clone(),
            index: Mutex::new(index),
            writings: crate::write::ids(experiment),
            made: Mutex::default(),
            tokenised: Mutex::default(),
        }
    }

    /// What is known about a corpus, which is made (in memory) if it is not there.
    ///
    /// # Errors
    /// A file with a bad row, rows that the model cannot take.
    pub fn find_or_make(&self, key: &CorpusKey) -> Result<Summary> {
        if let Some((folder, manifest)) = self.find(key)? {
            return Ok(Summary { folder, hash: manifest.hash, rows: manifest.rows, tokens: manifest.tokens });
        }
        let corpus = self.corpus(key)?;
        let folder = corpus.id().short();
        Ok(Summary { folder, hash: corpus.hash(), rows: corpus.rows.len() as u64, tokens: corpus.tokens })
    }

    /// Writes a corpus unless it is on the disk.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, key: &CorpusKey) -> Result<()> {
        if self.find(key)?.is_some() {
            return Ok(());
        }
        let corpus = self.corpus(key)?;
        corpus.write(&self.paths.corpora())?;
        lock(&self.index).insert(self.inputs(key)?.to_string(), corpus.id().short());
        Ok(())
    }

    /// Whether a corpus that a model writes is there, whole.
    ///
    /// # Errors
    /// When its folder cannot be read.
    pub fn is_written(&self, key: &CorpusKey) -> Result<bool> {
        Ok(self.find(key)?.is_some())
    }

    /// The folder of a corpus that was written.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn folder_of(&self, key: &CorpusKey) -> Result<Option<String>> {
        Ok(self.find(key)?.map(|(folder, _)| folder))
    }

    /// Remembers the folder of a corpus that a model wrote.
    ///
    /// # Errors
    /// When the index cannot be written.
    pub fn written(&self, key: &CorpusKey, folder: &str) -> Result<()> {
        lock(&self.index).insert(self.inputs(key)?.to_string(), folder.to_owned());
        self.save_index()
    }

    /// Forgets the rows that were made: they are on the disk now.
    pub fn forget(&self) {
        lock(&self.made).clear();
    }

    /// Writes the index if it has grown.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn save_index(&self) -> Result<()> {
        let index = lock(&self.index);
        let path = self.paths.corpus_index();
        match store::read_json::<BTreeMap<String, String>>(&path) {
            Ok(present) if present == *index => Ok(()),
            _ => Ok(store::write_json(path, &*index)?),
        }
    }

    /// The training rows of a corpus.
    ///
    /// # Errors
    /// As [`Library::find_or_make`].
    pub fn examples(&self, key: &CorpusKey) -> Result<Arc<Vec<Example>>> {
        let known = || lock(&self.tokenised).get(key).cloned();
        if let Some(examples) = known() {
            return Ok(examples);
        }
        let corpus = self.corpus(key)?;
        // One that had to be made brought them with it.
        if let Some(examples) = known() {
            return Ok(examples);
        }
        let examples = Arc::new(corpus::tokenise(&corpus, &self.experiment.base.folder)?);
        lock(&self.tokenised).insert(key.clone(), examples.clone());
        Ok(examples)
    }

    /// A few rows for people to read.
    ///
    /// # Errors
    /// As [`Library::find_or_make`].
    pub fn samples(&self, key: &CorpusKey, count: usize) -> Result<Vec<String>> {
        Ok(self.corpus(key)?.samples(count))
    }

    /// The folder of a corpus that was written before.
    fn find(&self, key: &CorpusKey) -> Result<Option<(String, Manifest)>> {
        let inputs = self.inputs(key)?.to_string();
        let Some(folder) = lock(&self.index).get(&inputs).cloned() else { return Ok(None) };
        let manifest = Manifest::read(&self.folder(&folder))?;
        Ok(manifest.map(|manifest| (folder, manifest)))
    }

    fn folder(&self, name: &str) -> PathBuf {
        self.paths.corpora().join(name)
    }

    /// The corpus, from memory, from the disk, or made.
    fn corpus(&self, key: &CorpusKey) -> Result<Arc<Corpus>> {
        if let Some(corpus) = lock(&self.made).get(key) {
            return Ok(corpus.clone());
        }
        let corpus = match self.find(key)? {
            Some((folder, _)) => Corpus::load(&self.folder(&folder))?,
            None => {
                let (corpus, examples) = self.make(key)?;
                lock(&self.tokenised).insert(key.clone(), Arc::new(examples));
                corpus
            }
        };
        let corpus = Arc::new(corpus);
        lock(&self.made).insert(key.clone(), corpus.clone());
        Ok(corpus)
    }

    /// Makes a corpus, and its training rows with it: its budget is counted in their tokens.
    fn make(&self, key: &CorpusKey) -> Result<(Corpus, Vec<Example>)> {
        let definition = self.definition(key);
        let name = key.written();
        let mut tokeniser = Tokeniser::new(&name, &self.experiment.base.folder);
        let corpus = match &definition.origin {
            Origin::Lab(stream) => corpus::generate(
                &Request {
                    name: &name,
                    world: &self.experiment.world,
                    stream: *stream,
                    spec: self.spec(key, *stream),
                    mix: &self.experiment.corpora.why_mix,
                    seed: key.seed.unwrap_or_default(),
                    budget: Budget::Tokens(self.tokens(definition)),
                },
                |row| tokeniser.count(row),
            )?,
            Origin::File(_) => {
                let file = self.file(key, definition);
                let whole = corpus::import(&name, definition.kind, &file, |row| tokeniser.count(row))?;
                match definition.tokens {
                    Some(tokens) => whole.beginning(&name, tokens, |row| tokeniser.count(row))?,
                    None => whole,
                }
            }
            Origin::Derived(from) => {
                let whole = self.corpus(&CorpusKey { name: from.clone(), ..key.clone() })?;
                let mut part = Arc::unwrap_or_clone(whole);
                if definition.without_reasoning {
                    part = part.without_reasoning(&name, |row| tokeniser.count(row))?;
                }
                if self.is_drawn(definition) {
                    part = part.drawn(DRAW);
                }
                if let Some(rows) = definition.rows {
                    part = part.first(&name, rows, |row| tokeniser.count(row))?;
                }
                // Without a limit it is all of the other, under its own name.
                let limit = definition.tokens.or((part.name != name).then_some(part.tokens));
                match limit {
                    Some(tokens) => part.beginning(&name, tokens, |row| tokeniser.count(row))?,
                    None => part,
                }
            }
            Origin::Written(_) => return Err(ExperimentError::NotWritten { corpus: name }),
        };
        let examples = tokeniser.examples(&corpus)?;
        Ok((corpus, examples))
    }

    /// The hash of everything that a corpus is made from.
    fn inputs(&self, key: &CorpusKey) -> Result<Hash> {
        let definition = self.definition(key);
        let id = IdBuilder::new("corpus inputs")
            .text("name", &key.written())
            .text("kind", &definition.kind.to_string())
            // Its tokenizer counts the tokens.
            .hash("base", self.experiment.base.hash)
            .number("tokens", self.tokens(definition));
        Ok(match &definition.origin {
            Origin::Lab(stream) => {
                let (world, mix) = (&self.experiment.world, &self.experiment.corpora.why_mix);
                let spec = self.spec(key, *stream);
                let seed = key.seed.unwrap_or_default();
                let rows = (0..PROBE)
                    .filter_map(|row| world.row(*stream, spec.map(|(spec, _)| spec), mix, seed, row));
                let mut id = id
                    .text("stream", stream.name())
                    .number("world", world.seed)
                    .number("seed", seed)
                    .text("mix", &serde_json::to_string(mix).expect("shares are plain data"));
                if let Some((_, hash)) = spec {
                    id = id.hash("spec", hash);
                }
                rows.fold(id, |id, row| id.text("row", &row.text())).finish()
            }
            Origin::File(_) => id.hash("file", store::hash_file(self.file(key, definition))?).finish(),
            Origin::Derived(from) => {
                let source = CorpusKey { name: from.clone(), ..key.clone() };
                let mut id = id.hash("source", self.inputs(&source)?);
                // Named only where there are any, so that what was made before keeps its place.
                if definition.without_reasoning {
                    id = id.text("without", "reasoning");
                }
                if let Some(rows) = definition.rows {
                    id = id.number("rows", rows);
                }
                if self.is_drawn(definition) {
                    id = id.number("drawn", DRAW);
                }
                id.finish()
            }
            Origin::Written(_) => {
                let writing = self.writings.get(key).map(String::as_str).unwrap_or_default();
                id.text("writing", writing).finish()
            }
        })
    }

    /// Whether it is a part of a corpus that a model wrote subject by subject: its first rows would be about the first
    /// subjects only.
    fn is_drawn(&self, definition: &CorpusDef) -> bool {
        let Origin::Derived(from) = &definition.origin else { return false };
        let written = |def: &CorpusDef| matches!(def.origin, Origin::Written(_));
        let is_part = definition.rows.is_some() || definition.tokens.is_some();
        is_part && self.experiment.corpora.all.get(from).is_some_and(written)
    }

    fn definition(&self, key: &CorpusKey) -> &CorpusDef {
        &self.experiment.corpora.all[&key.name]
    }

    /// The spec that a stream of the lab needs: its own, or any for what all specs share.
    fn spec(&self, key: &CorpusKey, stream: Stream) -> Option<(&LabSpec, Hash)> {
        if !stream.explains() && !stream.uses_preferences() {
            return None;
        }
        let mut specs = self.experiment.specs.iter();
        let entry = match &key.spec {
            Some(name) => specs.find(|spec| spec.name == *name),
            None => specs.next(),
        }?;
        Some((entry.lab.as_ref()?, store::hash_bytes(entry.spec.text.as_bytes())))
    }

    fn file(&self, key: &CorpusKey, definition: &CorpusDef) -> PathBuf {
        let Origin::File(path) = &definition.origin else { return PathBuf::new() };
        self.experiment.dir.join(path.replace("{spec}", key.spec.as_deref().unwrap_or_default()))
    }

    /// The token budget: as the file says; 0 for no limit. Without a word of the file the lab writes one
    /// pass of the corpus's own recipe. The instruction mix is in all stages, so the common recipe counts
    /// for it: a changed recipe of one corpus then changes no other.
    fn tokens(&self, definition: &CorpusDef) -> u64 {
        let recipes = &self.experiment.recipes;
        let recipe = match definition.kind {
            Kind::Instructions => &recipes.common,
            _ => &recipes.of[&definition.name],
        };
        match (&definition.origin, definition.tokens) {
            (_, Some(tokens)) => tokens,
            (Origin::Lab(_), None) => recipe.steps * (recipe.rows * recipe.max_length) as u64,
            (_, None) => 0,
        }
    }
}

/// Turns rows into training rows, each only once.
struct Tokeniser<'a> {
    /// The corpus's name; for messages.
    name: &'a str,
    model: &'a Folder,
    /// Rows seen; for messages.
    row: usize,
    known: HashMap<Hash, Example>,
}

impl<'a> Tokeniser<'a> {
    fn new(name: &'a str, model: &'a Folder) -> Tokeniser<'a> {
        Tokeniser { name, model, row: 0, known: HashMap::new() }
    }

    /// How many tokens a row is to the model.
    fn count(&mut self, row: &Row) -> corpus::Result<usize> {
        self.row += 1;
        Ok(self.example(row)?.tokens.len())
    }

    fn example(&mut self, row: &Row) -> corpus::Result<&Example> {
        match self.known.entry(row.hash()) {
            Entry::Occupied(known) => Ok(known.into_mut()),
            Entry::Vacant(new) => {
                let name = || self.name.to_owned();
                let example = corpus::tokenise_row(row, self.model);
                let example =
                    example.map_err(|source| CorpusError::Row { name: name(), row: self.row, source })?;
                Ok(new.insert(example))
            }
        }
    }

    /// The training rows of a corpus whose rows were counted.
    fn examples(&mut self, corpus: &Corpus) -> corpus::Result<Vec<Example>> {
        corpus.rows.iter().map(|row| self.example(row).cloned()).collect()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
