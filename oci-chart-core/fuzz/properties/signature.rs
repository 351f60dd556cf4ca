//! Whatever is found where signatures lie: nobody's bytes verify, and a key holder's bytes only if they say what a signature says.

use std::sync::{Arc, OnceLock};

use oci_chart_core::{
    Context, Digest, Error, ErrorKind,
    name::Selector,
    oci::MediaType,
    store::{Blob, Memory, Store, TagMode},
    trust::{KeyPolicy, Policy, PublicKey, Signer, SigningKey, Tlog, TrustedKey, VerifyOptions, verify},
};

const CHART: &str = r#"{"schemaVersion":2}"#;

pub(crate) fn check(bytes: &[u8]) {
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = text.parse::<PublicKey>();
        // Who has no password still reads the envelope.
        let _ = SigningKey::from_pem(text, || Err(Error::cancelled()));
        if let Ok(policy) = Policy::from_json(text) {
            assert_eq!(Policy::from_json(&policy.to_json()).ok(), Some(policy));
        }
    }
    static KEY: OnceLock<SigningKey> = OnceLock::new();
    let key = KEY.get_or_init(|| SigningKey::generate().expect("random numbers"));
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(async {
        let signature = key.sign(bytes).await.expect("a signature");
        let signed_payload =
            layer("application/vnd.dev.cosign.simplesigning.v1+json", bytes, Some(&signature));
        let any_bundle = layer("application/vnd.dev.sigstore.bundle.v0.3+json", bytes, None);
        for (layer, tag) in [(signed_payload, Some("sig")), (any_bundle, None)] {
            let result = verify_with(key, bytes, &layer, tag).await;
            // Signed bytes are good only where they name this very chart.
            if result.is_ok() {
                let text = std::str::from_utf8(bytes).expect("JSON is text");
                assert!(tag.is_some() && text.contains(&Digest::of(CHART).hex()), "{text}");
            }
        }
    });
}

async fn verify_with(key: &SigningKey, blob: &[u8], layer: &str, tag: Option<&str>) -> Result<(), ErrorKind> {
    let store: Arc<dyn Store> = Arc::new(Memory::default());
    let chart = Blob::from_bytes(MediaType::OCI_MANIFEST, CHART);
    let digest = chart.descriptor().digest;
    let subject = format!(
        r#""subject":{{"mediaType":"{}","size":{},"digest":"{digest}"}},"#,
        MediaType::OCI_MANIFEST,
        CHART.len()
    );
    let subject = if tag.is_some() { "" } else { &subject };
    let manifest = format!(r#"{{"schemaVersion":2,{subject}"layers":[{layer}]}}"#);
    let manifest = Blob::from_bytes(MediaType::OCI_MANIFEST, manifest);
    let tags: Vec<_> = tag
        .iter()
        .map(|suffix| format!("sha256-{}.{suffix}", digest.hex()).parse().expect("a tag"))
        .map(|tag| (tag, TagMode::Replace))
        .collect();
    let blob = Blob::from_bytes("application/octet-stream".into(), blob.to_vec());
    for (blob, tags) in [(&chart, &[][..]), (&blob, &[]), (&manifest, &tags)] {
        store.push(blob, tags).await.expect("memory takes everything");
    }
    let trusted = TrustedKey::new(key.public_key().clone());
    let policy = Policy::Keys(KeyPolicy::new([trusted], Tlog::IgnoreExplicitly));
    let options = VerifyOptions::default();
    let verified = verify(&Context::default(), &store, &Selector::Digest(digest), &policy, &options).await;
    verified.map(drop).map_err(|error| error.kind())
}

fn layer(media_type: &str, bytes: &[u8], signature: Option<&[u8]>) -> String {
    let annotations = signature.map(|signature| {
        use base64::{Engine as _, engine::general_purpose::STANDARD};
        let signature = STANDARD.encode(signature);
        format!(r#","annotations":{{"dev.cosignproject.cosign/signature":"{signature}"}}"#)
    });
    format!(
        r#"{{"mediaType":"{media_type}","size":{},"digest":"{}"{}}}"#,
        bytes.len(),
        Digest::of(bytes),
        annotations.unwrap_or_default()
    )
}
