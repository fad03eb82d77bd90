//! A model laid out to be run many times.

use crate::{Adapter, Folder, Network, Pack, PackedWeights, Tokenizer};
use kernels::matmul::Products;
use kernels::rope::Table;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Positions that rotary tables are made for at most: some models state millions, which no CPU gets to.
const MOST_POSITIONS: usize = 1 << 17;

/// A model with its matrices laid out for products, and perhaps an adapter. Clones, and runners with other adapters, share
/// the base.
#[derive(Clone)]
pub struct Runner {
    base: Arc<Base>,
    adapter: Option<Arc<Adapter>>,
    id: u64,
}

struct Base {
    folder: Arc<Folder>,
    packed: PackedWeights,
    rope: Table,
}

impl Runner {
    /// Lays a model out, on so many threads.
    pub fn new(folder: Arc<Folder>, threads: usize) -> Runner {
        let mut packed = PackedWeights::default();
        packed.pack(&folder.config, &folder.weights, Products::f32(), Pack::Forward, threads);
        let rope = Network::rope_table(&folder.config, folder.config.max_positions.min(MOST_POSITIONS));
        Runner { base: Arc::new(Base { folder, packed, rope }), adapter: None, id: Runner::next_id() }
    }

    /// The same base with another adapter, which must be one of its shape.
    pub fn with_adapter(&self, adapter: Adapter) -> Runner {
        Runner { base: self.base.clone(), adapter: Some(Arc::new(adapter)), id: Runner::next_id() }
    }

    fn next_id() -> u64 {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        NEXT.fetch_add(1, Ordering::Relaxed)
    }

    /// The base model.
    pub fn folder(&self) -> &Folder {
        &self.base.folder
    }

    /// The most tokens that a text can have.
    pub fn positions(&self) -> usize {
        self.base.rope.len()
    }

    /// Memory of the base's weights, in bytes: as they were read, and as they are laid out.
    pub fn bytes(&self) -> u64 {
        size_of_val(&self.folder().weights.flat[..]) as u64 + self.base.packed.held_bytes()
    }

    /// What tells this model from every other.
    pub(super) fn id(&self) -> u64 {
        self.id
    }

    /// The network, on one thread.
    pub(crate) fn network(&self) -> Network<'_> {
        let folder = self.folder();
        Network {
            packed: Some(&self.base.packed),
            ..folder.network(self.adapter.as_deref(), &self.base.rope)
        }
    }
}

impl AsRef<Tokenizer> for Runner {
    fn as_ref(&self) -> &Tokenizer {
        &self.folder().tokenizer
    }
}

impl std::fmt::Debug for Runner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Runner").field("id", &self.id).field("adapter", &self.adapter.is_some()).finish()
    }
}
