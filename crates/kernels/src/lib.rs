//! The numeric core: matmul, fused forward/backward pieces, threads. Knows nothing of models.
