//! Descriptors as they stand in manifests and indexes of strangers.

use std::{collections::BTreeMap, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, MapAccess, SeqAccess, Visitor},
};

use super::invalid;
use crate::{
    error::{Error, Reason, Result},
    json::Object,
    oci::{Descriptor, MediaType},
};

/// A mention of content, of which anything may be missing.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Mention {
    media_type: Option<String>,
    digest: Option<String>,
    size: Option<serde_json::Number>,
    #[serde(default)]
    annotations: Annotations,
    artifact_type: Option<String>,
}

/// Why a mention is no descriptor.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Wrong {
    Missing(&'static str),
    Invalid(&'static str, String),
}

impl Mention {
    /// The descriptor, if it is one.
    pub(super) fn read(self) -> Result<Descriptor, Wrong> {
        let media_type =
            self.media_type.filter(|text| !text.is_empty()).ok_or(Wrong::Missing("mediaType"))?;
        let digest = self.digest.ok_or(Wrong::Missing("digest"))?;
        let digest = digest.parse().map_err(|error| Wrong::Invalid("digest", format!("{error}")))?;
        let size = self.size.ok_or(Wrong::Missing("size"))?;
        let bytes = size.as_u64();
        let bytes = bytes.ok_or_else(|| Wrong::Invalid("size", format!("{size} is no number of bytes")))?;
        let mut descriptor = Descriptor::new(media_type.into(), digest, bytes);
        descriptor.annotations = self.annotations.0;
        descriptor.artifact_type = self.artifact_type.filter(|kind| !kind.is_empty()).map(MediaType::from);
        Ok(descriptor)
    }
}

impl Wrong {
    /// The error for a mention that stands in `field`.
    pub(super) fn at(self, field: impl fmt::Display) -> Error {
        let (error, part) = match self {
            Self::Missing(part) => {
                (invalid(format!("`{field}.{part}` is missing")).with_reason(Reason::FieldMissing), part)
            }
            Self::Invalid(part, why) => {
                (invalid(format!("`{field}.{part}` is wrong: {why}")).with_reason(Reason::FieldInvalid), part)
            }
        };
        error.with_context("field", format!("{field}.{part}"))
    }
}

/// A list of mentions. Each is read as it comes and none behind the first that is wrong: a list of a million empty ones, three bytes each, takes
/// no more room than its text.
#[derive(Default)]
pub(in crate::oci) struct Mentions {
    read: Vec<Descriptor>,
    wrong: Option<Wrong>,
}

impl Mentions {
    /// The descriptors, if all are; `field` is where the list stands.
    pub(in crate::oci) fn read(self, field: &str) -> Result<Vec<Descriptor>> {
        match self.wrong {
            None => Ok(self.read),
            Some(wrong) => Err(wrong.at(format_args!("{field}[{}]", self.read.len()))),
        }
    }
}

impl<'de> Deserialize<'de> for Mentions {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Mentions;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of descriptors")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut from: A) -> Result<Mentions, A::Error> {
                let mut mentions = Mentions::default();
                while let Some(Object(mention)) = from.next_element::<Object<Mention>>()? {
                    match mention.read() {
                        Ok(descriptor) => mentions.read.push(descriptor),
                        Err(wrong) => {
                            mentions.wrong = Some(wrong);
                            break;
                        }
                    }
                }
                // The rest has to be JSON, too.
                while from.next_element::<IgnoredAny>()?.is_some() {}
                Ok(mentions)
            }
        }
        from.deserialize_seq(Reader)
    }
}

/// Annotations in which a null is an empty text; there may be hundreds of thousands, so there is no second map of them.
#[derive(Default)]
pub(super) struct Annotations(pub(super) BTreeMap<String, String>);

impl<'de> Deserialize<'de> for Annotations {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Annotations;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("annotations")
            }

            fn visit_unit<E>(self) -> Result<Annotations, E> {
                Ok(Annotations::default())
            }

            fn visit_map<A: MapAccess<'de>>(self, mut from: A) -> Result<Annotations, A::Error> {
                let mut annotations = BTreeMap::new();
                while let Some((key, value)) = from.next_entry::<String, Option<String>>()? {
                    annotations.insert(key, value.unwrap_or_default());
                }
                Ok(Annotations(annotations))
            }
        }
        from.deserialize_any(Reader)
    }
}
