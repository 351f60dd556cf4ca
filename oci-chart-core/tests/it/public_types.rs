//! Every public type may cross threads and, where its parts allow it, unwinding. Checked by the compiler; the test sees that none is
//! missing.

use std::{
    collections::BTreeSet,
    panic::{RefUnwindSafe, UnwindSafe},
    path::PathBuf,
};

use oci_chart_core::{
    auth::*, blocking, chart::*, content::*, context::*, digest::*, name::*, oci::*, store::*, transfer::*, *,
};

const fn crosses_threads<T: ?Sized + Send + Sync>() {}
const fn moves<T: Send>() {}
const fn crosses_unwinding<T: ?Sized + UnwindSafe + RefUnwindSafe>() {}

macro_rules! types {
    (safe: $($safe:ty,)* ; threads only: $($threads:ty,)* ; moves only: $($moves:ty,)*) => {
        const _: () = {
            $(crosses_threads::<$safe>(); crosses_unwinding::<$safe>();)*
            $(crosses_threads::<$threads>();)*
            $(moves::<$moves>();)*
        };
        const LISTED: &[&str] = &[$(stringify!($safe),)* $(stringify!($threads),)* $(stringify!($moves),)*];
    };
}

types! {
    safe:
    Limits, Secret, RedactedUrl, ErrorKind, Reason,
    Digest, Algorithm, Hasher, Verifier, ParseDigestError,
    Content, ContentReader, ContentWriter,
    CancelToken, Direction, Transfer, Event,
    ChartVersion, VersionReq, Tag, Host, RepositoryName, RepositoryAddress, BaseAddress, Reference, Location, Target, Selector,
    AvailableVersions, ParseVersionError, ParseVersionReqError, ParseTagError, ParseHostError, ParseRepositoryNameError,
    ParseBaseAddressError, ParseReferenceError, ParseLocationError, ParseTargetError, SelectError, SelectorError,
    yaml::Document, yaml::Node<'static>, yaml::Bounds, yaml::Kind, yaml::Position, yaml::ParseError, yaml::Fault, yaml::EmitError,
    Chart, ChartFile, ChartPath, ParsePathError, Metadata, Maintainer, Dependency, ImportValue, ImportSpec, FieldTypeError, Lock,
    IgnoreRules, IgnoreRule, IgnoreProblem, ParseIgnoreError, Invalid, ArchiveError, ArchiveFlaw, ArchiveFiles, ArchiveSummary,
    LoadOptions, Skipped, SkipReason, Package, PackageOptions, EntryTimes, PackagePreview, PreviewEntry, Timestamp,
    ParseTimestampError, Unpacked, Provenance, ProvenanceError, FileMatch, MetadataMatch,
    Descriptor, MediaType, Manifest, Index, ChartArtifact, ArtifactOptions, LayerOrder, ChartParts,
    TagMode, Side, Traits<'static>, Pushed, Memory, Layout, ConnectionOptions,
    RetryOptions, dyn Clock, HostOptions, Mirror, ProxyOptions, ProxyUrl, RegistriesYaml, ClientCertificate,
    Cache, CacheUsage, Capabilities, Feature, Support, LoggedRequest, RepositoryOptions, UploadMode,
    Credentials, CredentialKind, StaticCredentials, Audience<'static>, Challenge, LoginPlace, LoginOutcome, LogoutOutcome, LoginStatus,
    KnownLogin, PullSecretLogins,
    kube::PullSecret, kube::PullSecretError, kube::KeyRule,
    Action, PushOutcome, PushOptions, Pulled,
    trust::Policy, trust::KeyPolicy, trust::KeylessPolicy, trust::PgpPolicy, trust::TrustedKey, trust::Tlog, trust::Identity,
    trust::TrustRoot, trust::Format, trust::Evidence, trust::Requirement, trust::Candidate, trust::Outcome, trust::PolicyKind,
    trust::Verdict, trust::Unverified, trust::Verified<()>, trust::PublicKey, trust::KeyAlgorithm, trust::Signed, trust::SignatureTag,
    trust::pgp::PgpEvidence, trust::pgp::Fingerprint, trust::pgp::ParseFingerprintError, trust::pgp::KeyExpiry,
    trust::AttachOutcome, trust::Attached, trust::AttachedKind, trust::Attachment, trust::Place, trust::Tree,
    trust::Attestation, trust::AttestationPolicy, trust::PredicateType, trust::VerifiedAttestation,
    trust::BundleArtifact<'static>, trust::BundleProof, trust::BundleSigner, trust::Claim, trust::Pattern, trust::PatternError,
    trust::RootAge, trust::Published,
    blocking::HostSigner,
    diagnose::Diagnosis, diagnose::Finding, diagnose::Check, diagnose::Status,
    blocking::Runtime, blocking::HostCredentials, blocking::HostLog,
    ;
    // An error underneath is anybody's type, as in `std::io::Error`.
    threads only:
    Error,
    // A sink, store or source of the caller's may be in any state after a panic.
    Context, dyn EventSink, dyn Store, dyn CredentialSource, Chain, StoredLogins, LoginOptions, dyn RequestLog, Blob, Traced, Cached,
    PullOptions,
    dyn trust::Signer, trust::CallbackSigner, trust::SigningKey, trust::SignOptions, trust::VerifyOptions, trust::Guarded,
    trust::PublishOptions,
    // They own connections of an HTTP client that promises nothing here.
    Registries, Repository, Client, ClientBuilder, blocking::Client, blocking::HostHandle,
    ;
    // One thread at a time reads.
    moves only:
    blocking::BlobReader, blocking::Items<()>,
}

