//! Pages that texts with the same beginning share, kept after their texts have ended while there is room.

use super::cache::Page;
use kernels::attention::PAGE;
use std::collections::HashMap;
use std::sync::Arc;

/// A page is found by the page before it and its own tokens, so that what is found is exactly what is looked for.
type Key = (u64, Box<[u32]>);

/// The pages of beginnings.
#[derive(Debug, Default)]
pub(super) struct Prefixes {
    pages: HashMap<Key, Kept>,
    /// Counts uses: larger is more recent.
    clock: u64,
    next: u64,
}

#[derive(Debug)]
struct Kept {
    id: u64,
    page: Page,
    used: u64,
}

/// How far a text's pages are kept: the last one, and how many.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    last: u64,
    pub pages: usize,
}

impl Place {
    /// Before a text of the model with this id.
    pub fn start(model: u64) -> Place {
        // Ids of models and of pages are counted apart; the highest bit tells them.
        Place { last: model | 1 << 63, pages: 0 }
    }
}

impl Prefixes {
    /// The longest kept beginning of a text: its pages, and its place.
    pub fn find(&mut self, model: u64, tokens: &[u32]) -> (Vec<Page>, Place) {
        let (mut found, mut place, mut keys) = (Vec::new(), Place::start(model), Vec::new());
        for page in tokens.chunks_exact(PAGE) {
            let key: Key = (place.last, page.into());
            let Some(kept) = self.pages.get(&key) else { break };
            found.push(kept.page.clone());
            place = Place { last: kept.id, pages: place.pages + 1 };
            keys.push(key);
        }
        // From the end, so that no page is older than those after it: they could not be found without it.
        for key in keys.iter().rev() {
            self.clock += 1;
            if let Some(kept) = self.pages.get_mut(key) {
                kept.used = self.clock;
            }
        }
        (found, place)
    }

    /// Keeps the pages of a text that are full and not kept yet.
    pub fn keep(&mut self, place: &mut Place, tokens: &[u32], pages: &[Page]) {
        let new = tokens.chunks_exact(PAGE).zip(pages).skip(place.pages);
        // As in `find`: no page is older than those after it.
        let mut used = self.clock + new.len() as u64;
        self.clock = used;
        for (tokens, page) in new {
            let next = self.next;
            let kept = self.pages.entry((place.last, tokens.into())).or_insert_with(|| {
                self.next += 1;
                Kept { id: next, page: page.clone(), used }
            });
            used -= 1;
            *place = Place { last: kept.id, pages: place.pages + 1 };
        }
    }

    /// Memory of the pages that no text under way has.
    pub fn idle_bytes(&self) -> u64 {
        self.pages.values().filter(|kept| kept.is_idle()).map(|kept| bytes(&kept.page)).sum()
    }

    /// Forgets the pages that were not used for longest, of those that no text under way has, until `wanted` bytes are
    /// free or none is left.
    pub fn forget(&mut self, wanted: u64) {
        let mut idle: Vec<(u64, Key, u64)> = self
            .pages
            .iter()
            .filter(|(_, kept)| kept.is_idle())
            .map(|(key, kept)| (kept.used, key.clone(), bytes(&kept.page)))
            .collect();
        idle.sort_unstable_by_key(|(used, ..)| *used);
        let mut freed = 0;
        for (_, key, bytes) in idle {
            if freed >= wanted {
                break;
            }
            self.pages.remove(&key);
            freed += bytes;
        }
    }
}

impl Kept {
    fn is_idle(&self) -> bool {
        Arc::strong_count(&self.page) == 1
    }
}

fn bytes(page: &Page) -> u64 {
    size_of_val(&page[..]) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page() -> Page {
        Arc::new(vec![0f32; 8])
    }

    fn tokens(pages: &[u32]) -> Vec<u32> {
        pages.iter().flat_map(|page| vec![*page; PAGE]).collect()
    }

    #[test]
    fn beginnings_are_found_page_by_page_and_model_by_model() {
        let mut prefixes = Prefixes::default();
        let mut place = Place::start(1);
        prefixes.keep(&mut place, &tokens(&[1, 2, 3]), &[page(), page(), page()]);
        let found =
            |prefixes: &mut Prefixes, model, pages: &[u32]| prefixes.find(model, &tokens(pages)).0.len();
        assert_eq!(found(&mut prefixes, 1, &[1, 2, 3, 4]), 3);
        assert_eq!(found(&mut prefixes, 1, &[1, 2, 4]), 2);
        assert_eq!(
            found(&mut prefixes, 1, &[2, 3]),
            0,
            "the same page after another beginning is another page"
        );
        assert_eq!(found(&mut prefixes, 2, &[1, 2]), 0, "of another model");
        // A text that began alike and was computed apart keeps what is there.
        let (_, mut place) = prefixes.find(1, &tokens(&[1]));
        prefixes.keep(&mut place, &tokens(&[1, 2, 9]), &[page(), page(), page()]);
        assert_eq!(prefixes.pages.len(), 4);
    }

    #[test]
    fn what_was_not_used_for_longest_is_forgotten_first_and_nothing_in_use() {
        let mut prefixes = Prefixes::default();
        let held = page();
        prefixes.keep(&mut Place::start(1), &tokens(&[1, 2]), &[page(), page()]);
        prefixes.keep(&mut Place::start(1), &tokens(&[3]), std::slice::from_ref(&held));
        prefixes.keep(&mut Place::start(1), &tokens(&[4]), &[page()]);
        prefixes.find(1, &tokens(&[1, 2]));
        assert_eq!(prefixes.idle_bytes(), 3 * 32);
        prefixes.forget(1);
        assert!(prefixes.find(1, &tokens(&[4])).0.is_empty());
        assert_eq!(prefixes.find(1, &tokens(&[1, 2])).0.len(), 2);
        prefixes.forget(1);
        assert_eq!(prefixes.find(1, &tokens(&[1, 2])).0.len(), 1, "the end of a beginning goes first");
        prefixes.forget(1000);
        assert_eq!((prefixes.pages.len(), prefixes.idle_bytes()), (1, 0));
    }
}
