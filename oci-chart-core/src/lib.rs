//! Helm charts as OCI artifacts: package, push, pull and verify, byte for byte as Helm 4.2 reads and writes them.
//!
//! You hold a value; its type tells which step you are in; every step takes one type and gives the next.
//!
//! ```text
//!  directory --load--> Chart --package--> Package --describe--> ChartArtifact
//!                                                                   | push
//!                                                                   v
//!                Store: Memory | Layout (oci-layout:DIR) | Repository (oci://host/path)
//!                                                                   | pull
//!                                                                   v
//!  directory <--unpack-- Package <----------------------------------+
//! ```
//!
//! # Loading and packaging
//!
//! Neither needs a network, a runtime or a home directory. The same tree gives the same bytes on every machine and every day: times are
//! one constant, `SOURCE_DATE_EPOCH`, or the caller's.
//!
//! ```
//! use oci_chart_core::{Chart, chart::{LoadOptions, PackageOptions}};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let directory = tempfile::tempdir()?;
//! # std::fs::write(directory.path().join("Chart.yaml"), "apiVersion: v2\nname: web\nversion: 1.2.3\n")?;
//! let chart = Chart::from_dir(directory.path(), &LoadOptions::default())?;
//! let package = chart.package(&PackageOptions::default().with_version("1.2.4-rc.1"))?;
//! assert_eq!(package.file_name()?, "web-1.2.4-rc.1.tgz");
//! # Ok(())
//! # }
//! ```
//!
//! # Pushing and pulling
//!
//! A [`Store`] is one repository, wherever it is; [`Client::open`] makes one of a [`Location`]. Verbs are in [`transfer`]; each takes a
//! [`Context`] for events and cancellation. What must not be overwritten is not: the default of a push is [`store::TagMode::Create`].
//!
//! ```
//! use oci_chart_core::{
//!     Chart, ChartArtifact, Client, Context,
//!     chart::{LoadOptions, PackageOptions},
//!     name::Selector,
//!     oci::ArtifactOptions,
//!     transfer::{self, PullOptions, PushOptions},
//! };
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let directory = tempfile::tempdir()?;
//! # std::fs::write(directory.path().join("Chart.yaml"), "apiVersion: v2\nname: web\nversion: 1.2.3\n")?;
//! # let runtime = tokio::runtime::Builder::new_current_thread().build()?;
//! # runtime.block_on(async {
//! let package = Chart::from_dir(directory.path(), &LoadOptions::default())?.package(&PackageOptions::default())?;
//! let artifact = ChartArtifact::new(package, &ArtifactOptions::default())?;
//!
//! let (cx, client) = (Context::default(), Client::builder().build()?);
//! let location = format!("oci-layout:{}/charts", directory.path().display()).parse()?; // or oci://registry.example/charts/web
//! let store = client.open(&location)?;
//! let pushed = transfer::push(&cx, &artifact, &store, &PushOptions::default()).await?;
//!
//! let newest = Selector::for_version("^1.2")?;
//! let pulled = transfer::pull(&cx, &store, &newest, &PullOptions::without_verification()).await?;
//! assert_eq!(pulled.descriptor, pushed.descriptor);
//! pulled.package.unpack(directory.path())?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })
//! # }
//! ```
//!
//! # Logins
//!
//! A client is anonymous until it is given credentials: by a closure, by host, out of a pull secret, or from where Helm, docker and podman
//! keep theirs (`ClientBuilder::stored_logins`), one behind the other as wanted (`auth::Chain`). `Client::login` asks the registry first and
//! then keeps the login where those programs find it; `Client::logout` takes it away. Tokens are fetched once, for all that an operation needs,
//! and renewed before they end. A login that is refused is an error with the reason `stale-credential` that names its file, key or helper; where there is
//! none, `no-credentials` names the places that were searched.
//!
//! # Waiting
//!
//! `blocking::Client` has the same verbs for programs without a runtime. It waits on a runtime of its own, calls back on the calling
//! thread only, and can be stopped within 50 ms; inside another runtime it blocks, but cannot panic.
//!
//! # Networks
//!
//! `store::ConnectionOptions` says how registries are reached: plain HTTP, authorities, client certificates and pace by host, proxies, mirrors,
//! time-outs. What fails in passing is tried again (`store::RetryOptions`), where saying it twice is saying it once: reading, writing a
//! manifest, opening an upload. A download goes on from the byte where it broke off, by a range if the registry gives one and else by
//! passing over what is there, and its digest is that of all bytes. [`Event::Waiting`] tells each wait; [`Context::with_timeout`] bounds a call, and
//! a wait that would outlast it is not begun. Credentials never leave their origin: not by a redirect, not to a mirror, not to a token service over
//! a less safe connection. There are no cookies, nothing is decompressed on its way, and no body is read beyond its limit.
//!
//! # Errors
//!
//! One [`Error`] with a flat [`ErrorKind`] to act on, a stable [`Reason`] below it, the file, field, limit or digest as context, and a hint.
//! [`ErrorKind::ALL`] and [`Reason::ALL`] are the tables. Secrets are [`Secret`], URLs in messages are [`RedactedUrl`].
//!
//! # Limits
//!
//! Whatever comes from outside is read under [`Limits`]: Helm's where Helm has one. Blobs are checked against digest and size while they
//! stream; a transfer holds a few blocks of 256 KiB, and packages above 8 MiB lie in nameless temporary files.
//!
//! # Why not
//!
//! - **a crate for YAML?** Helm reads YAML 1.1 with quirks of its own; a reader that sees another chart than Helm does is a hole. [`yaml`] agrees
//!   with Helm's on what it accepts and what it makes of it, and never panics or recurses.
//! - **a reference type with `docker.io` and `latest`?** Nothing is invented here: a chart's address is what its writer wrote.
//! - **native TLS?** rustls with ring starts thirty times faster than OpenSSL reads its store, and there is nothing to install.
//!
//! # Features
//!
//! | feature | default | brings |
//! | --- | --- | --- |
//! | `registry` | yes | registries over HTTP: `store::Repository`, `auth` |
//! | `blocking` | yes | `blocking` |
//! | `sign` | yes | `trust`: signatures of keys, made and checked |
//! | `http2` | no | HTTP/2 where a registry offers it: one connection instead of two, half a megabyte of program |
//! | `cloud` | no | logins at Amazon ECR, Google's registries and Azure's: `auth::cloud` |
//! | `keyless` | no | signatures of identities and log entries, checked offline |
//! | `pgp` | no | `trust::pgp`: Helm provenance, signed and verified |
//!
//! Helm's rules are those of 4.2.4; where 3.x differs, the item says so. The minimum Rust version is 1.88.

