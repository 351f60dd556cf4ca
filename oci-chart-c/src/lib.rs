//! The C library of oci-chart: `liboci_chart` and `oci_chart.h`.
//!
//! Thin by rule: a function here reads its arguments, calls the core, and hands the result out. What it means, and every decision, is the
//! core's. The header's first comment says the conventions; the modules [`guard`], [`ffi`] and [`error`] keep them for all functions.
//!
//! Safety: every `unsafe` function here trusts its caller to keep the header's conventions (pointers that are NULL or valid, texts that end with
//! NUL, no object used while it is freed), and nothing else.

#![allow(non_camel_case_types, reason = "these are C's names, and the header is made from them")]
#![allow(clippy::missing_safety_doc, reason = "the header's conventions say it once for all functions")]

#[cfg(not(panic = "unwind"))]
compile_error!("liboci_chart turns panics into errors at its border: build with panic = \"unwind\"");

mod ffi;
mod guard;
mod json;
mod options;
mod target;
mod work;

mod status;

mod error;

mod string;

mod version;

mod cancel;

mod call;

mod answer;

mod event;

mod request;

mod chart;

mod chart_files;

mod package;

mod client_options;

mod client;

mod names;

mod push;

mod pull;

mod repository;

mod list;

mod reader;

mod signer;

mod sign;

mod verified;

mod verify;

mod attach;

mod attest;

mod publication;

mod provenance;

mod login;

mod pull_secret;

mod cache;

#[cfg(feature = "testing")]
mod testing;

pub use answer::*;
pub use attach::*;
pub use attest::*;
pub use cache::*;
pub use call::*;
pub use cancel::*;
pub use chart::*;
pub use chart_files::*;
pub use client::*;
pub use client_options::*;
pub use error::*;
pub use event::*;
pub use list::*;
pub use login::*;
pub use names::*;
pub use package::*;
pub use provenance::*;
pub use publication::*;
pub use pull::*;
pub use pull_secret::*;
pub use push::*;
pub use reader::*;
pub use repository::*;
pub use request::*;
pub use sign::*;
pub use signer::*;
pub use status::*;
pub use string::*;
#[cfg(feature = "testing")]
pub use testing::*;
pub use verified::*;
pub use verify::*;
pub use version::*;
