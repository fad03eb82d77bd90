//! The models that can be asked for, by name, and those that are loaded.

use model::{Adapter, Folder, ModelError, Runner};
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use store::Hash;
use tokio::sync::OnceCell;

/// Where a model is.
#[derive(Clone)]
pub enum Source {
    /// A folder with the whole of it.
    Folder(PathBuf),
    /// In memory.
    Here(Arc<Folder>),
    /// An adapter of the model `base` of the catalogue, and the folder with the two merged, for the case that the adapter was
    /// trained on other weights than those.
    Adapter {
        /// The name of its base.
        base: String,
        /// The adapter's folder.
        adapter: PathBuf,
        /// The folder with the whole.
        merged: Option<PathBuf>,
    },
}

/// Models by name. Loads one when it is first asked for, and forgets those that were not asked for longest when memory is
/// short; whoever still uses one keeps it.
pub struct Catalogue {
    entries: BTreeMap<String, Source>,
    /// As they were given: the first is what a client without a wish gets to see first.
    order: Vec<String>,
    threads: usize,
    model_bytes: u64,
    loaded: Mutex<Loaded>,
}

#[derive(Default)]
struct Loaded {
    clock: u64,
    models: HashMap<String, Arc<Slot>>,
    used: HashMap<String, u64>,
}

type Slot = OnceCell<Ready>;

/// A loaded model.
#[derive(Clone)]
pub struct Ready {
    /// What runs it.
    pub runner: Runner,
    /// The hash of its base's weights, and of what else makes it what it is, for whoever compares answers.
    pub fingerprint: Hash,
    /// Whether its weights are its own, not those of another entry.
    owns_weights: bool,
}

/// Why a model cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum CatalogueError {
    /// There is none of this name.
    #[error("the model `{0}` does not exist; GET /v1/models lists those that do")]
    Unknown(String),
    /// It cannot be loaded.
    #[error("the model `{name}` cannot be loaded: {source}")]
    Load {
        /// Its name.
        name: String,
        /// Why.
        source: Arc<ModelError>,
    },
    /// Loading it failed in a way that it should not.
    #[error("the model `{0}` cannot be loaded: the loader failed")]
    Failed(String),
}

impl Catalogue {
    /// Of models in an order; of two with one name the first counts.
    pub fn new(models: Vec<(String, Source)>, threads: usize, model_bytes: u64) -> Catalogue {
        let (mut entries, mut order) = (BTreeMap::new(), Vec::new());
        for (name, source) in models {
            if let Entry::Vacant(place) = entries.entry(name) {
                order.push(place.key().clone());
                place.insert(source);
            }
        }
        Catalogue { entries, order, threads, model_bytes, loaded: Mutex::default() }
    }

    /// The names, in their order.
    pub fn names(&self) -> &[String] {
        &self.order
    }

    /// Whether there is a model of this name.
    pub fn has(&self, name: &str) -> bool {
        self.entries.contains_key(name)
    }

    /// A model, loaded.
    ///
    /// # Errors
    /// When there is none of this name, or it cannot be loaded.
    pub async fn get(self: &Arc<Self>, name: &str) -> Result<Ready, CatalogueError> {
        if !self.has(name) {
            return Err(CatalogueError::Unknown(name.to_owned()));
        }
        let slot = self.slot(name);
        let ready = slot.get_or_try_init(|| self.load(name)).await?.clone();
        self.make_room(name);
        Ok(ready)
    }

    /// As [`Catalogue::get`], for whoever knows nothing of futures.
    ///
    /// # Errors
    /// As [`Catalogue::get`].
    pub fn open(self: &Arc<Self>, name: &str) -> Result<Ready, CatalogueError> {
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        let runtime = runtime.map_err(|_| CatalogueError::Failed(name.to_owned()))?;
        runtime.block_on(self.get(name))
    }

    fn slot(&self, name: &str) -> Arc<Slot> {
        let mut loaded = self.lock();
        loaded.clock += 1;
        let now = loaded.clock;
        loaded.used.insert(name.to_owned(), now);
        loaded.models.entry(name.to_owned()).or_default().clone()
    }

    async fn load(self: &Arc<Self>, name: &str) -> Result<Ready, CatalogueError> {
        let base = match &self.entries[name] {
            // A base is a whole model: this goes one level deep.
            Source::Adapter { base, .. } if self.has(base) => Some(Box::pin(self.get(base)).await?),
            _ => None,
        };
        let (own, source, threads) = (name.to_owned(), self.entries[name].clone(), self.threads);
        let loading = tokio::task::spawn_blocking(move || load(&source, base, threads));
        let failed = |_| CatalogueError::Failed(name.to_owned());
        loading.await.map_err(failed)?.map_err(|e| CatalogueError::Load { name: own, source: Arc::new(e) })
    }

    /// Forgets models until those that are left fit, but not the one asked for now.
    fn make_room(&self, asked: &str) {
        let mut loaded = self.lock();
        loop {
            let bytes = |slot: &Arc<Slot>| {
                slot.get().filter(|ready| ready.owns_weights).map_or(0, |ready| ready.runner.bytes())
            };
            let total: u64 = loaded.models.values().map(bytes).sum();
            let used = &loaded.used;
            let others = loaded.models.iter().filter(|(name, slot)| *name != asked && bytes(slot) > 0);
            let oldest = others.min_by_key(|(name, _)| used.get(*name)).map(|(name, _)| name.clone());
            match oldest.filter(|_| total > self.model_bytes) {
                Some(name) => {
                    loaded.models.remove(&name);
                    // Its adapters hold on to its weights.
                    let base_of = |of: &String| matches!(&self.entries[of], Source::Adapter { base, .. } if *base == name);
                    loaded.models.retain(|of, _| of == asked || !base_of(of));
                }
                None => return,
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Loaded> {
        self.loaded.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn load(source: &Source, base: Option<Ready>, threads: usize) -> Result<Ready, ModelError> {
    let whole = |folder: Arc<Folder>| {
        let fingerprint = folder.weights.hash();
        Ready { runner: Runner::new(folder, threads), fingerprint, owns_weights: true }
    };
    match source {
        Source::Folder(path) => Ok(whole(Arc::new(Folder::load(path)?))),
        Source::Here(folder) => Ok(whole(folder.clone())),
        Source::Adapter { adapter, merged, base: name } => {
            if let Some(base) = base {
                let (loaded, trained_on) = Adapter::load(adapter, &base.runner.folder().config)?;
                if trained_on.is_none_or(|hash| hash == base.fingerprint) {
                    let bytes: Vec<u8> = loaded.flat.iter().flat_map(|x| x.to_le_bytes()).collect();
                    let id = store::IdBuilder::new("adapted").hash("base", base.fingerprint);
                    let fingerprint = id.hash("adapter", store::hash_bytes(&bytes)).finish();
                    return Ok(Ready {
                        runner: base.runner.with_adapter(loaded),
                        fingerprint,
                        owns_weights: false,
                    });
                }
            }
            match merged {
                Some(path) => Ok(whole(Arc::new(Folder::load(path)?))),
                None => Err(ModelError::Invalid {
                    path: adapter.clone(),
                    message: format!("the adapter was trained on other weights than those of `{name}`"),
                }),
            }
        }
    }
}
