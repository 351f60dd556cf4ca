//! Whatever stands where signatures are listed and described, manifests, layers behind tags, attestations: it never verifies, nothing panics, and
//! what can be listed is listed.

use std::sync::Arc;

use oci_chart_core::{
    Context, Digest, Limits,
    name::Selector,
    oci::MediaType,
    store::{Blob, Memory, Store, TagMode},
    trust::{
        AttestationPolicy, Evidence, KeyPolicy, Policy, PredicateType, PublicKey, Tlog, TrustedKey,
        VerifyOptions, tree, verify, verify_attestation,
    },
};

const CHART: &str = r#"{"schemaVersion":2}"#;

/// Nobody has its private half.
const KEY: &str = "-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE0/hF6a35DhXHk0I26zyD6QMGs8wy
yr+KpKuYurXJ5MMzO179Bm6ISbTxGRNtPzB4o+dRemgD6Y+HqAhxzJP9ZQ==
-----END PUBLIC KEY-----
";

pub(crate) fn check(bytes: &[u8]) {
    let key: PublicKey = KEY.parse().expect("a key");
    let signers = Policy::Keys(KeyPolicy::new([TrustedKey::new(key)], Tlog::IgnoreExplicitly));
    let attested = AttestationPolicy::new(PredicateType::CYCLONEDX, signers.clone());
    let chart = Blob::from_bytes(MediaType::OCI_MANIFEST, CHART);
    let digest = chart.descriptor().digest;
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(async {
        let store: Arc<dyn Store> = Arc::new(Memory::default());
        let cx = Context::default();
        let put = async |blob: &Blob, tag: Option<&str>| {
            let tags: Vec<_> = tag
                .map(|suffix| format!("sha256-{}.{suffix}", digest.hex()).parse().expect("a tag"))
                .map(|tag| (tag, TagMode::Replace))
                .into_iter()
                .collect();
            // A store may refuse what it cannot read as a manifest.
            store.push(blob, &tags).await.is_ok()
        };
        put(&chart, None).await;
        // The bytes as the manifest behind both tags, and as a layer of one that is in order.
        put(&Blob::from_bytes(MediaType::OCI_MANIFEST, bytes.to_vec()), Some("sig")).await;
        put(&Blob::from_bytes("application/octet-stream".into(), bytes.to_vec()), None).await;
        let layer = format!(
            r#"{{"mediaType":"application/vnd.dsse.envelope.v1+json","size":{},"digest":"{}","annotations":{{"dev.cosignproject.cosign/signature":""}}}}"#,
            bytes.len(),
            Digest::of(bytes)
        );
        let manifest = format!(r#"{{"schemaVersion":2,"layers":[{layer}]}}"#);
        put(&Blob::from_bytes(MediaType::OCI_MANIFEST, manifest), Some("att")).await;
        let (selector, options) = (Selector::Digest(digest), VerifyOptions::default());
        for error in [
            verify(&cx, &store, &selector, &signers, &options).await.map(drop).expect_err("nobody signed"),
            verify_attestation(&cx, &store, &selector, &attested, &options).await.map(drop).expect_err("nobody attested"),
        ] {
            let evidence = Evidence::of(&error).expect("why not");
            assert!(!evidence.to_json().is_empty());
            // What strangers wrote is escaped.
            assert!(!error.to_string().contains(|letter: char| letter.is_control()), "{error:?}");
        }
        if let Ok(tree) = tree(&cx, &store, &selector, &Limits::default()).await {
            assert!(!tree.to_string().contains('\u{1b}') && !tree.to_json().is_empty());
        }
    });
}
