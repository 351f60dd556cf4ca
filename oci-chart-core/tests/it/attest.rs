//! What is attached to charts and said of them: attached, listed, fetched, signed, demanded; with the referrers API and without.

use std::sync::Arc;

use oci_chart_core::{
    Context, Digest, Error, ErrorKind, Limits, Reason,
    name::Selector,
    oci::Descriptor,
    store::{Layout, Memory, Pushed, Store},
    transfer::{self, PushOptions},
    trust::{
        Attached, AttachedKind, Attachment, Attestation, AttestationPolicy, Format, KeyPolicy, Place, Policy,
        PredicateType, SignOptions, Signer as _, SigningKey, Tlog, Tree, TrustedKey, Verified,
        VerifiedAttestation, VerifyOptions, attach, attest, fetch_attachment, sign, tree, verify,
        verify_attestation,
    },
};
use oci_chart_testkit::{Builder, Class, Fault, Registry, Rule};

use crate::{
    remote::{block, repository},
    transfer::{artifact, package},
};

mod judges;

pub(crate) const CYCLONEDX: &str = r#"{"bomFormat":"CycloneDX","specVersion":"1.6","version":1,"components":[{"type":"application","name":"web"}]}"#;
pub(crate) const SPDX: &str = r#"{"spdxVersion":"SPDX-2.3","dataLicense":"CC0-1.0","SPDXID":"SPDXRef-DOCUMENT","name":"web","documentNamespace":"https://example.com/web","creationInfo":{"created":"2026-01-01T00:00:00Z","creators":["Tool: test"]}}"#;
pub(crate) const SLSA: &str = r#"{"buildDefinition":{"buildType":"https://example.com/build/v1","externalParameters":{"ref":"refs/tags/v1"}},"runDetails":{"builder":{"id":"https://example.com/builder/v1"}}}"#;

#[test]
fn what_is_attached_is_listed_and_comes_back_byte_for_byte() {
    everywhere(|name, store| {
        let chart = push(&store, "1.2.3");
        let (cx, limits) = (Context::default(), Limits::default());
        let attachments = [
            Attachment::sbom(CYCLONEDX).unwrap().with_title("sbom.cdx.json"),
            Attachment::sbom(SPDX).unwrap().with_created("2026-01-01T00:00:00Z".parse().unwrap()),
            Attachment::new("application/x-scan".into(), vec![7; 10_000]).with_annotation("scanner", "a<b>"),
        ];
        let mut attached = Vec::new();
        for attachment in &attachments {
            let first = block(attach(&cx, &store, &chart, attachment)).unwrap();
            let again = block(attach(&cx, &store, &chart, attachment)).unwrap();
            assert_eq!(again.descriptor, first.descriptor, "{name}: twice is once");
            attached.push(first.descriptor);
        }
        let tree = list(&store, "1.2.3");
        assert_eq!(tree.subject.digest, chart.digest, "{name}");
        let mut kinds: Vec<_> =
            tree.attached.iter().map(|entry| (entry.descriptor.digest, entry.kind)).collect();
        let kinds_of = [AttachedKind::Sbom, AttachedKind::Sbom, AttachedKind::Other];
        let mut expected: Vec<_> =
            attached.iter().zip(kinds_of).map(|(descriptor, kind)| (descriptor.digest, kind)).collect();
        kinds.sort_unstable_by_key(|(digest, _)| digest.hex());
        expected.sort_unstable_by_key(|(digest, _)| digest.hex());
        assert_eq!(kinds, expected, "{name}: {tree}");
        for (attachment, descriptor) in attachments.iter().zip(&attached) {
            let back = block(fetch_attachment(&cx, &store, descriptor, &limits)).unwrap();
            assert_eq!(back.content().read(1 << 20).unwrap(), attachment.content().read(1 << 20).unwrap());
            assert_eq!(back.title(), attachment.title());
            assert_eq!(back.artifact_type(), attachment.artifact_type());
            assert_eq!(back.annotations(), attachment.annotations());
        }
        // The chart is what it was.
        assert_eq!(block(store.resolve(&version("1.2.3"))).unwrap().digest, chart.digest, "{name}");
    });
}

