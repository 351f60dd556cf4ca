//! Signatures that we make: every key, both forms, every store; appended, repeated, and made by somebody else's hands.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use oci_chart_core::{
    Client, Context, Digest, Error, ErrorKind, Location, Reason, Result, blocking,
    name::Selector,
    store::{Layout, Memory, Store, StoreExt as _},
    trust::{
        CallbackSigner, Format, KeyAlgorithm, Policy, PublicKey, SignOptions, Signer, SigningKey,
        VerifyOptions, sign, verify,
    },
};
use oci_chart_testkit::Registry;

use super::support::{SUBJECT, check, fixtures, policy, private, public, push, selector, signed, trusting};
use crate::remote::{block, repository};

/// A chart in each kind of store, and what to call the store.
fn everywhere(test: impl Fn(&str, Arc<dyn Store>)) {
    let directory = tempfile::tempdir().unwrap();
    test("memory", Arc::new(Memory::default()));
    test("layout", Arc::new(Layout::new(directory.path().join("layout"))));
    for api in [true, false] {
        let registry = Registry::builder().referrers_api(api).start_blocking().unwrap();
        let store: Arc<dyn Store> = Arc::new(repository(&registry, "charts/web"));
        test(if api { "registry" } else { "registry without referrers API" }, store);
    }
}

fn only(key: &PublicKey, format: Format) -> Policy {
    Policy::Keys(trusting(&[key]).with_formats([format]))
}

fn both() -> SignOptions {
    SignOptions::default().with_formats(Format::COSIGN).with_identity("registry.example/charts/web")
}

#[test]
fn both_forms_are_made_and_taken_everywhere() {
    everywhere(|name, store| {
        let chart = push(&store, "1.2.3");
        let (one, two) = (SigningKey::generate().unwrap(), SigningKey::generate().unwrap());
        let error = check(&store, "1.2.3", &policy(&[one.public_key()])).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotSigned, "{name}");

        let first = signed(&store, &chart, &one, &both()).unwrap();
        assert_eq!(first.kept, [], "{name}");
        let again = signed(&store, &chart, &one, &both()).unwrap();
        assert_eq!(again.kept, [Format::SignatureTag, Format::Bundle], "{name}: twice is once");
        let digests = |signed: &oci_chart_core::trust::Signed| {
            (
                signed.bundle.as_ref().map(|bundle| bundle.digest),
                signed.signature_tag.as_ref().map(|behind| (behind.tag.clone(), behind.manifest.digest)),
            )
        };
        assert_eq!(digests(&first), digests(&again), "{name}");
        signed(&store, &chart, &two, &both()).unwrap();
        for key in [&one, &two] {
            for format in Format::COSIGN {
                let verified = check(&store, "1.2.3", &only(key.public_key(), format)).unwrap();
                assert_eq!(verified.get().digest, chart.digest, "{name}: signing changes no chart");
            }
        }
        let keys = [one.public_key(), two.public_key()];
        check(&store, "1.2.3", &Policy::Keys(trusting(&keys).with_threshold(2))).unwrap();
        let stranger = SigningKey::generate().unwrap();
        let three = [one.public_key(), two.public_key(), stranger.public_key()];
        let error = check(&store, "1.2.3", &Policy::Keys(trusting(&three).with_threshold(3))).unwrap_err();
        assert_eq!((error.kind(), error.reason()), (ErrorKind::PolicyDenied, Some(Reason::ThresholdNotMet)));
        let each = |key: &SigningKey| policy(&[key.public_key()]);
        check(&store, "1.2.3", &Policy::All(vec![each(&one), each(&two)])).unwrap();
        check(&store, "1.2.3", &Policy::Any(vec![each(&stranger), each(&two)])).unwrap();
        let error = check(&store, "1.2.3", &Policy::All(vec![each(&one), each(&stranger)])).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::SignatureInvalid, "{name}");
    });
}

#[test]
fn every_kind_of_key_signs_what_it_checks() {
    const TEST: &str = "every_kind_of_key_signs_what_it_checks";
    for name in ["cosign3", "rsa2048", "p384", "p521", "ed25519"] {
        let Some(key) = private(TEST, &format!("{name}.key")) else { return };
        let store: Arc<dyn Store> = Arc::new(Memory::default());
        let chart = push(&store, "1.2.3");
        signed(&store, &chart, &key, &both()).unwrap();
        for format in Format::COSIGN {
            check(&store, "1.2.3", &only(key.public_key(), format))
                .unwrap_or_else(|e| panic!("{name}: {e:?}"));
        }
    }
}

