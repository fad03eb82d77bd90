//! The whyfirst command.
fn main() {}
