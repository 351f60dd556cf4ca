//! An OCI registry inside the test process, written from the distribution spec alone.
