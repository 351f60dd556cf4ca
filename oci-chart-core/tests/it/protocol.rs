//! The distribution protocol beyond the plain case: what registries do differently, and what breaks on the way.

mod answers;
mod hasty;
mod lists;
mod manifests;
mod mounts;
mod races;
mod referrers;
mod uploads;

use oci_chart_core::{
    Error, ErrorKind, Reason,
    auth::StaticCredentials,
    oci::{Descriptor, MediaType},
    store::{Blob, ConnectionOptions, Registries, Repository, RepositoryOptions, UploadMode},
};
use oci_chart_testkit::{Exchange, Registry};

use crate::remote::{host, open};

/// A repository whose blobs go in that way.
fn with_mode(registry: &Registry, mode: UploadMode) -> Repository {
    let connection = ConnectionOptions::default().with_plain_http(host(registry));
    let options = RepositoryOptions::default().with_uploads(host(registry), mode);
    let registries = Registries::with_options(connection, options, StaticCredentials::default()).unwrap();
    open(&registries, registry, "charts/web")
}

/// Bytes that differ from place to place, so that a piece in the wrong place is noticed.
fn bytes(len: usize) -> Vec<u8> {
    (0..len).map(|n| ((n as u32).wrapping_mul(2_654_435_761) >> 24) as u8).collect()
}

fn blob(len: usize) -> Blob {
    Blob::from_bytes(MediaType::from("text/plain"), bytes(len))
}

/// A manifest over nothing, different for each `n`.
fn manifest(n: u32, subject: Option<&Descriptor>) -> Blob {
    let subject = subject.map(|subject| {
        format!(
            r#","subject":{{"mediaType":"{}","digest":"{}","size":{}}}"#,
            subject.media_type, subject.digest, subject.size
        )
    });
    let text = format!(
        r#"{{"schemaVersion":2,"mediaType":"{}","artifactType":"application/vnd.example.{n}","layers":[]{}}}"#,
        MediaType::OCI_MANIFEST,
        subject.unwrap_or_default()
    );
    Blob::from_bytes(MediaType::OCI_MANIFEST, text)
}

/// Whether the registry has the blob, whole and right.
fn holds(registry: &Registry, blob: &Blob) -> bool {
    let digest = blob.descriptor().digest.to_string();
    registry.blob("charts/web", &digest).unwrap().as_ref() == blob.content().unwrap().as_bytes()
}

/// The methods of all requests so far.
fn methods(registry: &Registry) -> String {
    registry.log().entries().iter().map(|exchange| exchange.method.clone()).collect::<Vec<_>>().join(" ")
}

fn sent(registry: &Registry, wanted: impl Fn(&Exchange) -> bool) -> u64 {
    registry.log().entries().iter().filter(|one| wanted(one)).map(|one| one.bytes_in).sum()
}

fn found(error: &Error) -> (ErrorKind, Option<Reason>) {
    (error.kind(), error.reason())
}