#[test]
fn the_tree_shows_what_hangs_on_what() {
    everywhere(|name, store| {
        let (cx, key) = (Context::default(), SigningKey::generate().unwrap());
        let chart = push(&store, "1.2.3");
        let both = SignOptions::default()
            .with_formats([Format::Bundle, Format::SignatureTag])
            .with_identity("registry.example/charts/web");
        block(sign(&cx, &store, &chart, &key, &both)).unwrap();
        let slsa = Attestation::new(PredicateType::SLSA_PROVENANCE_V1, SLSA).unwrap();
        block(attest(&cx, &store, &chart, &slsa, &key, &SignOptions::default())).unwrap();
        let sbom = block(attach(&cx, &store, &chart, &Attachment::sbom(SPDX).unwrap())).unwrap().descriptor;
        block(sign(&cx, &store, &sbom, &key, &SignOptions::default())).unwrap();
        let tree = list(&store, "1.2.3");
        let find = |wanted: &dyn Fn(&&Attached) -> bool| tree.attached.iter().filter(wanted).count();
        assert_eq!(tree.attached.len(), 5, "{name}: {tree}");
        assert_eq!(
            find(&|entry| entry.kind == AttachedKind::Signature && entry.depth == 1),
            2,
            "{name}: {tree}"
        );
        assert_eq!(find(&|entry| matches!(entry.place, Place::Tag(_))), 1, "{name}: {tree}");
        assert_eq!(
            find(&|entry| entry.kind == AttachedKind::Attestation
                && entry.predicate_type.as_deref() == Some("https://slsa.dev/provenance/v1")),
            1,
            "{name}: {tree}"
        );
        let at = tree.attached.iter().position(|entry| entry.descriptor.digest == sbom.digest).unwrap();
        let below = &tree.attached[at + 1];
        assert_eq!(
            (below.subject, below.depth, below.kind),
            (sbom.digest, 2, AttachedKind::Signature),
            "{name}"
        );
        let json: serde_json::Value = serde_json::to_value(&tree).unwrap();
        assert_eq!(json["subject"], chart.digest.to_string());
        assert_eq!(json["attached"].as_array().unwrap().len(), 5);
        assert_eq!(tree.to_string().lines().count(), 6);
    });
}

#[test]
fn an_attestation_counts_for_its_own_type_and_its_own_key() {
    everywhere(|name, store| {
        let (cx, key, other) =
            (Context::default(), SigningKey::generate().unwrap(), SigningKey::generate().unwrap());
        let chart = push(&store, "1.2.3");
        let said = [
            Attestation::new(PredicateType::SLSA_PROVENANCE_V1, SLSA).unwrap(),
            Attestation::sbom(CYCLONEDX).unwrap(),
            Attestation::sbom(SPDX).unwrap(),
        ];
        for attestation in &said {
            let first =
                block(attest(&cx, &store, &chart, attestation, &key, &SignOptions::default())).unwrap();
            let again =
                block(attest(&cx, &store, &chart, attestation, &key, &SignOptions::default())).unwrap();
            assert_eq!(first.digest, again.digest, "{name}: what was said is kept");
        }
        for attestation in &said {
            let policy = AttestationPolicy::new(attestation.predicate_type().clone(), by(&[&key]));
            let verified = check(&store, &policy).unwrap();
            let [statement] = &verified.get()[..] else { panic!("{name}: {verified:?}") };
            assert_eq!(statement.predicate, attestation.predicate(), "{name}");
            assert_eq!(statement.subject.digest, chart.digest);
            assert_eq!(statement.signer, key.public_key().fingerprint().to_string());
        }
        let refused = |policy: &AttestationPolicy| check(&store, policy).map_err(why).unwrap_err();
        let vex = AttestationPolicy::new(PredicateType::OPENVEX, by(&[&key]));
        assert_eq!(refused(&vex), (ErrorKind::NotSigned, Some(Reason::OtherPredicate)), "{name}");
        let slsa = AttestationPolicy::new(PredicateType::SLSA_PROVENANCE_V1, by(&[&other]));
        assert_eq!(refused(&slsa), (ErrorKind::SignatureInvalid, Some(Reason::NoTrustedKey)), "{name}");
        // None of them is a signature.
        let error = block(verify(&cx, &store, &version("1.2.3"), &by(&[&key]), &VerifyOptions::default()));
        assert_eq!(why(error.unwrap_err()), (ErrorKind::NotSigned, Some(Reason::NotASignature)), "{name}");
    });
}

