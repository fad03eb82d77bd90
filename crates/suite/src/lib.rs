//! Evaluation suites as data.
