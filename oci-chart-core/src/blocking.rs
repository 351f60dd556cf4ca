//! The same for callers that wait: an own runtime, a wait that can be interrupted, and callbacks on the caller's thread.
//!
//! Python, C and plain Rust programs call [`Runtime::wait`], mostly through [`Client`]. It never enters the caller's thread into a
//! runtime, so calling it from inside another runtime's thread blocks that thread, but cannot panic.

mod client;
mod host;
#[cfg(feature = "registry")]
mod login;
mod mailbox;
mod runtime;
mod stream;
#[cfg(feature = "sign")]
mod trust;

pub use client::Client;
pub use host::{Host, HostHandle};
#[cfg(feature = "registry")]
pub use host::{HostCredentials, HostLog};
pub use runtime::Runtime;
pub use stream::{BlobReader, Items};
#[cfg(feature = "sign")]
pub use trust::HostSigner;