#[test]
fn a_policy_looks_into_what_is_said() {
    let store: Arc<dyn Store> = Arc::new(Memory::default());
    let (cx, key) = (Context::default(), SigningKey::generate().unwrap());
    let chart = push(&store, "1.2.3");
    let slsa = Attestation::new(PredicateType::SLSA_PROVENANCE_V1, SLSA).unwrap();
    block(attest(&cx, &store, &chart, &slsa, &key, &SignOptions::default())).unwrap();
    let policy = AttestationPolicy::new(PredicateType::SLSA_PROVENANCE_V1, by(&[&key]));
    for (pointer, pattern, fits) in [
        ("/runDetails/builder/id", "https://example.com/builder/*", true),
        ("/runDetails/builder/id", "https://example.com/builder", false),
        ("/buildDefinition/buildType", "https://example.com/build/v1", true),
        ("/buildDefinition", "https://example.com/build/v1", false),
        ("/nowhere", "https://example.com/build/v1", false),
    ] {
        let policy = policy.clone().with_field(pointer, pattern.parse().unwrap()).unwrap();
        assert!(AttestationPolicy::validate(&policy).is_ok());
        match check(&store, &policy) {
            Ok(_) => assert!(fits, "{pointer}"),
            Err(error) => {
                assert!(!fits, "{pointer}: {error:?}");
                assert_eq!(why(error), (ErrorKind::PolicyDenied, Some(Reason::FieldMismatch)));
            }
        }
    }
    // Of two statements of one type only the one that says what is asked for is given out.
    let other = Attestation::new(PredicateType::SLSA_PROVENANCE_V1, SLSA.replace("builder/v1", "builder/v2"));
    block(attest(&cx, &store, &chart, &other.unwrap(), &key, &SignOptions::default())).unwrap();
    assert_eq!(check(&store, &policy).unwrap().get().len(), 2);
    let second = policy
        .clone()
        .with_field("/runDetails/builder/id", "https://example.com/builder/v2".parse().unwrap());
    let verified = check(&store, &second.unwrap()).unwrap();
    let [statement] = &verified.get()[..] else { panic!("{verified:?}") };
    assert!(statement.predicate.contains("builder/v2"), "{statement:?}");
    assert!(policy.clone().with_field("runDetails", "https://a/b".parse().unwrap()).is_err());
    let json = serde_json::to_string(&policy).unwrap();
    assert_eq!(serde_json::from_str::<AttestationPolicy>(&json).unwrap(), policy);
}