#[test]
fn annotations_and_identities_are_signed_and_asked_for() {
    let store: Arc<dyn Store> = Arc::new(Memory::default());
    let chart = push(&store, "1.2.3");
    let key = SigningKey::generate().unwrap();
    signed(&store, &chart, &key, &both().with_annotation("env", "<prod>")).unwrap();
    for format in Format::COSIGN {
        let asking = |value: &str| {
            let policy = trusting(&[key.public_key()]).with_formats([format]).with_annotation("env", value);
            check(&store, "1.2.3", &Policy::Keys(policy))
        };
        asking("<prod>").unwrap();
        let error = asking("dev").unwrap_err();
        assert_eq!(
            (error.kind(), error.reason()),
            (ErrorKind::PolicyDenied, Some(Reason::AnnotationMismatch))
        );
    }
    let for_repository = |format, repository: &str| {
        let policy = trusting(&[key.public_key()]).with_formats([format]).with_identity(repository);
        check(&store, "1.2.3", &Policy::Keys(policy)).map_err(|error| error.reason())
    };
    assert!(for_repository(Format::SignatureTag, "registry.example/charts/web").is_ok());
    for (format, repository) in [
        (Format::SignatureTag, "registry.example/charts/other"),
        // A bundle of cosign's names no repository.
        (Format::Bundle, "registry.example/charts/web"),
    ] {
        assert_eq!(for_repository(format, repository).unwrap_err(), Some(Reason::IdentityMismatch));
    }
}

#[test]
fn what_cosign_signed_is_appended_to() {
    const TEST: &str = "what_cosign_signed_is_appended_to";
    let Some(fixtures) = fixtures(TEST) else { return };
    let theirs = Layout::new(fixtures.join("layouts/sig-two-keys"));
    let store: Arc<dyn Store> = Arc::new(Memory::default());
    let tag = format!("{}.sig", SUBJECT.replace(':', "-"));
    let subject = block(async {
        for reference in ["1.2.3", &tag] {
            use oci_chart_core::store::{Blob, TagMode};
            let at = Selector::Tag(reference.parse().unwrap());
            let (manifest, bytes) = theirs.fetch_manifest(&at).await.unwrap();
            let parsed = oci_chart_core::oci::Manifest::parse(&manifest, bytes.clone()).unwrap();
            for blob in parsed.layers().iter().chain(parsed.config()) {
                let content = theirs.fetch_content(blob).await.unwrap();
                store.push(&Blob::from_content(blob.clone(), content), &[]).await.unwrap();
            }
            let manifest = Blob::from_content(manifest, bytes.into());
            store.push(&manifest, &[(reference.parse().unwrap(), TagMode::Create)]).await.unwrap();
        }
        store.resolve(&Selector::Tag("1.2.3".parse().unwrap())).await.unwrap()
    });
    assert_eq!(subject.digest.to_string(), SUBJECT);
    let ours = SigningKey::generate().unwrap();
    let options = SignOptions::default().with_formats([Format::SignatureTag]).with_identity("h/r");
    signed(&store, &subject, &ours, &options).unwrap();
    for key in
        [&public(TEST, "cosign2.pub").unwrap(), &public(TEST, "cosign3.pub").unwrap(), ours.public_key()]
    {
        check(&store, "1.2.3", &policy(&[key])).unwrap();
    }
    let now = block(store.fetch_manifest(&Selector::Tag(tag.parse().unwrap()))).unwrap();
    let manifest = oci_chart_core::oci::Manifest::parse(&now.0, now.1).unwrap();
    let config = block(store.fetch_bytes(manifest.config().unwrap(), 1 << 20)).unwrap();
    let config: serde_json::Value = serde_json::from_slice(&config).unwrap();
    let layers: Vec<String> = manifest.layers().iter().map(|layer| layer.digest.to_string()).collect();
    let digests: Vec<&str> =
        config["rootfs"]["diff_ids"].as_array().unwrap().iter().map(|id| id.as_str().unwrap()).collect();
    assert_eq!(digests, layers);
    let theirs = block(theirs.fetch_manifest(&Selector::Tag(tag.parse().unwrap()))).unwrap().1;
    let layers_of = |bytes: &[u8]| {
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        text.split_once("\"layers\":[").unwrap().1.trim_end_matches("]}").to_owned()
    };
    assert!(
        layers_of(manifest.bytes()).starts_with(&layers_of(&theirs)),
        "what was there stays byte for byte"
    );
}

