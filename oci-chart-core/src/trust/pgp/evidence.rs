use serde::{Serialize, Serializer};

use super::fingerprint::Fingerprint;
use crate::{
    chart::{Metadata, ProvenanceError, Timestamp, compare_chart},
    digest::Digest,
};

/// Who signed a package, as far as the provenance file and the key ring prove it. It serialises as a flat object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct PgpEvidence {
    /// The primary key.
    pub primary: Fingerprint,
    /// The key that signed: the primary key, or a subkey of it.
    pub signer: Fingerprint,
    /// Whom the primary key says it belongs to. Nobody else vouches for that here.
    pub user_ids: Vec<String>,
    /// What kind of key signed, such as `Ed25519` or `RSA-3072`.
    pub algorithm: String,
    /// The hash algorithm of the signature, such as `SHA512`.
    pub hash: String,
    /// When it was signed, by the signer's own clock.
    #[serde(serialize_with = "time")]
    pub signed_at: Timestamp,
    /// Until when the signature is good, where it has an end.
    #[serde(serialize_with = "optional_time")]
    pub expires_at: Option<Timestamp>,
    /// The package's digest, which the signed text has.
    #[serde(serialize_with = "digest")]
    pub digest: Digest,
    /// The package's file name, where one was asked for.
    pub file: Option<String>,
    /// The name that was signed, where it is another one: the package was renamed, or tagged anew. Helm refuses such a package; its bytes are
    /// the signed ones all the same.
    pub signed_file: Option<String>,
    /// The chart's name in the signed text.
    pub chart: Option<String>,
    /// The chart's version in the signed text.
    pub version: Option<String>,
    /// Whether something else than name and version differs between the signed text and the package's Chart.yaml; `None` where nobody
    /// compared.
    pub metadata_differs: Option<bool>,
}

impl PgpEvidence {
    /// Holds the signed name and version against those of the package's Chart.yaml, as
    /// [`Provenance::compare`](crate::chart::Provenance::compare) does.
    pub(crate) fn check_chart(&self, packaged: &Metadata) -> Result<(), ProvenanceError> {
        compare_chart(self.chart.as_deref(), self.version.as_deref(), packaged)
    }
}

fn time<S: Serializer>(time: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(time)
}

fn optional_time<S: Serializer>(time: &Option<Timestamp>, serializer: S) -> Result<S::Ok, S::Error> {
    match time {
        Some(time) => serializer.collect_str(time),
        None => serializer.serialize_none(),
    }
}

fn digest<S: Serializer>(digest: &Digest, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(digest)
}
