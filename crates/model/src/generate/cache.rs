//! What a network remembers of a text: the keys and values of its tokens, in pages that texts can share.

use crate::Config;
use kernels::attention::{PAGE, page_len};
use std::sync::Arc;

/// The keys and values of one page of tokens, all layers, one after the other.
pub(crate) type Page = Arc<Vec<f32>>;

/// The keys and values of the tokens of one text so far. A clone shares its pages; one that is written to is copied first.
#[derive(Clone, Debug, Default)]
pub struct Cache {
    pub(crate) pages: Vec<Page>,
    pub(crate) len: usize,
}

impl Cache {
    /// Of no tokens yet.
    pub fn new() -> Cache {
        Cache::default()
    }

    /// Tokens remembered.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether nothing is remembered.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Makes room for `new` tokens and gives the pages that they go to, with the index of the first of them.
    pub(crate) fn room(&mut self, config: &Config, new: usize) -> (&mut [Page], usize) {
        let pages = (self.len + new).div_ceil(PAGE);
        let numbers = page_numbers(config);
        self.pages.resize_with(pages.max(self.pages.len()), || Arc::new(vec![0f32; numbers]));
        let first = self.len / PAGE;
        (&mut self.pages[first..pages], first)
    }
}

/// Numbers of a page, all layers.
fn page_numbers(config: &Config) -> usize {
    config.layers * page_len(config.attention())
}

/// Memory of the keys and values of so many tokens, in bytes.
pub(crate) fn bytes(config: &Config, tokens: usize) -> u64 {
    (tokens.div_ceil(PAGE) * page_numbers(config) * size_of::<f32>()) as u64
}
