//! Statistics: intervals, paired differences, bootstrap, adjustment. Pure and deterministic.
