//! An OCI registry inside the test process, written from the distribution spec alone.
//!
//! It shares no code with the library under test, so that a wrong digest or a misread reference cannot hide on both
//! sides. A [`Registry`] listens on 127.0.0.1, behaves well until told otherwise, and remembers every request:
//!
//! ```
//! use std::io::{Read, Write};
//! use std::net::TcpStream;
//!
//! use oci_chart_testkit::{Class, Fault, Registry};
//!
//! fn get(host: &str, path: &str) -> std::io::Result<String> {
//!     let mut stream = TcpStream::connect(host)?;
//!     write!(stream, "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n")?;
//!     let mut answer = String::new();
//!     stream.read_to_string(&mut answer)?;
//!     Ok(answer)
//! }
//!
//! # fn main() -> std::io::Result<()> {
//! let registry = Registry::builder().page_size(1).start_blocking()?;
//! registry.put_manifest("charts/web", "1.0.0", "application/vnd.oci.image.manifest.v1+json", "{}")?;
//!
//! assert!(get(registry.host(), "/v2/charts/web/tags/list")?.ends_with(r#"{"name":"charts/web","tags":["1.0.0"]}"#));
//!
//! registry.script().once("GET", "/v2/*/tags/list", Fault::too_many_requests("1"));
//! assert!(get(registry.host(), "/v2/charts/web/tags/list")?.starts_with("HTTP/1.1 429 "));
//! assert_eq!(registry.log().count_class(Class::Tags), 2);
//! # Ok(())
//! # }
//! ```
//!
//! - [`Builder`]: switches for what registries do differently: credentials, missing features, quirks.
//! - [`Profile`] and [`Quirk`]: real registries by name, and what each does that the specification does not.
//! - [`Script`]: faults for chosen requests, from a status to a connection cut at byte n.
//! - [`Relay`]: a relay in front of any server, real ones too: latency, cuts, resets, silence, wrong bytes.
//! - [`Log`]: requests, bytes, connections, concurrency, depth of round trips. Secrets never get there.
//! - [`Hostile`]: another registry, which lies, flips tags, floods and never ends.
//! - [`Bearer`] and [`Tokens`]: the token server and its audit.
//!
//! Blobs above 1 MiB live in temporary files, so that tests of large transfers can bound the memory of the process
//! the registry shares with them. Other languages start the `serve` binary.

mod hostile;
mod log;
mod options;
mod profile;
mod quirk;
pub mod raw;
mod registry;
mod relay;
mod script;
mod tls;
mod token;

pub use crate::hostile::{Hostile, Lie, Listing};
pub use crate::log::{Class, Exchange, Log, Origin};
pub use crate::options::{Builder, Mounts, Redirect};
pub use crate::profile::Profile;
pub use crate::quirk::{Bite, Quirk};
pub use crate::registry::{Registry, StoredManifest};
pub use crate::relay::{Counts, Mishap, Relay, RelayBuilder, Way};
pub use crate::script::{Fault, Rule, Script};
pub use crate::tls::Tls;
pub use crate::token::{Access, Bearer, Signer, TokenField, TokenRequest, Tokens};
