//! One test binary: linking is the slow part.

mod ignore_vectors;
mod support;
