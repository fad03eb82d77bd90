//! Where pipelines put what they make: the ledger, or a test's memory.

use std::sync::{Mutex, PoisonError};

use ledger::{Item, Ledger, LedgerError, Node};

/// Takes nodes and items, in any order; what is put at the same place takes the place of what was there.
pub trait Record: Send + Sync {
    /// Puts a node.
    fn node(&self, node: Node) -> impl Future<Output = Result<(), LedgerError>> + Send;
    /// Puts an item.
    fn item(&self, item: Item) -> impl Future<Output = Result<(), LedgerError>> + Send;
    /// Waits until all that was put is durable.
    fn flush(&self) -> impl Future<Output = Result<(), LedgerError>> + Send;
    /// One item, as it was put; used after [`Record::flush`].
    fn find(&self, corpus: &str, path: &str) -> Result<Option<Item>, LedgerError>;
}

impl Record for Ledger {
    async fn node(&self, node: Node) -> Result<(), LedgerError> {
        self.put_node(node).await
    }

    async fn item(&self, item: Item) -> Result<(), LedgerError> {
        self.put_item(item).await
    }

    async fn flush(&self) -> Result<(), LedgerError> {
        Ledger::flush(self).await
    }

    fn find(&self, corpus: &str, path: &str) -> Result<Option<Item>, LedgerError> {
        Ledger::item(self, corpus, path)
    }
}

/// In memory, for tests.
#[derive(Debug, Default)]
pub struct Memory {
    nodes: Mutex<Vec<Node>>,
    items: Mutex<Vec<Item>>,
}

impl Memory {
    /// All nodes, by corpus, path and kind.
    pub fn nodes(&self) -> Vec<Node> {
        let mut nodes = self.nodes.lock().unwrap_or_else(PoisonError::into_inner).clone();
        nodes.sort_by(|a, b| (&a.corpus, &a.path, &a.kind).cmp(&(&b.corpus, &b.path, &b.kind)));
        nodes
    }

    /// All items, by corpus and path.
    pub fn items(&self) -> Vec<Item> {
        let mut items = self.items.lock().unwrap_or_else(PoisonError::into_inner).clone();
        items.sort_by(|a, b| (&a.corpus, &a.path).cmp(&(&b.corpus, &b.path)));
        items
    }
}

impl Record for Memory {
    async fn node(&self, node: Node) -> Result<(), LedgerError> {
        let mut nodes = self.nodes.lock().unwrap_or_else(PoisonError::into_inner);
        nodes.retain(|old| (&old.corpus, &old.path, &old.kind) != (&node.corpus, &node.path, &node.kind));
        nodes.push(node);
        Ok(())
    }

    async fn item(&self, item: Item) -> Result<(), LedgerError> {
        let mut items = self.items.lock().unwrap_or_else(PoisonError::into_inner);
        items.retain(|old| (&old.corpus, &old.path) != (&item.corpus, &item.path));
        items.push(item);
        Ok(())
    }

    async fn flush(&self) -> Result<(), LedgerError> {
        Ok(())
    }

    fn find(&self, corpus: &str, path: &str) -> Result<Option<Item>, LedgerError> {
        let items = self.items.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(items.iter().find(|item| item.corpus == corpus && item.path == path).cloned())
    }
}