#[test]
fn no_public_type_is_missing() {
    let source: PathBuf = [env!("CARGO_MANIFEST_DIR"), "src"].iter().collect();
    let listed: BTreeSet<&str> = LISTED
        .iter()
        .map(|name| {
            name.rsplit("::").next().unwrap().trim_start_matches("dyn ").split('<').next().unwrap().trim()
        })
        .collect();
    let mut missing = Vec::new();
    for module in [
        "auth", "blocking", "chart", "content", "context", "diagnose", "digest", "error", "kube", "lib",
        "name", "oci", "store", "transfer", "trust", "yaml",
    ] {
        let text = fs_err::read_to_string(source.join(format!("{module}.rs"))).unwrap();
        missing.extend(
            public(&text)
                .filter(|name| !listed.contains(name.as_str()))
                .map(|name| format!("{module}: {name}")),
        );
    }
    // Traits that are used as bounds and not as objects, and names for something listed.
    missing.retain(|name| {
        !["StoreExt", "Result", "ByteStream", "BoxStream"].contains(&name.rsplit(' ').next().unwrap())
    });
    assert_eq!(missing, Vec::<String>::new());
    assert!(listed.len() > 90, "{}", listed.len());
}

/// The types that a module's file makes public itself or from its parts.
fn public(text: &str) -> impl Iterator<Item = String> {
    let mut names = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find("\npub ") {
        rest = &rest[at + 5..];
        let end = rest.find([';', '{']).map_or(rest.len(), |end| {
            if rest.starts_with("use ") { rest.find(';').unwrap_or(rest.len()) } else { end }
        });
        let item = &rest[..end];
        let word =
            |text: &str| text.chars().take_while(|letter| letter.is_alphanumeric()).collect::<String>();
        match item.split_once(' ') {
            Some(("use", path)) => {
                names.extend(path.split(['{', '}', ',', ':']).map(|name| word(name.trim())));
            }
            Some(("struct" | "enum" | "trait" | "type", name)) => names.push(word(name)),
            _ => {}
        }
    }
    names.into_iter().filter(|name| name.starts_with(char::is_uppercase))
}
