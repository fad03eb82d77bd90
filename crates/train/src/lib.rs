//! Packing, masks, optimizer, schedule, checkpoints; the native engine.
