//! Atomic files, hashes, manifests, locks.
