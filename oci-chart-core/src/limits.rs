//! Every bound in one place.

use std::time::Duration;

use crate::error::{Error, ErrorKind, Result};

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
    /// Tags that one listing may have; all are in memory while a version is chosen among them.
    pub tags: u32,
    /// Referrers of a manifest that are listed; in a tree of attachments those of all manifests together.
    pub referrers: u32,
    /// Referrers of a manifest that are examined as signatures.
    pub candidates: u32,
    /// One signature, bundle or provenance file, in bytes.
    pub signature_bytes: u64,
    /// One attestation, in bytes.
    pub attestation_bytes: u64,
    /// Memory that one statement may take while it is checked with its certificate, in bytes and by an estimate: four times its bundle, 48 bytes
    /// a value, 700 an object. That is a bundle of 14 MiB of text, or a bill of materials of about 6 MiB.
    pub keyless_memory: u64,
    /// Signatures behind one signature tag.
    pub signature_layers: u32,
    /// Entries of transparency logs in one bundle.
    pub log_entries: u32,
    /// Time stamps in one bundle.
    pub timestamps: u32,
    /// Subjects of one statement.
    pub subjects: u32,
    /// Everything that one check of signatures or one tree of attachments fetches, in bytes: one attestation of the largest size, and a mebibyte
    /// for what leads there.
    pub verify_bytes: u64,
    /// How long one check of signatures, or one tree of attachments, takes to fetch what it looks at.
    pub verify_time: Duration,
}

impl Limits {
    /// Sets the limit of this name, for callers who have names in place of fields: `package_bytes`, ... `verify_time` is in milliseconds.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`] for a name that is no field, and a number that the field cannot hold.
    pub fn set(&mut self, name: &str, value: u64) -> Result<()> {
        let narrow = || {
            u32::try_from(value).map_err(|_| {
                Error::new(ErrorKind::InvalidInput, format!("the limit `{name}` cannot be {value}"))
                    .with_context("most", u32::MAX)
            })
        };
        match name {
            "file_bytes" => self.file_bytes = value,
            "total_bytes" => self.total_bytes = value,
            "package_bytes" => self.package_bytes = value,
            "entries" => self.entries = narrow()?,
            "depth" => self.depth = narrow()?,
            "manifest_bytes" => self.manifest_bytes = value,
            "answer_bytes" => self.answer_bytes = value,
            "yaml_bytes" => self.yaml_bytes = value,
            "tags" => self.tags = narrow()?,
            "referrers" => self.referrers = narrow()?,
            "candidates" => self.candidates = narrow()?,
            "signature_bytes" => self.signature_bytes = value,
            "attestation_bytes" => self.attestation_bytes = value,
            "keyless_memory" => self.keyless_memory = value,
            "signature_layers" => self.signature_layers = narrow()?,
            "log_entries" => self.log_entries = narrow()?,
            "timestamps" => self.timestamps = narrow()?,
            "subjects" => self.subjects = narrow()?,
            "verify_bytes" => self.verify_bytes = value,
            "verify_time" => self.verify_time = Duration::from_millis(value),
            _ => return Err(Error::new(ErrorKind::InvalidInput, format!("no limit is called `{name}`"))),
        }
        Ok(())
    }
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
            tags: 100_000,
            referrers: 1000,
            candidates: 64,
            signature_bytes: 1 << 20,
            attestation_bytes: 32 << 20,
            keyless_memory: 56 << 20,
            signature_layers: 100,
            log_entries: 32,
            timestamps: 32,
            subjects: 1024,
            verify_bytes: 33 << 20,
            verify_time: Duration::from_secs(60),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_has_its_name() {
        let shown = format!("{:#?}", Limits::default());
        let names: Vec<_> = shown
            .lines()
            .filter_map(|line| line.strip_prefix("    ")?.split_once(':').map(|(name, _)| name.trim()))
            .collect();
        assert!(names.len() >= 19, "{names:?}");
        for name in names {
            let mut limits = Limits::default();
            limits.set(name, 7).unwrap();
            assert_ne!(limits, Limits::default(), "{name}");
        }
        let mut limits = Limits::default();
        assert_eq!(limits.set("depths", 7).unwrap_err().kind(), ErrorKind::InvalidInput);
        assert_eq!(limits.set("depth", 1 << 32).unwrap_err().kind(), ErrorKind::InvalidInput);
        assert_eq!(limits, Limits::default());
    }
}
