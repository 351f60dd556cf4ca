//! Every bound in one place.

use std::time::Duration;

/// The bounds under which untrusted content is read. The defaults are Helm 4.2's where Helm has one.
///
/// Set the fields of a default value; every limit that is passed is an
/// [`ErrorKind::LimitExceeded`](crate::ErrorKind::LimitExceeded) that names the field.
///
/// # Examples
///
/// ```
/// let mut limits = oci_chart_core::Limits::default();
/// limits.file_bytes = 20 << 20;
/// assert_eq!(limits.total_bytes, 100 << 20);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// One file of a chart, in bytes. Helm: 5 MiB (5,242,880), inclusive.
    pub file_bytes: u64,
    /// A whole chart unpacked, in bytes. Helm: 100 MiB, and exactly 100 MiB fails already. A packed subchart inside a chart
    /// has a budget of the same size of its own, as in Helm.
    pub total_bytes: u64,
    /// A package (`.tgz`) as it is stored, in bytes.
    pub package_bytes: u64,
    /// Entries of one archive or directory.
    pub entries: u32,
    /// Charts inside charts.
    pub depth: u32,
    /// A manifest, index or configuration blob, in bytes. The distribution spec asks for at least 4 MiB.
    pub manifest_bytes: u64,
    /// Any other answer of a registry that is held in memory (errors, tag pages, tokens), in bytes.
    pub answer_bytes: u64,
    /// A YAML document, in bytes.
    pub yaml_bytes: u64,
    /// Tags that one listing may have.
    pub tags: u32,
    /// Referrers of a manifest that are listed.
    pub referrers: u32,
    /// Referrers of a manifest that are examined as signatures.
    pub candidates: u32,
    /// One signature, bundle or provenance file, in bytes.
    pub signature_bytes: u64,
    /// One attestation, in bytes.
    pub attestation_bytes: u64,
    /// Signatures behind one signature tag.
    pub signature_layers: u32,
    /// Entries of transparency logs in one bundle.
    pub log_entries: u32,
    /// Time stamps in one bundle.
    pub timestamps: u32,
    /// Subjects of one statement.
    pub subjects: u32,
    /// Everything that one check of signatures fetches, in bytes: one attestation of the largest size, and a mebibyte for what leads there.
    pub verify_bytes: u64,
    /// How long one check of signatures looks for them.
    pub verify_time: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            file_bytes: 5 << 20,
            total_bytes: 100 << 20,
            package_bytes: 1 << 30,
            entries: 100_000,
            depth: 64,
            manifest_bytes: 4 << 20,
            answer_bytes: 4 << 20,
            yaml_bytes: 16 << 20,
            tags: 1_000_000,
            referrers: 1000,
            candidates: 64,
            signature_bytes: 1 << 20,
            attestation_bytes: 32 << 20,
            signature_layers: 100,
            log_entries: 32,
            timestamps: 32,
            subjects: 1024,
            verify_bytes: 33 << 20,
            verify_time: Duration::from_secs(60),
        }
    }
}
