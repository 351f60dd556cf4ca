//! Helm charts as OCI artifacts: package, push, pull and verify, byte for byte.

#[cfg(panic = "abort")]
compile_error!("oci-chart turns panics into errors at its borders: build with panic = \"unwind\"");

// Layer 0: values that everything else is made of.
pub mod content;
pub mod context;
pub mod digest;
pub mod error;
mod limits;
mod platform;
mod redact;

// Layer 1: names and texts.
mod json;
pub mod name;
pub mod yaml;

// Layer 2: charts, without any network.
pub mod chart;

// Layer 3: OCI values.
pub mod oci;

// Layer 4: HTTP, and who is asking.
#[cfg(feature = "registry")]
pub mod auth;
#[cfg(feature = "registry")]
mod http;

// Layer 5: stores.
pub mod store;

// Layers 6 to 8: verbs, the client that opens stores, and both for callers that wait.
#[cfg(feature = "blocking")]
pub mod blocking;
mod client;
pub mod transfer;

pub use chart::{Chart, Package};
pub use client::{Client, ClientBuilder};
pub use content::Content;
pub use context::{CancelToken, Context, Event};
pub use digest::Digest;
pub use error::{Error, ErrorKind, Reason, Result};
pub use limits::Limits;
pub use name::Location;
pub use oci::ChartArtifact;
pub use redact::{RedactedUrl, Secret};
pub use store::Store;
