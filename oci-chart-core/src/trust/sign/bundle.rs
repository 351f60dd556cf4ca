use std::collections::BTreeMap;

use crate::{
    chart::Timestamp,
    context::Context,
    error::Result,
    json,
    oci::{Descriptor, MediaType},
    store::{Blob, Store},
    trust::{
        Format, SignOptions, Signer,
        attest::Demand,
        bundle::{self, Bundle},
        discover::{Found, bundle_type, discover},
        dsse,
        sign::checked_signature,
        statement::{self, COSIGN_SIGN},
    },
};

/// Attaches a bundle with a signature of `subject`; tells whether one had to be written.
pub(super) async fn sign(
    cx: &Context,
    to: &dyn Store,
    subject: &Descriptor,
    signer: &dyn Signer,
    options: &SignOptions,
) -> Result<(Descriptor, bool)> {
    let statement = statement::write_signature(&subject.digest, &options.annotations);
    if options.keep_existing
        && let Some(existing) =
            existing(cx, to, subject, signer, &statement, Demand::Signature, options).await?
    {
        return Ok((existing, false));
    }
    let created = match options.created {
        Some(created) => Some(created),
        None => Timestamp::from_environment()?,
    };
    let signature = checked_signature(signer, &dsse::pae(dsse::IN_TOTO, statement.as_bytes())).await?;
    let hint = signer.public_key().hint();
    let bundle = bundle::write(&hint, &statement, &signature);
    Ok((attach_bundle(cx, to, subject, bundle, COSIGN_SIGN, created).await?, true))
}

/// Pushes `bundle` as a referrer of `subject`: blobs, then the manifest by digest, then (by the store) the list of referrers where the registry keeps none.
pub(crate) async fn attach_bundle(
    cx: &Context,
    to: &dyn Store,
    subject: &Descriptor,
    bundle: String,
    predicate_type: &str,
    created: Option<Timestamp>,
) -> Result<Descriptor> {
    let config = Blob::from_bytes(MediaType::EMPTY_JSON, "{}");
    let bundle = Blob::from_bytes(bundle_type(), bundle);
    let manifest = manifest(config.descriptor(), bundle.descriptor(), subject, predicate_type, created);
    let manifest = Blob::from_bytes(MediaType::OCI_MANIFEST, manifest);
    for blob in [&config, &bundle, &manifest] {
        cx.check()?;
        to.push(blob, &[]).await?;
    }
    Ok(manifest.descriptor().clone())
}

/// The manifest of a bundle, with cosign's fields in cosign's order. The annotations are what Artifact Hub reads.
fn manifest(
    config: &Descriptor,
    bundle: &Descriptor,
    subject: &Descriptor,
    predicate_type: &str,
    created: Option<Timestamp>,
) -> String {
    let mut annotations = BTreeMap::from([
        ("dev.sigstore.bundle.content", "dsse-envelope".to_owned()),
        ("dev.sigstore.bundle.predicateType", predicate_type.to_owned()),
    ]);
    if let Some(created) = created {
        annotations.insert("org.opencontainers.image.created", created.to_string());
    }
    let mut text = format!(
        r#"{{"schemaVersion":2,"mediaType":"{}","config":{},"layers":[{}],"annotations":{{"#,
        MediaType::OCI_MANIFEST,
        mention(config),
        mention(bundle)
    );
    for (n, (key, value)) in annotations.iter().enumerate() {
        text.push_str(if n == 0 { "" } else { "," });
        json::string(&mut text, key);
        text.push(':');
        json::string(&mut text, value);
    }
    text.push_str(&format!(r#"}},"subject":{},"artifactType":"{}"}}"#, mention(subject), bundle_type()));
    text
}

/// A descriptor in the order in which cosign's library writes it.
pub(super) fn mention(descriptor: &Descriptor) -> String {
    let mut text = String::from("{\"mediaType\":");
    json::string(&mut text, descriptor.media_type.as_str());
    text.push_str(&format!(r#","size":{},"digest":"{}"}}"#, descriptor.size, descriptor.digest));
    text
}

/// The manifest of a bundle in which `signer` signed these very words.
pub(crate) async fn existing(
    cx: &Context,
    to: &dyn Store,
    subject: &Descriptor,
    signer: &dyn Signer,
    statement: &str,
    demand: Demand<'_>,
    options: &SignOptions,
) -> Result<Option<Descriptor>> {
    let limits = &options.limits;
    let all = discover(cx, to, subject, &[Format::Bundle], limits, demand).await?;
    let ours = |found: &&Found| {
        let Ok(content) = &found.content else { return false };
        let Ok(Bundle { envelope, .. }) = Bundle::parse(content, limits) else { return false };
        let Ok(signature) = envelope.signature() else { return false };
        envelope.payload() == statement.as_bytes()
            && signer.public_key().verifies(envelope.signed_bytes(), signature)
    };
    let Some(found) = all.found.iter().find(ours) else { return Ok(None) };
    to.resolve(&found.manifest.into()).await.map(Some)
}
