//! Provenance as a policy: verified before a byte of the chart is fetched, out of a store that may lie.

use std::sync::Arc;

use oci_chart_core::{
    ChartArtifact, Context, ErrorKind, Package, Result,
    name::{Selector, Tag},
    oci::{ArtifactOptions, Descriptor, Manifest, MediaType},
    store::{Blob, Layout, Memory, Store, TagMode},
    transfer::{self, PullOptions, Pulled, PushOptions},
    trust::{
        Evidence, Policy, Verified, VerifyOptions,
        pgp::{Keyring, Passphrase, PgpPolicy, PgpSigner, PgpVerifier},
        verify,
    },
};

use super::{at, reason, tiny};
use crate::remote::block;

const SECRET: &str = include_str!("../../../../examples/keys/signer.secret.asc");
const PUBLIC: &str = include_str!("../../../../examples/keys/signer.asc");
const FINGERPRINT: &str = "204211D3126C3775F45D8E6AA3BA7E5A08A8B808";
/// The key was made at the beginning of 2026.
const SIGNED: u64 = 1_780_000_000;

fn signer() -> PgpSigner {
    PgpSigner::from_keyring(&Keyring::read(SECRET.as_bytes()).unwrap(), None, Passphrase::none()).unwrap()
}

fn policy() -> Policy {
    Policy::Pgp(PgpPolicy::new(PUBLIC, [FINGERPRINT.parse().unwrap()]))
}

fn memory() -> Arc<dyn Store> {
    Arc::new(Memory::default())
}

fn push(store: &Arc<dyn Store>, package: &Package) -> Descriptor {
    let artifact = ChartArtifact::new(package.clone(), &ArtifactOptions::default()).unwrap();
    block(transfer::push(&Context::default(), &artifact, store, &PushOptions::default())).unwrap().descriptor
}

fn check(store: &Arc<dyn Store>, selector: &Selector, policy: &Policy) -> Result<Verified<Descriptor>> {
    block(verify(&Context::default(), store, selector, policy, &VerifyOptions::default()))
}

fn pull(store: &Arc<dyn Store>, selector: &Selector, policy: &Policy) -> Result<Pulled> {
    block(transfer::pull(&Context::default(), store, selector, &PullOptions::verified_by(policy.clone())))
}

fn tag(text: &str) -> Selector {
    Selector::Tag(Tag::parse(text).unwrap())
}

#[test]
fn a_signed_chart_is_verified_by_tag_and_by_digest() {
    let store = memory();
    let package = signer().sign(&tiny("web", "1.2.3+b"), at(SIGNED)).unwrap();
    let pushed = push(&store, &package);
    for selector in [tag("1.2.3_b"), Selector::Digest(pushed.digest), Selector::for_version("^1").unwrap()] {
        let verified = check(&store, &selector, &policy()).unwrap();
        assert_eq!(*verified.get(), pushed);
        let evidence = verified.evidence();
        assert_eq!(evidence.requirement.signers, [FINGERPRINT]);
        let signed = evidence.provenances()[0];
        assert_eq!((signed.signed_file.as_deref(), signed.version.as_deref()), (None, Some("1.2.3+b")));
        assert!(evidence.to_json().contains("\"signedAt\":\"2026-05-28T"), "{}", evidence.to_json());
        let pulled = pull(&store, &selector, &policy()).unwrap();
        assert_eq!(pulled.package.digest(), package.digest());
        assert!(pulled.evidence.is_some());
    }
}