#[cfg(panic = "abort")]
compile_error!("oci-chart turns panics into errors at its borders: build with panic = \"unwind\"");

// Layer 0: values that everything else is made of.
pub mod content;
pub mod context;
pub mod digest;
pub mod error;
mod limits;
mod platform;
mod process;
mod redact;

// Layer 1: names and texts.
mod json;
pub mod name;
pub mod yaml;

// Layer 2: charts, without any network.
pub mod chart;
pub mod kube;

// Layer 3: OCI values.
pub mod oci;

// Layer 4: HTTP, who is asking, and where work may block.
#[cfg(feature = "registry")]
pub mod auth;
#[cfg(feature = "registry")]
mod http;
mod threads;

// Layer 5: stores.
pub mod store;

// Layers 6 to 8: verbs, the client that opens stores, and both for callers that wait.
#[cfg(feature = "blocking")]
pub mod blocking;
mod client;
pub mod diagnose;
pub mod transfer;
#[cfg(feature = "sign")]
pub mod trust;

// The tests of its doors are those of the fuzz targets, which name the crate as others do.
#[cfg(all(test, feature = "registry"))]
extern crate self as oci_chart_core;
#[cfg(all(feature = "registry", any(test, fuzzing)))]
#[doc(hidden)]
pub mod fuzzing;

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
