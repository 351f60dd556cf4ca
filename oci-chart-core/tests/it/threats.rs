//! Each way to deceive a verifier is refused for its own reason, within stated numbers of requests and little memory. The registry that tries is
//! the testkit's hostile one.

use std::sync::Arc;

use oci_chart_core::{
    Context, Digest, Error, ErrorKind, Reason, Result,
    auth::StaticCredentials,
    name::{Host, RepositoryAddress, Selector},
    oci::Descriptor,
    store::{ConnectionOptions, Registries, Store},
    transfer::{self, PullOptions},
    trust::{
        AttestationPolicy, Evidence, Format, KeyPolicy, Policy, PredicateType, Signer as _, SigningKey, Tlog,
        TrustedKey, Verified, VerifyOptions, verify, verify_attestation,
    },
};
use oci_chart_testkit::{Hostile, Lie, Listing};
use serde_json::{Value, json};

use self::forge::{Forge, MANIFEST};
use crate::{
    attest::{by, version, why},
    remote::block,
    transfer::{artifact, package},
};

mod beside;
mod disk;
mod floods;
mod forge;

const INDEX: &str = "application/vnd.oci.image.index.v1+json";

#[test]
fn the_tag_is_looked_at_once() {
    let forge = Forge::new();
    // The second look at the tag would see another chart, unsigned.
    let other = forge.registry.manifest(MANIFEST, forge.chart_manifest("9.9.9"));
    forge.bundle(&forge.signature());
    forge.registry.tag_flips("1.2.3", &[&forge.chart, &other]);
    let store = store(&forge.registry);
    let pulled = block(transfer::pull(
        &Context::default(),
        &store,
        &version("1.2.3"),
        &PullOptions::verified_by(by(&[&forge.key])),
    ));
    // It was verified, and then the package that the manifest names was asked for, which nobody has.
    let error = pulled.unwrap_err();
    assert_eq!(error.reason(), Some(Reason::BlobMissing), "{error:?}");
    let requests = forge.registry.requests();
    assert_eq!(requests.iter().filter(|line| line.ends_with("/manifests/1.2.3")).count(), 1, "{requests:?}");
}

#[test]
fn nothing_is_fetched_that_is_not_trusted() {
    let forge = Forge::new();
    forge.listed(Vec::new());
    let store = store(&forge.registry);
    let options = PullOptions::verified_by(by(&[&forge.key]));
    let error = block(transfer::pull(&Context::default(), &store, &version("1.2.3"), &options)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotSigned);
    let requests = forge.registry.requests();
    assert!(requests.iter().all(|line| !line.contains("/blobs/")), "{requests:?}");
}

#[test]
fn an_answer_that_is_none_is_not_taken_for_no_signature() {
    for (listing, kind) in [
        (Listing::Status(401), ErrorKind::CouldNotCheck),
        (Listing::Status(403), ErrorKind::CouldNotCheck),
        (Listing::Status(429), ErrorKind::CouldNotCheck),
        (Listing::Status(500), ErrorKind::CouldNotCheck),
        (
            Listing::Document("application/vnd.oci.image.index.v1+json".into(), "rubbish".into()),
            ErrorKind::CouldNotCheck,
        ),
        (
            Listing::Document(
                "application/vnd.oci.image.index.v1+json".into(),
                "{\"manifests\":[{}]}".into(),
            ),
            ErrorKind::CouldNotCheck,
        ),
    ] {
        // A good signature under the tag changes nothing: who asks for both forms gets both looked at.
        let forge = Forge::new();
        forge.signature_tag(&forge.payload());
        forge.registry.referrers(listing.clone());
        let error = forge.verify(&by(&[&forge.key])).unwrap_err();
        assert_eq!(error.kind(), kind, "{listing:?}: {error:?}");
        // Who asks for the tag alone is not troubled.
        let tag = forge.policy().with_formats([Format::SignatureTag]);
        forge.verify(&Policy::Keys(tag)).unwrap();
    }
}