#[test]
fn what_is_not_signed_by_the_right_key_is_told_apart() {
    let (package, stranger) = (tiny("web", "1.2.3"), "AAAA".repeat(10));
    let signed = signer().sign(&package, at(SIGNED)).unwrap();
    let other = signer().sign(&tiny("web", "1.2.4"), at(SIGNED)).unwrap();
    let changed = String::from_utf8(signed.provenance().unwrap().to_vec()).unwrap().replace("- - a", "- - c");
    let expired = signer().sign(&package, at(4_000_000_000)).unwrap();
    let foreign = package.with_provenance(signed.provenance().unwrap().slice(..300));
    for (package, kind, why) in [
        (package.clone(), ErrorKind::NotSigned, "none"),
        (
            package.with_provenance(other.provenance().unwrap().clone()),
            ErrorKind::SignatureInvalid,
            "provenance-mismatch",
        ),
        (package.with_provenance(changed), ErrorKind::SignatureInvalid, "signature-mismatch"),
        (expired, ErrorKind::PolicyDenied, "signature-time"),
        (foreign, ErrorKind::SignatureInvalid, "provenance-malformed"),
    ] {
        let store = memory();
        push(&store, &package);
        for error in [
            check(&store, &tag("1.2.3"), &policy()).unwrap_err(),
            pull(&store, &tag("1.2.3"), &policy()).unwrap_err(),
        ] {
            assert_eq!((error.kind(), reason(&error)), (kind, why), "{error:?}");
            assert!(Evidence::of(&error).is_some());
        }
    }
    // A key that the ring does not have is a mistake of the caller's.
    let policy = Policy::Pgp(PgpPolicy::new(PUBLIC, [stranger.parse().unwrap()]));
    let store = memory();
    push(&store, &signed);
    assert_eq!(check(&store, &tag("1.2.3"), &policy).unwrap_err().kind(), ErrorKind::InvalidInput);
}

#[test]
fn a_release_under_another_tag_is_only_good_where_the_tag_is_no_version() {
    let store = memory();
    let package = signer().sign(&tiny("web", "1.2.3"), at(SIGNED)).unwrap();
    let pushed = push(&store, &package);
    for name in ["9.9.9", "stable"] {
        let name = Tag::parse(name).unwrap();
        block(store.tag(&pushed, &name, &TagMode::Create)).unwrap();
    }
    assert!(pull(&store, &tag("stable"), &policy()).is_ok());
    let error = pull(&store, &tag("9.9.9"), &policy()).unwrap_err();
    assert_eq!((error.kind(), reason(&error)), (ErrorKind::PolicyDenied, "version-mismatch"), "{error:?}");
    // Also where the manifest does not say which version it is: the signed text does.
    let (_, bytes) = block(store.fetch_manifest(&tag("1.2.3"))).unwrap();
    let mut silent: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
    silent.as_object_mut().unwrap().remove("annotations");
    let silent = Blob::from_bytes(pushed.media_type.clone(), silent.to_string());
    let names = ["8.8.8", "quiet"].map(|name| (Tag::parse(name).unwrap(), TagMode::Create));
    block(store.push(&silent, &names)).unwrap();
    assert!(check(&store, &tag("quiet"), &policy()).is_ok());
    let error = check(&store, &tag("8.8.8"), &policy()).unwrap_err();
    assert_eq!((error.kind(), reason(&error)), (ErrorKind::PolicyDenied, "version-mismatch"), "{error:?}");
}

#[test]
fn nobody_looks_into_what_nobody_vouches_for() {
    let store = memory();
    push(&store, &signer().sign(&tiny("web", "1.2.3"), at(SIGNED)).unwrap());
    let rubbish = Blob::from_bytes(MediaType::HELM_CHART, "no archive at all");
    block(store.push(&rubbish, &[])).unwrap();
    let (descriptor, bytes) = block(store.fetch_manifest(&tag("1.2.3"))).unwrap();
    let mut manifest: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
    for layer in manifest["layers"].as_array_mut().unwrap() {
        if layer["mediaType"] == MediaType::HELM_CHART.as_str() {
            layer["digest"] = rubbish.descriptor().digest.to_string().into();
            layer["size"] = rubbish.descriptor().size.into();
        }
    }
    let manifest = Blob::from_bytes(descriptor.media_type, manifest.to_string());
    block(store.push(&manifest, &[(Tag::parse("rubbish").unwrap(), TagMode::Create)])).unwrap();
    let options = PullOptions::without_verification().with_provenance(true);
    let pulled = block(transfer::pull(&Context::default(), &store, &tag("rubbish"), &options)).unwrap();
    let verifier = PgpVerifier::any_key(Keyring::read(PUBLIC.as_bytes()).unwrap());
    let error = super::verify_package(&pulled.package, &verifier, at(SIGNED)).unwrap_err();
    assert_eq!(
        (error.kind(), reason(&error)),
        (ErrorKind::SignatureInvalid, "provenance-mismatch"),
        "{error:?}"
    );
}

