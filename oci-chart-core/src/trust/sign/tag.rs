use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::bundle::mention;
use crate::{
    context::Context,
    error::{Error, ErrorKind, Result},
    json,
    name::{Selector, Tag},
    oci::{Descriptor, Manifest, MediaType},
    store::{Blob, Store, TagMode},
    trust::{
        SignOptions, Signer, discover::companion_tag, keys::SIGNATURE, sign::checked_signature,
        simple_signing,
    },
};

/// How often a list is written that somebody else writes at the same time.
const ATTEMPTS: u32 = 5;

/// How often it is read afterwards, where writing it is not one step.
const LOOKS: u32 = 3;

fn payload_type() -> MediaType {
    MediaType::from("application/vnd.dev.cosign.simplesigning.v1+json")
}

/// Appends a layer with a signature of `subject` to what the signature tag holds; tells whether that was needed.
pub(super) async fn append(
    cx: &Context,
    to: &dyn Store,
    subject: &Descriptor,
    identity: &str,
    signer: &dyn Signer,
    options: &SignOptions,
) -> Result<(Tag, Descriptor, bool)> {
    let tag = companion_tag(&subject.digest, "sig")?;
    let payload = Bytes::from(simple_signing::write(identity, &subject.digest, &options.annotations));
    let blob = Blob::from_bytes(payload_type(), payload.clone());
    let mut there = look(to, &tag).await?;
    if let Some(there) = &there
        && options.keep_existing
        && there.has(blob.descriptor(), &payload, signer)
    {
        return Ok((tag, there.manifest.descriptor().clone(), false));
    }
    let signature = STANDARD.encode(checked_signature(signer, &payload).await?);
    to.push(&blob, &[]).await?;
    for _ in 0..ATTEMPTS {
        cx.check()?;
        let layer = Layer { descriptor: blob.descriptor(), signature: &signature };
        // Undone and done again by others, it is not to be there twice.
        if !there.as_ref().is_some_and(|there| there.holds(&layer)) {
            let (config, manifest) = write(there.as_ref(), &layer, options.limits.signature_layers)?;
            to.push(&config, &[]).await?;
            let mode = match &there {
                Some(there) => TagMode::Expect(there.manifest.descriptor().digest),
                None => TagMode::Create,
            };
            match to.push(&manifest, &[(tag.clone(), mode)]).await {
                Ok(_) => {}
                Err(error) if matches!(error.kind(), ErrorKind::Conflict | ErrorKind::AlreadyExists) => {}
                Err(error) => return Err(error),
            }
        }
        // Whoever read before our write and wrote after it has undone it. In a registry that may be a moment later.
        let looks = if to.traits().atomic_tags { 1 } else { LOOKS };
        let mut stays = true;
        for _ in 0..looks {
            there = look(to, &tag).await?;
            stays = stays && there.as_ref().is_some_and(|there| there.holds(&layer));
        }
        if let (true, Some(there)) = (stays, &there) {
            return Ok((tag, there.manifest.descriptor().clone(), true));
        }
    }
    Err(Error::new(ErrorKind::Conflict, "others keep signing at the same time")
        .with_context("tag", tag)
        .with_context("attempts", ATTEMPTS)
        .with_hint("sign one after the other, or write bundles, which do not share a tag"))
}

/// What the tag holds.
struct There {
    manifest: Manifest,
    /// The layers as they stand there, byte for byte.
    layers: Vec<Box<RawValue>>,
}

struct Layer<'a> {
    descriptor: &'a Descriptor,
    signature: &'a str,
}

impl There {
    /// Whether `signer` signed this very payload already.
    fn has(&self, blob: &Descriptor, payload: &[u8], signer: &dyn Signer) -> bool {
        self.manifest.layers().iter().filter(|layer| layer.digest == blob.digest).any(|layer| {
            let signature = layer.annotations.get(SIGNATURE).and_then(|text| STANDARD.decode(text).ok());
            signature.is_some_and(|signature| signer.public_key().verifies(payload, &signature))
        })
    }

    fn holds(&self, layer: &Layer<'_>) -> bool {
        self.manifest.layers().iter().any(|other| {
            other.digest == layer.descriptor.digest
                && other.annotations.get(SIGNATURE).is_some_and(|text| text == layer.signature)
        })
    }
}

async fn look(store: &dyn Store, tag: &Tag) -> Result<Option<There>> {
    #[derive(Deserialize)]
    struct View {
        layers: Option<Vec<Box<RawValue>>>,
    }
    let (descriptor, bytes) = match store.fetch_manifest(&Selector::Tag(tag.clone())).await {
        Ok(found) => found,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let manifest = Manifest::parse(&descriptor, bytes).map_err(|error| {
        error.with_context("tag", tag).with_hint("the signature tag holds something else; remove it")
    })?;
    let view: View = serde_json::from_slice(manifest.bytes()).map_err(|error| {
        Error::new(ErrorKind::InvalidManifest, "the signature tag's manifest cannot be read")
            .with_source(error)
    })?;
    Ok(Some(There { manifest, layers: view.layers.unwrap_or_default() }))
}

/// Configuration and manifest as cosign writes them, with one more layer than there was.
fn write(there: Option<&There>, layer: &Layer<'_>, most: u32) -> Result<(Blob, Blob)> {
    let (old, digests): (&[_], Vec<_>) = match there {
        Some(there) => (&there.layers, there.manifest.layers().iter().map(|layer| layer.digest).collect()),
        None => (&[], Vec::new()),
    };
    if old.len() >= most as usize {
        return Err(Error::limit(
            "signature_layers",
            most,
            "the signature tag has as many signatures as are read",
        )
        .with_context("signatures", old.len()));
    }
    const HISTORY: &str = r#"{"created":"0001-01-01T00:00:00Z"}"#;
    let all = digests.iter().chain([&layer.descriptor.digest]);
    let config = format!(
        r#"{{"architecture":"","created":"0001-01-01T00:00:00Z","history":[{}],"os":"","rootfs":{{"type":"layers","diff_ids":[{}]}},"config":{{}}}}"#,
        vec![HISTORY; digests.len() + 1].join(","),
        all.map(|digest| format!("\"{digest}\"")).collect::<Vec<_>>().join(",")
    );
    let config = Blob::from_bytes(MediaType::OCI_CONFIG, config);
    let mut layers: Vec<String> = old.iter().map(|layer| layer.get().to_owned()).collect();
    let mut new = mention(layer.descriptor);
    new.pop();
    new.push_str(",\"annotations\":{");
    json::string(&mut new, SIGNATURE);
    new.push(':');
    json::string(&mut new, layer.signature);
    new.push_str("}}");
    layers.push(new);
    let manifest = format!(
        r#"{{"schemaVersion":2,"mediaType":"{}","config":{},"layers":[{}]}}"#,
        MediaType::OCI_MANIFEST,
        mention(config.descriptor()),
        layers.join(",")
    );
    Ok((config, Blob::from_bytes(MediaType::OCI_MANIFEST, manifest)))
}