#[test]
fn a_list_from_elsewhere_does_not_bring_signatures_from_elsewhere() {
    let (forge, elsewhere) = (Forge::new(), Hostile::start().unwrap());
    // What the other host lists is a good signature, which only the other host has.
    let entry = forge.planted_in(&elsewhere, &forge.signature());
    elsewhere.referrers(Listing::Entries(vec![entry]));
    forge.registry.referrers(Listing::Elsewhere(elsewhere.host()));
    let error = forge.verify(&by(&[&forge.key])).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::CouldNotCheck, "{error:?}");
    let asked = elsewhere.requests();
    assert!(asked.iter().all(|line| line.contains("/referrers/")), "{asked:?}");
    // Another place for signatures is one that the caller names.
    let named = VerifyOptions::default().with_signatures(store(&elsewhere));
    let chart = store(&forge.registry);
    block(verify(&Context::default(), &chart, &version("1.2.3"), &by(&[&forge.key]), &named)).unwrap();
}

#[test]
fn without_an_api_the_tag_in_its_place_is_asked() {
    // A page of some web server is no list of referrers, and no empty one either.
    for listing in [Listing::Absent, Listing::Document("text/html".into(), "<html>".into())] {
        let forge = Forge::new();
        forge.registry.referrers(listing);
        let entry = forge.referrer(&forge.signature(), "");
        let index = format!(r#"{{"schemaVersion":2,"mediaType":"{INDEX}","manifests":[{entry}]}}"#);
        let digest = forge.registry.manifest(INDEX, index);
        forge.registry.tag(&forge.chart.replace(':', "-"), &digest);
        forge.verify(&by(&[&forge.key])).unwrap();
        forge.registry.lie(&digest, Lie::Status(403));
        assert_eq!(forge.verify(&by(&[&forge.key])).unwrap_err().kind(), ErrorKind::CouldNotCheck);
    }
}

#[test]
fn what_was_signed_is_one_thing() {
    type Change = fn(&mut Value, &Forge);
    let table: [(&str, Change, Reason); 3] = [
        (
            "a configuration that tells of another chart",
            |manifest, forge| {
                let config = r#"{"name":"web","version":"1.2.3","apiVersion":"v2","description":"harmless"}"#;
                manifest["config"]["digest"] = forge.registry.blob(config).into();
                manifest["config"]["size"] = config.len().into();
            },
            Reason::ConfigMismatch,
        ),
        (
            "two packages",
            |manifest, _| {
                let layer = manifest["layers"][0].clone();
                manifest["layers"].as_array_mut().unwrap().push(layer);
            },
            Reason::DuplicateLayer,
        ),
        (
            "a package of another version",
            |manifest, forge| {
                forge.registry.tag("9.9.9", &forge.chart);
                manifest["annotations"] = json!({});
            },
            Reason::VersionMismatch,
        ),
    ];
    for (name, change, reason) in table {
        let mut forge = Forge::new();
        let package = package("1.2.3", "a");
        let artifact = artifact(&package, 1_700_000_000);
        for (descriptor, content) in artifact.blobs() {
            assert_eq!(forge.registry.blob(content.read(1 << 20).unwrap()), descriptor.digest.to_string());
        }
        let mut manifest: Value = serde_json::from_slice(artifact.manifest().bytes()).unwrap();
        change(&mut manifest, &forge);
        forge.chart = forge.registry.manifest(MANIFEST, manifest.to_string());
        let asked = if reason == Reason::VersionMismatch { "9.9.9" } else { "1.2.3" };
        forge.registry.tag(asked, &forge.chart);
        forge.bundle(&forge.signature());
        let options = PullOptions::verified_by(by(&[&forge.key]));
        let store = store(&forge.registry);
        let error =
            block(transfer::pull(&Context::default(), &store, &version(asked), &options)).unwrap_err();
        assert_eq!(why(error), (ErrorKind::PolicyDenied, Some(reason)), "{name}");
    }
}

#[test]
fn a_stranger_s_bundle_hides_no_good_signature() {
    let forge = Forge::new();
    forge.signature_tag(&forge.payload());
    let stranger = SigningKey::generate().unwrap();
    forge.bundle(&forge.signed_by(&stranger, &forge.statement()));
    let verified = forge.verify(&by(&[&forge.key])).unwrap();
    assert_eq!(verified.evidence().candidates().len(), 2);
    forge.refused_by(&stranger, &[Format::SignatureTag], ErrorKind::SignatureInvalid, Reason::NoTrustedKey);
}

#[test]
fn an_old_form_does_not_stand_in_for_the_one_that_is_asked_for() {
    let forge = Forge::new();
    forge.signature_tag(&forge.payload());
    forge.listed(Vec::new());
    let bundle = Policy::Keys(forge.policy().with_formats([Format::Bundle]));
    assert_eq!(forge.verify(&bundle).unwrap_err().kind(), ErrorKind::NotSigned);
}

#[test]
fn every_lie_about_content_is_refused_for_its_own_reason() {
    let key = SigningKey::generate().unwrap();
    type Set = fn(&Forge);
    let table: [(&str, Set, ErrorKind, Reason); 23] = [
        (
            "an attestation for a signature",
            |forge| {
                forge.bundle(&forge.signed(
                    &forge.statement().replace("sigstore.dev/cosign/sign/v1", "slsa.dev/provenance/v1"),
                ))
            },
            ErrorKind::NotSigned,
            Reason::NotASignature,
        ),
        (
            "another manifest's signature",
            |forge| forge.bundle(&forge.signed(&forge.statement().replace(&forge.hex(), &"0".repeat(64)))),
            ErrorKind::SignatureInvalid,
            Reason::OtherSubject,
        ),
        (
            "an empty subject",
            |forge| {
                forge.bundle(&forge.signed(
            r#"{"_type":"https://in-toto.io/Statement/v1","subject":[],"predicateType":"https://sigstore.dev/cosign/sign/v1","predicate":{}}"#))
            },
            ErrorKind::SignatureInvalid,
            Reason::OtherSubject,
        ),
        (
            "a key twice in what is signed",
            |forge| {
                forge.bundle(&forge.signed(&forge.statement().replacen(
                    "\"predicate\":{}",
                    "\"predicate\":{},\"Predicate\":{}",
                    1,
                )))
            },
            ErrorKind::SignatureInvalid,
            Reason::DuplicateKey,
        ),
        (
            "a key twice in the bundle",
            |forge| {
                forge.bundle(&forge.signature().replacen(
                    "\"publicKey\"",
                    "\"tlogEntries\":[],\"tlogEntries\":[],\"publicKey\"",
                    1,
                ))
            },
            ErrorKind::SignatureInvalid,
            Reason::DuplicateKey,
        ),
        (
            "bytes behind the bundle",
            |forge| forge.bundle(&(forge.signature() + "{}")),
            ErrorKind::SignatureInvalid,
            Reason::MalformedSignature,
        ),
        (
            "a digest in capitals",
            |forge| {
                forge.bundle(
                    &forge.signed(&forge.statement().replace(&forge.hex(), &forge.hex().to_uppercase())),
                )
            },
            ErrorKind::SignatureInvalid,
            Reason::OtherSubject,
        ),
        (
            "the beginning of a digest",
            |forge| forge.bundle(&forge.signed(&forge.statement().replace(&forge.hex(), &forge.hex()[..12]))),
            ErrorKind::SignatureInvalid,
            Reason::OtherSubject,
        ),
        (
            "an empty digest",
            |forge| forge.bundle(&forge.signed(&forge.statement().replace(&forge.hex(), ""))),
            ErrorKind::SignatureInvalid,
            Reason::OtherSubject,
        ),
        (
            "a digest of another algorithm",
            |forge| forge.bundle(&forge.signed(&forge.statement().replace("\"sha256\"", "\"sha512\""))),
            ErrorKind::SignatureInvalid,
            Reason::OtherSubject,
        ),
        (
            "another type of payload than was signed",
            |forge| forge.bundle(&forge.signature().replace("vnd.in-toto+json", "vnd.other+json")),
            ErrorKind::SignatureInvalid,
            Reason::MalformedSignature,
        ),
        (
            "a certificate in the bundle of a key",
            |forge| {
                forge.bundle(
                    &forge.signature().replace("\"publicKey\":{\"hint\":", "\"certificate\":{\"rawBytes\":"),
                )
            },
            ErrorKind::SignatureInvalid,
            Reason::ForeignMaterial,
        ),
        (
            "more log entries than are read",
            |forge| forge.bundle(&forge.with_entries(33)),
            ErrorKind::SignatureInvalid,
            Reason::TooManyParts,
        ),
        (
            "more time stamps than are read",
            |forge| {
                let stamps = vec![json!({"signedTimestamp": "AAAA"}); 33];
                let mut bundle: Value = serde_json::from_str(&forge.signature()).unwrap();
                bundle["verificationMaterial"]["timestampVerificationData"] =
                    json!({"rfc3161Timestamps": stamps});
                forge.bundle(&bundle.to_string());
            },
            ErrorKind::SignatureInvalid,
            Reason::TooManyParts,
        ),
        (
            "more subjects than are read",
            |forge| {
                let other = r#"{"digest":{"sha256":"00"}},"#.repeat(1024);
                let statement =
                    forge.statement().replacen("\"subject\":[", &format!("\"subject\":[{other}"), 1);
                forge.bundle(&forge.signed(&statement));
            },
            ErrorKind::SignatureInvalid,
            Reason::TooManyParts,
        ),
        (
            "more digests of a subject than are read",
            |forge| {
                let others: String = (0..32).map(|n| format!("\"x{n}\":\"00\",")).collect();
                let statement = forge.statement().replacen("\"sha256\"", &format!("{others}\"sha256\""), 1);
                forge.bundle(&forge.signed(&statement));
            },
            ErrorKind::SignatureInvalid,
            Reason::TooManyParts,
        ),
        (
            "a key id that nobody vouches for",
            |forge| forge.bundle(&forge.signature().replacen("{\"sig\"", "{\"keyid\":\"x\",\"sig\"", 1)),
            ErrorKind::SignatureInvalid,
            Reason::MalformedSignature,
        ),
        (
            "a key twice in a signature tag's payload",
            |forge| {
                let twice = format!("\"docker-manifest-digest\":\"sha256:{}\",\"docker-", "0".repeat(64));
                forge.signature_tag(&forge.payload().replacen("\"docker-m", &format!("{twice}m"), 1));
            },
            ErrorKind::SignatureInvalid,
            Reason::DuplicateKey,
        ),
        (
            "bytes behind a signature tag's payload",
            |forge| forge.signature_tag(&(forge.payload() + "{}")),
            ErrorKind::SignatureInvalid,
            Reason::MalformedSignature,
        ),
        (
            "something else that the key has signed",
            |forge| forge.signature_tag(&forge.payload().replace("cosign container image", "a letter")),
            ErrorKind::NotSigned,
            Reason::NotASignature,
        ),
        (
            "a certificate beside the signature of a key",
            |forge| {
                let payload = forge.payload();
                forge.certified_tag(&payload, "-----BEGIN CERTIFICATE-----");
            },
            ErrorKind::SignatureInvalid,
            Reason::ForeignMaterial,
        ),
        (
            "the log entry of another signature",
            |forge| forge.bundle(&forge.with_entries(1)),
            ErrorKind::SignatureInvalid,
            Reason::OtherLogEntry,
        ),
        (
            "a signature tag for another digest",
            |forge| forge.signature_tag(&forge.payload().replace(&forge.hex(), &"0".repeat(64))),
            ErrorKind::SignatureInvalid,
            Reason::OtherSubject,
        ),
    ];
    for (name, set, kind, reason) in table {
        let forge = Forge::of(key.clone());
        set(&forge);
        let error = forge.verify(&by(&[&forge.key])).unwrap_err();
        let found = Evidence::of(&error).unwrap().candidates().iter().find_map(|candidate| candidate.reason);
        assert_eq!((error.kind(), found), (kind, Some(reason)), "{name}: {error:?}");
    }
}

#[test]
fn a_manifest_is_what_its_digest_says() {
    let forge = Forge::new();
    forge.bundle(&forge.signature());
    let other = forge.chart_manifest("6.6.6");
    forge.registry.lie(&forge.chart, Lie::Bytes(other.into()));
    let (store, chart) = (store(&forge.registry), forge.chart.parse::<Digest>().unwrap());
    let (cx, policy) = (Context::default(), by(&[&forge.key]));
    let error = block(verify(&cx, &store, &chart.into(), &policy, &options())).unwrap_err();
    assert!([ErrorKind::DigestMismatch, ErrorKind::Protocol].contains(&error.kind()), "{error:?}");
    // By its tag, it is the other one: signed by nobody.
    let error = block(verify(&cx, &store, &version("1.2.3"), &policy, &options())).unwrap_err();
    assert_ne!(error.kind(), ErrorKind::Internal, "{error:?}");
    assert!(Evidence::of(&error).is_none_or(|evidence| evidence.subject != chart), "{error:?}");
}

#[test]
fn an_attestation_is_what_was_signed_whatever_is_written_beside_it() {
    let forge = Forge::new();
    let slsa = forge.statement().replace("sigstore.dev/cosign/sign/v1", "slsa.dev/provenance/v1");
    forge.annotated_bundle(&forge.signed(&slsa), "https://cyclonedx.org/bom");
    let store = store(&forge.registry);
    let ask = |predicate_type| {
        let policy = AttestationPolicy::new(predicate_type, by(&[&forge.key]));
        block(verify_attestation(&Context::default(), &store, &version("1.2.3"), &policy, &options()))
    };
    ask(PredicateType::SLSA_PROVENANCE_V1).unwrap();
    let error = ask(PredicateType::CYCLONEDX).unwrap_err();
    assert_eq!(why(error), (ErrorKind::NotSigned, Some(Reason::OtherPredicate)));
    // An old release under a new tag is attested as what it is.
    forge.registry.tag("2.0.0", &forge.chart);
    let policy = AttestationPolicy::new(PredicateType::SLSA_PROVENANCE_V1, by(&[&forge.key]));
    let error =
        block(verify_attestation(&Context::default(), &store, &version("2.0.0"), &policy, &options()));
    assert_eq!(why(error.unwrap_err()), (ErrorKind::PolicyDenied, Some(Reason::VersionMismatch)));
}

#[test]
fn unsigned_hints_decide_nothing() {
    // Annotations, artifact types and the list's own say call an attestation a signature.
    let forge = Forge::new();
    let attestation = forge.statement().replace("sigstore.dev/cosign/sign/v1", "slsa.dev/provenance/v1");
    forge.annotated_bundle(&forge.signed(&attestation), "https://sigstore.dev/cosign/sign/v1");
    assert_eq!(why(forge.verify(&by(&[&forge.key])).unwrap_err()).1, Some(Reason::NotASignature));
    // And a signature something else.
    let forge = Forge::new();
    forge.annotated_bundle(&forge.signature(), "https://slsa.dev/provenance/v1");
    forge.verify(&by(&[&forge.key])).unwrap();
}

#[test]
fn referrers_of_other_kinds_push_no_signature_out_of_sight() {
    // More than are examined, and the signature behind them all.
    let forge = Forge::new();
    let other = |n: u32| {
        json!({"mediaType": MANIFEST, "digest": format!("sha256:{n:064x}"), "size": 877, "artifactType": "text/x"})
            .to_string()
    };
    let mut entries: Vec<String> = (0..100).map(other).collect();
    entries.push(forge.referrer(&forge.signature(), ""));
    forge.listed(entries);
    forge.verify(&by(&[&forge.key])).unwrap();
}

#[test]
fn signatures_of_one_key_do_not_add_up() {
    let forge = Forge::new();
    let entries = vec![forge.referrer(&forge.signature(), ""), forge.referrer(&forge.signature(), "")];
    forge.signature_tag(&forge.payload());
    forge.listed(entries);
    let other = SigningKey::generate().unwrap();
    let keys = [&forge.key, &other].map(|key| TrustedKey::new(key.public_key().clone()));
    let two = Policy::Keys(KeyPolicy::new(keys, Tlog::IgnoreExplicitly).with_threshold(2));
    let error = forge.verify(&two).unwrap_err();
    assert_eq!(why(error), (ErrorKind::PolicyDenied, Some(Reason::ThresholdNotMet)));
}

#[test]
fn a_key_that_has_expired_counts_no_more() {
    let forge = Forge::new();
    forge.bundle(&forge.signature());
    let trusted = TrustedKey::new(forge.key.public_key().clone())
        .with_not_after("2020-01-01T00:00:00Z".parse().unwrap());
    let policy = Policy::Keys(KeyPolicy::new([trusted], Tlog::IgnoreExplicitly));
    assert_eq!(why(forge.verify(&policy).unwrap_err()), (ErrorKind::PolicyDenied, Some(Reason::KeyNotValid)));
    // It was renewed under a second entry: one that is open is enough, wherever it stands.
    let Policy::Keys(KeyPolicy { keys, .. }) = policy else { unreachable!() };
    let open = TrustedKey::new(forge.key.public_key().clone());
    for windows in [[keys[0].clone(), open.clone()], [open.clone(), keys[0].clone()]] {
        forge.verify(&Policy::Keys(KeyPolicy::new(windows, Tlog::IgnoreExplicitly))).unwrap();
    }
}

#[test]
fn a_signature_that_was_copied_here_is_told() {
    let forge = Forge::new();
    forge.signature_tag(&forge.payload());
    forge.listed(Vec::new());
    forge.verify(&by(&[&forge.key])).unwrap();
    let here = Policy::Keys(forge.policy().with_identity("registry.example/charts/other"));
    assert_eq!(
        why(forge.verify(&here).unwrap_err()),
        (ErrorKind::PolicyDenied, Some(Reason::IdentityMismatch))
    );
    // An old release under a new tag.
    forge.registry.tag("2.0.0", &forge.chart);
    let store = store(&forge.registry);
    let error = block(verify(&Context::default(), &store, &version("2.0.0"), &by(&[&forge.key]), &options()));
    assert_eq!(why(error.unwrap_err()), (ErrorKind::PolicyDenied, Some(Reason::VersionMismatch)));
    // A tag that is no version promises none, nor does one that is the beginning of many.
    for tag in ["stable", "1.2", "v1", "2"] {
        forge.registry.tag(tag, &forge.chart);
        let selector = Selector::Tag(tag.parse().unwrap());
        block(verify(&Context::default(), &store, &selector, &by(&[&forge.key]), &options())).unwrap();
    }
}

#[test]
fn what_could_not_be_checked_is_neither_a_yes_nor_a_no() {
    let forge = Forge::new();
    forge.signature_tag(&forge.payload());
    forge.registry.referrers(Listing::Status(500));
    let stranger = SigningKey::generate().unwrap();
    let leaf = |key: &SigningKey, format| {
        let policy = KeyPolicy::new([TrustedKey::new(key.public_key().clone())], Tlog::IgnoreExplicitly);
        Policy::Keys(policy.with_formats([format]))
    };
    let yes = || leaf(&forge.key, Format::SignatureTag);
    let no = || leaf(&stranger, Format::SignatureTag);
    let unread = || leaf(&forge.key, Format::Bundle);
    for (name, policy, kind) in [
        ("all of yes and unread", Policy::All(vec![yes(), unread()]), Some(ErrorKind::CouldNotCheck)),
        ("all of no and unread", Policy::All(vec![unread(), no()]), Some(ErrorKind::SignatureInvalid)),
        ("all of yes and no", Policy::All(vec![yes(), no()]), Some(ErrorKind::SignatureInvalid)),
        ("any of yes and unread", Policy::Any(vec![unread(), yes()]), None),
        ("any of no and unread", Policy::Any(vec![no(), unread()]), Some(ErrorKind::CouldNotCheck)),
        ("any of yes and no", Policy::Any(vec![no(), yes()]), None),
    ] {
        assert_eq!(forge.verify(&policy).err().map(|error| error.kind()), kind, "{name}");
    }
}

fn options() -> VerifyOptions {
    VerifyOptions::default()
}

fn store(registry: &Hostile) -> Arc<dyn Store> {
    store_at(&registry.host())
}

pub(crate) fn store_at(host: &str) -> Arc<dyn Store> {
    let host = Host::parse(host).unwrap();
    let address = RepositoryAddress::parse(&format!("{host}/charts/web")).unwrap();
    let options = ConnectionOptions::default().with_plain_http(host);
    Arc::new(Registries::new(options, StaticCredentials::default()).unwrap().repository(&address).unwrap())
}

impl Forge {
    fn verify(&self, policy: &Policy) -> Result<Verified<Descriptor>> {
        block(verify(&Context::default(), &store(&self.registry), &version("1.2.3"), policy, &options()))
    }

    fn policy(&self) -> KeyPolicy {
        KeyPolicy::new([TrustedKey::new(self.key.public_key().clone())], Tlog::IgnoreExplicitly)
    }

    #[track_caller]
    fn refused_by(&self, key: &SigningKey, formats: &[Format], kind: ErrorKind, reason: Reason) {
        let policy = KeyPolicy::new([TrustedKey::new(key.public_key().clone())], Tlog::IgnoreExplicitly);
        let error: Error =
            self.verify(&Policy::Keys(policy.with_formats(formats.iter().copied()))).unwrap_err();
        assert_eq!(why(error), (kind, Some(reason)));
    }

    fn hex(&self) -> String {
        self.chart.parse::<Digest>().unwrap().hex()
    }
}