#[test]
fn the_bytes_are_cosign_s() {
    let store: Arc<dyn Store> = Arc::new(Memory::default());
    let chart = push(&store, "1.2.3");
    let key = SigningKey::generate().unwrap();
    let signed = signed(&store, &chart, &key, &both()).unwrap();
    let tag = signed.signature_tag.unwrap().tag;
    assert_eq!(tag.as_str(), format!("sha256-{}.sig", chart.digest.hex()));
    let (descriptor, bytes) = block(store.fetch_manifest(&Selector::Tag(tag))).unwrap();
    let manifest = oci_chart_core::oci::Manifest::parse(&descriptor, bytes.clone()).unwrap();
    let config = manifest.config().unwrap();
    let layer = &manifest.layers()[0];
    // The lengths that cosign 2 and 3 have been seen to write; a signature is 94 to 96 characters long.
    assert_eq!((config.size, config.media_type.as_str()), (233, "application/vnd.oci.image.config.v1+json"));
    let signature = &layer.annotations["dev.cosignproject.cosign/signature"];
    assert_eq!(bytes.len() - signature.len(), 558 - 96);
    let bundle = signed.bundle.unwrap();
    let (descriptor, bytes) = block(store.fetch_manifest(&Selector::Digest(bundle.digest))).unwrap();
    let manifest = oci_chart_core::oci::Manifest::parse(&descriptor, bytes).unwrap();
    assert_eq!(manifest.subject().unwrap().digest, chart.digest);
    let kind = "application/vnd.dev.sigstore.bundle.v0.3+json";
    assert_eq!(manifest.artifact_type().unwrap().as_str(), kind);
    assert_eq!(
        manifest.annotations()["dev.sigstore.bundle.predicateType"],
        "https://sigstore.dev/cosign/sign/v1"
    );
}

#[test]
fn two_who_sign_at_once_both_have_signed() {
    for api in [true, false] {
        let registry = Registry::builder()
            .referrers_api(api)
            .latency(Duration::from_millis(20))
            .start_blocking()
            .unwrap();
        let store: Arc<dyn Store> = Arc::new(repository(&registry, "charts/web"));
        let chart = push(&store, "1.2.3");
        let keys = [SigningKey::generate().unwrap(), SigningKey::generate().unwrap()];
        // Two processes: they share neither locks nor what they have learnt.
        let stores: [Arc<dyn Store>; 2] =
            [(); 2].map(|()| Arc::new(repository(&registry, "charts/web")) as Arc<dyn Store>);
        let cx = Context::default();
        let options = both();
        let work = keys.iter().zip(&stores).map(|(key, store)| sign(&cx, store, &chart, key, &options));
        for signed in block(futures_util::future::join_all(work)) {
            signed.unwrap();
        }
        for key in &keys {
            for format in Format::COSIGN {
                check(&store, "1.2.3", &only(key.public_key(), format)).unwrap();
            }
        }
    }
}

#[test]
fn a_signer_may_be_a_function() {
    let store: Arc<dyn Store> = Arc::new(Memory::default());
    let chart = push(&store, "1.2.3");
    let key = SigningKey::generate().unwrap();
    let asked = Arc::new(AtomicUsize::new(0));
    let (counter, inner) = (Arc::clone(&asked), key.clone());
    let remote = CallbackSigner::new(key.public_key().clone(), move |message| {
        counter.fetch_add(1, Ordering::Relaxed);
        block(inner.sign(message))
    });
    signed(&store, &chart, &remote, &both()).unwrap();
    assert_eq!(asked.load(Ordering::Relaxed), 2);
    check(&store, "1.2.3", &policy(&[key.public_key()])).unwrap();
    assert_eq!(key.public_key().prehash(b"abc"), Digest::of("abc").as_bytes());
    assert_eq!(key.public_key().algorithm(), KeyAlgorithm::EcdsaP256);

    // Nothing is published that its own key does not confirm.
    let other = SigningKey::generate().unwrap();
    let confused = CallbackSigner::new(other.public_key().clone(), |_| Ok(vec![1, 2, 3]));
    let error = signed(&store, &chart, &confused, &both()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::SignatureInvalid);
    let failing = CallbackSigner::new(other.public_key().clone(), |_| {
        Err(Error::new(ErrorKind::PermissionDenied, "the token is locked"))
    });
    assert_eq!(signed(&store, &chart, &failing, &both()).unwrap_err().kind(), ErrorKind::PermissionDenied);
    let error = check(&store, "1.2.3", &policy(&[other.public_key()])).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::SignatureInvalid);
}

