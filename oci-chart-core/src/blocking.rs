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
#[cfg(feature = "sign")]
mod trust;

pub use client::Client;
#[cfg(feature = "registry")]
pub use host::HostCredentials;
pub use host::{Host, HostHandle};
pub use runtime::Runtime;
#[cfg(feature = "sign")]
pub use trust::HostSigner;
