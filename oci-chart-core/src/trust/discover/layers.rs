use std::collections::BTreeMap;

use crate::{
    oci::{Descriptor, MediaType},
    trust::{
        flaw::{Flaw, shown},
        strict_json::{self, Json},
    },
};

/// A layer of a manifest that holds signatures: what it is, and cosign's annotations of it. Nothing else that stands there is kept, however
/// much of it there is.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::trust) struct Layer {
    pub(in crate::trust) descriptor: Descriptor,
    pub(super) annotations: BTreeMap<String, String>,
}

/// The layers of a manifest, at most so many; whether there are more.
pub(super) fn layers(manifest: &Descriptor, bytes: &[u8], most: usize) -> Result<(Vec<Layer>, bool), Flaw> {
    if manifest.media_type.is_index() || !manifest.media_type.is_manifest() {
        let kind = shown(manifest.media_type.as_str());
        return Err(Flaw::malformed(format!("the manifest is none that holds signatures: {kind}")));
    }
    let json = strict_json::parse(bytes)?;
    if json.entries().is_none() {
        return Err(Flaw::malformed("the manifest is no object"));
    }
    let mut items = json.get("layers").and_then(Json::items).into_iter().flatten();
    let layers = items.by_ref().take(most).map(Layer::read).collect::<Result<_, _>>()?;
    Ok((layers, items.next().is_some()))
}

impl Layer {
    pub(in crate::trust) fn read(json: Json<'_>) -> Result<Self, Flaw> {
        let text = |key: &str| json.get(key).and_then(Json::text);
        let wrong = || Flaw::malformed("a layer of the manifest lacks its type, digest or size");
        let media_type = text("mediaType").ok_or_else(wrong)?;
        let digest = text("digest").and_then(|digest| digest.parse().ok()).ok_or_else(wrong)?;
        let size = json.get("size").and_then(Json::integer).ok_or_else(wrong)?;
        let known = json.get("annotations").and_then(Json::entries).into_iter().flatten();
        let known = known.filter(|(key, _)| {
            key.starts_with("dev.cosignproject.cosign/") || key.starts_with("dev.sigstore.cosign/")
        });
        let annotations =
            known.filter_map(|(key, value)| Some((key.into_owned(), value.text()?.into_owned())));
        Ok(Self {
            descriptor: Descriptor::new(MediaType::from(&*media_type), digest, size),
            annotations: annotations.collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Reason;

    fn read(text: &str, most: usize) -> Result<(Vec<Layer>, bool), Flaw> {
        layers(&Descriptor::of(MediaType::OCI_MANIFEST, text), text.as_bytes(), most)
    }

    #[test]
    fn only_what_cosign_writes_is_kept() {
        let digest = crate::Digest::of("x");
        let layer = format!(
            r#"{{"mediaType":"a/b","digest":"{digest}","size":1,"annotations":{{"dev.sigstore.cosign/chain":"c","other":"o"}}}}"#
        );
        let text = format!(r#"{{"schemaVersion":2,"layers":[{layer},{layer}]}}"#);
        let (found, more) = read(&text, 2).unwrap();
        assert_eq!((found.len(), more), (2, false));
        assert_eq!(found[0].annotations, [("dev.sigstore.cosign/chain".to_owned(), "c".to_owned())].into());
        assert_eq!(found[0].descriptor, Descriptor::new("a/b".into(), digest, 1));
        assert!(read(&text, 1).unwrap().1);
        for text in [
            "",
            "[]",
            r#"{"layers":[{}]}"#,
            r#"{"layers":[]}x"#,
            &text.replace("\"size\":1", "\"size\":-1"),
            &text.replace("sha256", "md5"),
        ] {
            assert_eq!(read(text, 2).unwrap_err().reason, Reason::MalformedSignature, "{text}");
        }
        for none in ["{}", r#"{"layers":null}"#, r#"{"layers":[]}"#] {
            assert_eq!(read(none, 2), Ok((Vec::new(), false)), "{none}");
        }
        let twice = text.replacen("\"size\"", "\"Size\":2,\"size\"", 1);
        assert_eq!(read(&twice, 2).unwrap_err().reason, Reason::DuplicateKey);
        let index = Descriptor::of(MediaType::OCI_INDEX, &text);
        assert!(layers(&index, text.as_bytes(), 2).is_err());
    }
}