#[test]
fn what_cannot_be_said_is_not_signed() {
    let store: Arc<dyn Store> = Arc::new(Memory::default());
    let (cx, key) = (Context::default(), SigningKey::generate().unwrap());
    for (kind, predicate) in [
        (PredicateType::CUSTOM, r#"{"a":1,"a":2}"#),
        (PredicateType::CUSTOM, ""),
        (PredicateType::CUSTOM, "{}}"),
        ("https://sigstore.dev/cosign/sign/v1".parse().unwrap(), "{}"),
    ] {
        assert_eq!(Attestation::new(kind, predicate).unwrap_err().kind(), ErrorKind::InvalidInput);
    }
    let signature = "https://sigstore.dev/cosign/sign/v1".parse().unwrap();
    let error = AttestationPolicy::new(signature, by(&[&key])).validate().unwrap_err();
    assert_eq!(why(error), (ErrorKind::InvalidInput, Some(Reason::FieldInvalid)), "a signature is none");
    #[cfg(feature = "pgp")]
    {
        let ring = include_str!("../../../examples/keys/signer.asc");
        let provenance = Policy::Pgp(oci_chart_core::trust::PgpPolicy::any_key(ring));
        let part = Policy::Any(vec![by(&[&key]), provenance]);
        let error = AttestationPolicy::new(PredicateType::CUSTOM, part).validate().unwrap_err();
        assert_eq!(
            why(error),
            (ErrorKind::InvalidInput, Some(Reason::FieldInvalid)),
            "a .prov attests nothing"
        );
    }
    // What nobody could read again is not written.
    let chart = push(&store, "1.2.3");
    let mut narrow = SignOptions::default();
    narrow.limits.attestation_bytes = 1000;
    let long = Attestation::new(PredicateType::CUSTOM, format!("[{}0]", "0,".repeat(500))).unwrap();
    let error = block(attest(&cx, &store, &chart, &long, &key, &narrow)).unwrap_err();
    assert_eq!((error.kind(), error.get("limit")), (ErrorKind::LimitExceeded, Some("attestation_bytes")));
    assert_eq!(list(&store, "1.2.3").attached, []);
    let nobody = Descriptor::new("application/vnd.oci.image.manifest.v1+json".into(), Digest::of("x"), 1);
    let attestation = Attestation::new(PredicateType::CUSTOM, "{}").unwrap();
    let error = block(attest(&cx, &store, &nobody, &attestation, &key, &SignOptions::default())).unwrap_err();
    assert_eq!(why(error), (ErrorKind::NotFound, Some(Reason::ManifestMissing)));
    let error = block(attach(&cx, &store, &nobody, &Attachment::sbom(SPDX).unwrap())).unwrap_err();
    assert_eq!(why(error), (ErrorKind::NotFound, Some(Reason::ManifestMissing)));
    let blob = Descriptor::new("application/json".into(), Digest::of("x"), 1);
    let error = block(attach(&cx, &store, &blob, &Attachment::sbom(SPDX).unwrap())).unwrap_err();
    assert_eq!(why(error), (ErrorKind::InvalidInput, Some(Reason::WrongMediaType)));
}

#[test]
fn a_failed_attachment_is_seen_by_nobody_and_can_be_made_again() {
    let registry = Registry::start().unwrap();
    let store: Arc<dyn Store> = Arc::new(repository(&registry, "charts/web"));
    let chart = push(&store, "1.2.3");
    let (cx, sbom) = (Context::default(), Attachment::sbom(SPDX).unwrap());
    for (method, target) in [("*", "/v2/*/manifests/*"), ("*", "/v2/*/blobs/*"), ("PUT", "/v2/*/manifests/*")]
    {
        registry.script().add(Rule::new(method, target, Fault::error(403, "DENIED")).always());
        let error = block(attach(&cx, &store, &chart, &sbom)).unwrap_err();
        assert_eq!((error.kind(), error.get("side")), (ErrorKind::PermissionDenied, Some("destination")));
        registry.script().clear();
        assert_eq!(list(&store, "1.2.3").attached, []);
    }
    let attached = block(attach(&cx, &store, &chart, &sbom)).unwrap();
    assert_eq!(attached.pushed, Pushed::Written);
    registry.log().take();
    list(&store, "1.2.3");
    // The chart, three tags, what is attached, and to the attachment two.
    assert_eq!(registry.log().entries().len(), 1 + 3 + 1 + 2, "{:?}", registry.log().lines());
    assert_eq!(registry.log().count_class(Class::Referrers), 2);
    // A listing that cannot be had is no empty one.
    registry.script().add(Rule::new("GET", "/v2/*/referrers/*", Fault::error(403, "DENIED")).always());
    let error = block(tree(&cx, &store, &version("1.2.3"), &Limits::default())).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PermissionDenied);
}

pub(crate) fn by(keys: &[&SigningKey]) -> Policy {
    let keys = keys.iter().map(|key| TrustedKey::new(key.public_key().clone()));
    Policy::Keys(KeyPolicy::new(keys, Tlog::IgnoreExplicitly))
}

pub(crate) fn why(error: Error) -> (ErrorKind, Option<Reason>) {
    (error.kind(), error.reason())
}

pub(crate) fn version(text: &str) -> Selector {
    Selector::for_version(text).unwrap_or_else(|_| Selector::Tag(text.parse().unwrap()))
}

pub(crate) fn push(store: &Arc<dyn Store>, version: &str) -> Descriptor {
    let artifact = artifact(&package(version, "a"), 1_700_000_000);
    block(transfer::push(&Context::default(), &artifact, store, &PushOptions::default())).unwrap().descriptor
}

fn list(store: &Arc<dyn Store>, text: &str) -> Tree {
    block(tree(&Context::default(), store, &version(text), &Limits::default())).unwrap()
}

fn check(
    store: &Arc<dyn Store>,
    policy: &AttestationPolicy,
) -> Result<Verified<Vec<VerifiedAttestation>>, Error> {
    let options = VerifyOptions::default();
    block(verify_attestation(&Context::default(), store, &version("1.2.3"), policy, &options))
}

/// Every store under one name each; registries with the referrers API and without.
fn everywhere(test: impl Fn(&str, Arc<dyn Store>)) {
    test("memory", Arc::new(Memory::default()));
    let root = tempfile::tempdir().unwrap();
    test("layout", Arc::new(Layout::new(root.path().join("layout"))));
    for (name, build) in [
        ("registry", (|builder| builder) as fn(Builder) -> Builder),
        ("no API", |builder| builder.referrers_api(false)),
    ] {
        let registry = build(Registry::builder()).start_blocking().unwrap();
        test(name, Arc::new(repository(&registry, "charts/web")));
    }
}