#[test]
fn what_is_signed_is_what_is_in_the_package() {
    let store = memory();
    let package = tiny("web", "1.2.3");
    for (from, to) in
        [("name: web\n", "name: wab\n"), ("version: 1.2.3\n", "version: 1.2.2\n"), ("name: web\n", "")]
    {
        let message = oci_chart_core::chart::Provenance::message(&package).unwrap().replacen(from, to, 1);
        let prov = signer().sign_message(&message, at(SIGNED)).unwrap();
        let store = memory();
        push(&store, &package.with_provenance(prov));
        let error = pull(&store, &tag("1.2.3"), &policy()).unwrap_err();
        assert!(["metadata-mismatch", "version-mismatch"].contains(&reason(&error)), "{error:?}");
    }
    assert!(check(&store, &tag("1.2.3"), &policy()).is_err(), "nothing was pushed here");
}

#[test]
fn two_provenance_files_are_one_too_many() {
    let store = memory();
    let package = signer().sign(&tiny("web", "1.2.3"), at(SIGNED)).unwrap();
    let pushed = push(&store, &package);
    let (_, bytes) = block(store.fetch_manifest(&Selector::Digest(pushed.digest))).unwrap();
    let manifest = Manifest::parse(&pushed, bytes).unwrap();
    let junk = Blob::from_bytes(MediaType::HELM_PROVENANCE, "junk");
    block(store.push(&junk, &[])).unwrap();
    let layers = [manifest.layers(), &[junk.descriptor().clone()]].concat();
    let double = Manifest::write(manifest.config().unwrap(), &layers, manifest.annotations());
    let blob = Blob::from_bytes(MediaType::OCI_MANIFEST, double.bytes().clone());
    block(store.push(&blob, &[(Tag::parse("1.2.4").unwrap(), TagMode::Create)])).unwrap();
    let error = check(&store, &tag("1.2.4"), &policy()).unwrap_err();
    assert_eq!((error.kind(), reason(&error)), (ErrorKind::PolicyDenied, "duplicate-layer"), "{error:?}");
}

#[test]
fn a_provenance_file_that_cannot_be_had_is_no_missing_signature() {
    let directory = tempfile::tempdir().unwrap();
    let store: Arc<dyn Store> = Arc::new(Layout::new(directory.path()));
    let package = signer().sign(&tiny("web", "1.2.3"), at(SIGNED)).unwrap();
    push(&store, &package);
    let prov = oci_chart_core::Digest::of(package.provenance().unwrap());
    fs_err::remove_file(directory.path().join("blobs/sha256").join(prov.hex())).unwrap();
    let error = check(&store, &tag("1.2.3"), &policy()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::CouldNotCheck, "{error:?}");
}

#[test]
fn a_policy_is_json_and_holds_no_secrets() {
    let json = policy().to_json();
    assert!(json.contains("-----BEGIN PGP PUBLIC KEY BLOCK-----") && json.contains(FINGERPRINT), "{json}");
    assert_eq!(Policy::from_json(&json).unwrap(), policy());
    for policy in [
        PgpPolicy::new(SECRET, [FINGERPRINT.parse().unwrap()]),
        PgpPolicy::new(PUBLIC, []),
        PgpPolicy::new("no keys", [FINGERPRINT.parse().unwrap()]),
    ] {
        assert_eq!(Policy::Pgp(policy).validate().unwrap_err().kind(), ErrorKind::InvalidInput);
    }
    assert!(Policy::Pgp(PgpPolicy::any_key(PUBLIC)).validate().is_ok());
}