#[test]
fn a_caller_that_waits_signs_on_its_own_thread() {
    struct Token(SigningKey, std::thread::ThreadId);
    impl blocking::Host for Token {
        fn sign(&mut self, key: &PublicKey, message: &[u8]) -> Result<Vec<u8>> {
            assert_eq!((std::thread::current().id(), key), (self.1, self.0.public_key()));
            block(self.0.sign(message))
        }
    }
    let directory = tempfile::tempdir().unwrap();
    let location = Location::layout(directory.path());
    let client = blocking::Client::new(Client::builder().build().unwrap());
    let store = client.client().open(&location).unwrap();
    let chart = push(&store, "1.2.3");
    let mut host = Token(SigningKey::generate().unwrap(), std::thread::current().id());
    let key = host.0.public_key().clone();
    let signer = Arc::new(blocking::HostSigner::new(key.clone()));
    client.sign(&location, &chart, signer.clone(), &SignOptions::default(), &mut host).unwrap();
    let options = VerifyOptions::default();
    let verified = client.verify(&location, &selector("1.2.3"), &policy(&[&key]), &options, &mut ()).unwrap();
    assert_eq!(verified.evidence().requirement.signers, [key.fingerprint().to_string()]);
    let evidence: serde_json::Value = serde_json::from_str(&verified.evidence().to_json()).unwrap();
    assert_eq!(evidence["outcome"], "verified");
    assert_eq!(evidence["requirement"]["candidates"][0]["format"], "bundle");
    let stranger = SigningKey::generate().unwrap();
    let policy = policy(&[stranger.public_key()]);
    let evidence = client.examine(&location, &selector("1.2.3"), &policy, &options, &mut ()).unwrap();
    assert_eq!(evidence.candidates()[0].reason, Some(Reason::NoTrustedKey));
    // Somebody without a token.
    let other = SignOptions::default().with_keep_existing(false);
    assert_eq!(
        client.sign(&location, &chart, signer, &other, &mut ()).unwrap_err().kind(),
        ErrorKind::Unsupported
    );
}

#[test]
fn signatures_may_lie_elsewhere() {
    let (charts, signatures): (Arc<dyn Store>, Arc<dyn Store>) =
        (Arc::new(Memory::default()), Arc::new(Memory::default()));
    let chart = push(&charts, "1.2.3");
    let (key, local) = (SigningKey::generate().unwrap(), SigningKey::generate().unwrap());
    let elsewhere = both().with_signatures(Arc::clone(&signatures));
    signed(&charts, &chart, &key, &elsewhere).unwrap();
    signed(&charts, &chart, &local, &both()).unwrap();
    let options = VerifyOptions::default().with_signatures(signatures);
    let cx = Context::default();
    let check = |key: &SigningKey, options: &VerifyOptions| {
        block(verify(&cx, &charts, &selector("1.2.3"), &policy(&[key.public_key()]), options))
            .map(drop)
            .map_err(|error| error.kind())
    };
    let here = VerifyOptions::default();
    assert_eq!(check(&key, &options), Ok(()));
    assert_eq!(check(&key, &here), Err(ErrorKind::SignatureInvalid));
    assert_eq!(
        check(&local, &options),
        Err(ErrorKind::SignatureInvalid),
        "the chart's own store is not asked"
    );
    assert_eq!(check(&local, &here), Ok(()));
}

#[test]
fn no_more_is_appended_than_is_read() {
    let store: Arc<dyn Store> = Arc::new(Memory::default());
    let chart = push(&store, "1.2.3");
    let mut options = SignOptions::default()
        .with_formats([Format::SignatureTag])
        .with_identity("registry.example/charts/web");
    options.limits.signature_layers = 2;
    let sign = |key: &SigningKey| signed(&store, &chart, key, &options);
    let first = SigningKey::generate().unwrap();
    sign(&first).unwrap();
    let there = sign(&SigningKey::generate().unwrap()).unwrap().signature_tag.unwrap();
    let error = sign(&SigningKey::generate().unwrap()).unwrap_err();
    assert_eq!((error.kind(), error.get("limit")), (ErrorKind::LimitExceeded, Some("signature_layers")));
    // What is there stays, and counts.
    assert_eq!(block(store.resolve(&there.tag.into())).unwrap().digest, there.manifest.digest);
    check(&store, "1.2.3", &only(first.public_key(), Format::SignatureTag)).unwrap();
}

#[test]
fn a_signature_tag_needs_a_repository_to_name() {
    let store: Arc<dyn Store> = Arc::new(Memory::default());
    let chart = push(&store, "1.2.3");
    let key = SigningKey::generate().unwrap();
    for formats in [&[Format::SignatureTag][..], &[], &[Format::Provenance]] {
        let options = SignOptions::default().with_formats(formats.iter().copied());
        assert_eq!(signed(&store, &chart, &key, &options).unwrap_err().kind(), ErrorKind::InvalidInput);
    }
    signed(&store, &chart, &key, &SignOptions::default()).unwrap();
}
