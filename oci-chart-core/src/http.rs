//! HTTP as registries need it: one client over `reqwest`, and the pure reading of what comes back in [`wire`].
//!
//! What is decided here, once: plain HTTP only for hosts that the caller named; redirects for reading only, and never
//! with credentials to another origin; no cookies, no transparent decompression (digests are of the bytes as stored);
//! every body bounded; every failure an [`Error`](crate::Error) whose URLs show no secret.
//!
//! [`HttpClient::send`] repeats by itself what is safe to say twice; a caller's own sequence of requests does it with
//! [`HttpClient::retry`]. Waits are told to the [`Context`](crate::Context) in whose name the task works.

mod body;
mod client;
mod clock;
mod failure;
mod gate;
mod judge;
mod log;
mod message;
mod options;
mod pool;
mod proxy;
mod redirect;
mod refusal;
mod retry;
mod setting;
mod tls;
pub(crate) mod wire;
mod witness;

pub(crate) use body::Body;
pub(crate) use client::HttpClient;
pub use clock::Clock;
pub use log::{LoggedRequest, RequestLog};
pub(crate) use message::{Redirects, Request, Response};
pub use options::{
    ClientCertificate, ConnectionOptions, HostOptions, Mirror, ProxyOptions, ProxyUrl, RegistriesYaml,
    RetryOptions,
};
pub(crate) use retry::{Repeat, Retry};
