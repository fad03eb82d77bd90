//! Plans of documents, and documents.

mod plan;
mod voice;
mod write;

pub(super) use plan::{assertions, domains, ideas, ids, pen, share, subdomains, types};
pub(super) use write::write;
