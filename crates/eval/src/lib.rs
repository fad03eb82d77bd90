//! Scorers and Inspect-compatible logs.
