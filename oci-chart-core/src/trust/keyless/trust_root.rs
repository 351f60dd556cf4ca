use std::{fmt, path::Path, sync::Arc};

use fs_err as fs;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use serde_json::Value;

use super::super::strict_json::{self, Json};
use crate::{
    chart::Timestamp,
    error::{Error, ErrorKind, Reason, Result},
};

/// Whom a Sigstore signature ultimately rests on: certificate authorities, transparency logs and timestamp authorities, as the
/// `trusted_root.json` of a Sigstore instance lists them (protobuf-specs, `sigstore_trustroot.proto`).
///
/// A check never fetches one. It is either given, or the root of the public-good instance that was compiled in
/// ([`embedded`](Self::embedded)). Instances rotate their keys: signatures made after a rotation do not verify under an older
/// root, and keys that were withdrawn still count in it. So every root has a date, and the evidence of a check tells its age.
///
/// # Examples
///
/// ```
/// use oci_chart_core::trust::TrustRoot;
///
/// assert!(TrustRoot::from_json("{}").is_err());
/// assert_eq!(TrustRoot::embedded().dated().to_string(), "2026-10-23T00:00:00Z");
/// ```
#[derive(Clone, PartialEq)]
pub struct TrustRoot {
    source: Source,
    dated: Timestamp,
}

#[derive(Clone, PartialEq)]
enum Source {
    Embedded,
    Given(Arc<str>),
}

/// What evidence says of the root that was used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct RootAge {
    /// Whether it is the one that was compiled in.
    pub embedded: bool,
    /// When it was current, RFC 3339. Of a given root, the latest beginning of validity in it: it is no older than that.
    pub dated: String,
    /// Days from then to the check.
    pub days: u64,
}

/// The type of the document; both spellings begin like this.
const MEDIA_TYPE: &str = "application/vnd.dev.sigstore.trustedroot";

/// When `sigstore-trust-root` 0.15.1 took the production root from Sigstore's TUF repository: 2026-10-23.
const EMBEDDED: &str = "2026-10-23T00:00:00Z";

/// Largest document that is read, in bytes. That of the public-good instance has 7,000.
const LARGEST: u64 = 4 << 20;

impl TrustRoot {
    /// The root of the public-good instance as it was when this library's release was made; see [`dated`](Self::dated).
    ///
    /// The document is part of the crate `sigstore-trust-root` (Apache-2.0), so a build without the feature `keyless` has none and
    /// answers "could not check".
    pub fn embedded() -> Self {
        // A constant that a test parses.
        Self { source: Source::Embedded, dated: EMBEDDED.parse().unwrap_or(Timestamp::FIXED) }
    }

    /// The root that `text` is, a `trusted_root.json`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`] for a text that is no such document: no JSON, a key twice, another media type, no authority or log
    /// with a date. What only cryptography can see (a certificate that is none) is found at the first check.
    pub fn from_json(text: impl Into<Arc<str>>) -> Result<Self> {
        let text = text.into();
        let root = strict_json::parse(text.as_bytes())
            .map_err(|flaw| invalid(format!("not a trusted root: {flaw}")))?;
        let kind = root.get("mediaType").and_then(Json::text).unwrap_or_default();
        if !kind.starts_with(MEDIA_TYPE) {
            return Err(invalid("not a trusted root: the document has another `mediaType`")
                .with_context("media type", kind));
        }
        let dated = newest(root).ok_or_else(|| {
            invalid("the trusted root has no authority and no log with a beginning of validity")
        })?;
        Ok(Self { source: Source::Given(text), dated })
    }

    /// The root in a file.
    ///
    /// # Errors
    ///
    /// Those of [`from_json`](Self::from_json), [`ErrorKind::Io`] and [`ErrorKind::NotFound`] with the path, and
    /// [`ErrorKind::LimitExceeded`] above 4 MiB.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let size = fs::metadata(path)?.len();
        if size > LARGEST {
            return Err(Error::limit("trusted root", LARGEST, "the file of the trusted root is too large")
                .with_context("file", path.display()));
        }
        Self::from_json(fs::read_to_string(path)?).map_err(|error| error.with_context("file", path.display()))
    }

    /// When it was current: for the embedded one the day it was taken, for a given one the latest beginning of validity in it,
    /// which it cannot be older than.
    pub fn dated(&self) -> Timestamp {
        self.dated
    }

    /// Whether it is the one that was compiled in.
    pub fn is_embedded(&self) -> bool {
        self.source == Source::Embedded
    }

    /// How old it is at `now`.
    pub fn age(&self, now: Timestamp) -> RootAge {
        let days = now.unix().saturating_sub(self.dated.unix()) / 86_400;
        RootAge { embedded: self.is_embedded(), dated: self.dated.to_string(), days }
    }

    /// The document.
    #[cfg(feature = "keyless")]
    pub(super) fn json(&self) -> &str {
        match &self.source {
            Source::Embedded => sigstore_verify::trust_root::SIGSTORE_PRODUCTION_TRUSTED_ROOT,
            Source::Given(text) => text,
        }
    }
}

