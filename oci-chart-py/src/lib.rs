//! The native half of the Python package `oci_chart`: one file per noun, no policy. Types and documentation for Python's
//! readers are in `python/oci_chart`.

#![allow(clippy::needless_pass_by_value, reason = "what a function takes from Python is its own")]

use pyo3::prelude::*;

#[cfg(not(panic = "unwind"))]
compile_error!("panics must unwind, so that they become exceptions");

mod argument;
mod call;
mod chart;
mod client;
mod convert;
mod errors;
mod keys;
mod logging;
mod login;
mod options;
mod pgp;
mod store;
mod trust;
mod values;
mod verify;

/// Everything here is reached through the package `oci_chart`.
#[pymodule]
mod _native {
    #[pymodule_export]
    use super::{
        chart::{Chart, Package},
        client::{ClientCore, delete, diagnose, metadata, pull, push, resolve, tag},
        errors::{error_kinds, words},
        keys::{PublicKey, Signer, SigningKey},
        login::{Credentials, PullSecret, login, login_status, logout, stored_logins},
        pgp::Keyring,
        store::{
            BlobReader, ReferrerIterator, RepositoryIterator, TagIterator, fetch_to, has, manifest,
            open_blob, referrers, repositories, store_content, tags,
        },
        trust::{Attachment, Attestation, PolicyCore, VerifiedCore},
        values::{CancelToken, Descriptor, Event, PullResult, PushResult, Reference, matches, version},
        verify::{
            attach, attest, examine, fetch_attachment, publish, pull_verified, sign, tree, verify,
            verify_attestation, verify_bundle, verify_subchart,
        },
    };

    #[cfg(debug_assertions)]
    #[pymodule_export]
    use super::errors::panics;
}
