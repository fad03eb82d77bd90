//! The experiment file, arms and controls, the stage graph, run and resume, findings.