/// The latest beginning of validity of anything in the root.
fn newest(root: Json<'_>) -> Option<Timestamp> {
    let lists = ["tlogs", "ctlogs", "certificateAuthorities", "timestampAuthorities"];
    let entries = lists.iter().filter_map(|list| root.get(list)?.items()).flatten();
    let starts = entries.filter_map(|entry| {
        let period = entry.get("validFor").or_else(|| entry.get("publicKey")?.get("validFor"));
        period?.get("start")?.text()?.parse().ok()
    });
    starts.max()
}

fn invalid(message: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    Error::new(ErrorKind::InvalidInput, message)
        .with_reason(Reason::FieldInvalid)
        .with_hint("take the trusted_root.json of the Sigstore instance whose signatures are to be checked")
}

impl fmt::Debug for TrustRoot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TrustRoot({}, {})", if self.is_embedded() { "embedded" } else { "given" }, self.dated)
    }
}

/// `"embedded"`, or the document itself.
impl Serialize for TrustRoot {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match &self.source {
            Source::Embedded => to.serialize_str("embedded"),
            Source::Given(text) => {
                serde_json::from_str::<Value>(text).map_err(serde::ser::Error::custom)?.serialize(to)
            }
        }
    }
}

impl<'de> Deserialize<'de> for TrustRoot {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        match Value::deserialize(from)? {
            Value::String(word) if word == "embedded" => Ok(Self::embedded()),
            document @ Value::Object(_) => Self::from_json(document.to_string()).map_err(D::Error::custom),
            _ => Err(D::Error::custom("a trust root is `\"embedded\"` or a trusted_root.json")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOT: &str = r#"{"mediaType":"application/vnd.dev.sigstore.trustedroot+json;version=0.1",
        "tlogs":[{"publicKey":{"validFor":{"start":"2021-01-12T11:53:27Z"}}}],
        "timestampAuthorities":[{"validFor":{"start":"2025-07-04T00:00:00Z"}}]}"#;

    #[test]
    fn a_root_is_as_new_as_the_newest_thing_in_it() {
        let root = TrustRoot::from_json(ROOT).unwrap();
        assert_eq!(root.dated().to_string(), "2025-07-04T00:00:00Z");
        let age = root.age("2025-07-14T12:00:00Z".parse().unwrap());
        assert_eq!((age.embedded, age.days), (false, 10));
        assert_eq!(root.age(Timestamp::FIXED).days, 0);
        assert!(TrustRoot::embedded().age("2026-11-21T00:00:00Z".parse().unwrap()).days == 29);
    }

    #[test]
    fn what_is_no_root_is_refused() {
        for text in [
            "",
            "[]",
            "{}",
            &ROOT.replace("trustedroot", "bundle"),
            &ROOT.replace("start", "begin"),
            &ROOT.replacen('{', r#"{"mediaType":"a","#, 1),
            &format!("{ROOT} {{}}"),
        ] {
            assert_eq!(TrustRoot::from_json(text).unwrap_err().kind(), ErrorKind::InvalidInput, "{text}");
        }
    }

    #[test]
    fn roots_survive_json() {
        for root in [TrustRoot::embedded(), TrustRoot::from_json(ROOT).unwrap()] {
            let again: TrustRoot = serde_json::from_str(&serde_json::to_string(&root).unwrap()).unwrap();
            assert_eq!((again.is_embedded(), again.dated()), (root.is_embedded(), root.dated()));
        }
        assert!(serde_json::from_str::<TrustRoot>("\"production\"").is_err());
    }

    #[cfg(feature = "keyless")]
    #[test]
    fn the_embedded_root_is_the_one_that_is_dated() {
        let digest = crate::Digest::of(TrustRoot::embedded().json()).hex();
        // Another document wants another date: see the changelog of the crate that brings it.
        assert_eq!(digest, "6494e21ea73fa7ee769f85f57d5a3e6a08725eae1e38c755fc3517c9e6bc0b66");
    }
}
