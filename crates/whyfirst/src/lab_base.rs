//! The base model that ships with the program: the files of `assets/lab-base`, inside the binary.

use experiment::ShippedBase;

/// What `base = "lab"` means.
pub const SHIPPED: ShippedBase = ShippedBase { files: &[] };
