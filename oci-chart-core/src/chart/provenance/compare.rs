//! A signed text held against a package.

use super::{Provenance, error::ProvenanceError};
use crate::{chart::Metadata, digest::Digest};

/// How a package is named in the signed text that has its digest.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum FileMatch {
    /// By the name that was asked for.
    Named,
    /// By another name: the package was renamed or tagged anew, and its bytes are the signed ones. Helm refuses this.
    OtherName {
        /// The name that was signed.
        signed: String,
    },
}

/// How the signed metadata and a package's Chart.yaml compare, given that they are about one chart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum MetadataMatch {
    /// All that Helm reads is equal.
    Same,
    /// Name and version are equal, something else is not. Both are signed, the package by its digest.
    Differs,
}

impl Provenance {
    /// Looks for a package by its digest, and then at its name. Helm goes by the name alone, so that it refuses every package that was pulled
    /// by digest or under another tag.
    ///
    /// # Errors
    ///
    /// [`ProvenanceError::OtherDigest`] where the text has another digest for that name, even if it has this digest for another name;
    /// [`ProvenanceError::NotListed`] where it has neither. The digest must be written as Helm writes it, in lower case behind `sha256:`.
    pub fn find(&self, digest: &Digest, file: &str) -> Result<FileMatch, ProvenanceError> {
        let wanted = digest.to_string();
        if let Some((_, signed)) = self.files().find(|(name, _)| *name == file) {
            if signed == wanted {
                return Ok(FileMatch::Named);
            }
            return Err(ProvenanceError::OtherDigest { file: file.to_owned(), signed: signed.to_owned() });
        }
        match self.files().find(|(_, signed)| *signed == wanted) {
            Some((name, _)) => Ok(FileMatch::OtherName { signed: name.to_owned() }),
            None => Err(ProvenanceError::NotListed { file: file.to_owned() }),
        }
    }

    /// Whether the signed text has the digest of a package, under whatever name; for a package that nobody has looked into yet.
    ///
    /// # Errors
    ///
    /// [`ProvenanceError::OtherDigest`] where it has one file, [`ProvenanceError::NotListed`] where it has none, or several.
    pub fn check_digest(&self, digest: &Digest) -> Result<(), ProvenanceError> {
        let wanted = digest.to_string();
        if self.files().any(|(_, signed)| signed == wanted) {
            return Ok(());
        }
        let mut files = self.files();
        Err(match (files.next(), files.next()) {
            (Some((file, signed)), None) => {
                ProvenanceError::OtherDigest { file: file.to_owned(), signed: signed.to_owned() }
            }
            _ => ProvenanceError::NotListed { file: wanted },
        })
    }

    /// Holds the signed name and version against those of the package's Chart.yaml, which Helm does not do.
    ///
    /// # Errors
    ///
    /// [`ProvenanceError::OtherChart`] where one of them differs or is missing.
    pub fn compare(&self, packaged: &Metadata) -> Result<MetadataMatch, ProvenanceError> {
        compare_chart(self.name(), self.version(), packaged)?;
        // A text that Helm would not load as a Chart.yaml is not the package's.
        let signed = Metadata::from_yaml(self.message.metadata.as_bytes());
        let same = signed.is_ok_and(|signed| signed.to_json() == packaged.to_json());
        Ok(if same { MetadataMatch::Same } else { MetadataMatch::Differs })
    }
}

/// Refuses a signed name or version that is not the packaged one, and none at all.
pub(crate) fn compare_chart(
    name: Option<&str>,
    version: Option<&str>,
    packaged: &Metadata,
) -> Result<(), ProvenanceError> {
    for (field, signed, packaged) in [("name", name, &packaged.name), ("version", version, &packaged.version)]
    {
        if signed != Some(packaged.as_str()) {
            let signed = signed.map(str::to_owned);
            return Err(ProvenanceError::OtherChart { field, signed, packaged: packaged.clone() });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prov(metadata: &str, files: &str) -> Provenance {
        Provenance::parse(
            &Provenance::assemble(&format!("{metadata}\n...\nfiles:\n{files}"), "SHA512", &[1]).unwrap(),
        )
        .unwrap()
    }

    #[test]
    fn the_digest_counts_before_the_name() {
        let (ours, other) = (Digest::of(b"ours"), Digest::of(b"other"));
        let upper = ours.to_string().to_uppercase().replace("SHA256", "sha256");
        for (files, want) in [
            (format!("  a-1.tgz: {ours}\n"), Ok(FileMatch::Named)),
            (
                format!("  x.tgz: junk\n  v1.tgz: {ours}\n"),
                Ok(FileMatch::OtherName { signed: "v1.tgz".to_owned() }),
            ),
            (
                format!("  a-1.tgz: {other}\n  b.tgz: {ours}\n"),
                Err(ProvenanceError::OtherDigest { file: "a-1.tgz".to_owned(), signed: other.to_string() }),
            ),
            (
                format!("  a-1.tgz: {upper}\n"),
                Err(ProvenanceError::OtherDigest { file: "a-1.tgz".to_owned(), signed: upper.clone() }),
            ),
            (format!("  b.tgz: {other}\n"), Err(ProvenanceError::NotListed { file: "a-1.tgz".to_owned() })),
            (
                format!("  b.tgz: {}\n", ours.hex()),
                Err(ProvenanceError::NotListed { file: "a-1.tgz".to_owned() }),
            ),
        ] {
            let prov = prov("name: a\n", &files);
            assert_eq!(prov.find(&ours, "a-1.tgz"), want, "{files}");
            let by_digest = prov.check_digest(&ours);
            assert_eq!(by_digest.is_ok(), files.contains(&ours.to_string()), "{files}: {by_digest:?}");
        }
    }

    #[test]
    fn the_signed_chart_is_the_packaged_one() {
        let mut packaged = Metadata::new("a", "1.0.0");
        packaged.description = "x".to_owned();
        let compare = |text: &str| prov(text, "  a: b\n").compare(&packaged);
        assert_eq!(compare(&packaged.to_yaml().unwrap()), Ok(MetadataMatch::Same));
        assert_eq!(compare("name: a\nversion: 1.0.0\n"), Ok(MetadataMatch::Differs));
        let other = |field, signed: Option<&str>, packaged: &str| {
            let signed = signed.map(str::to_owned);
            Err(ProvenanceError::OtherChart { field, signed, packaged: packaged.to_owned() })
        };
        assert_eq!(compare("name: b\nversion: 1.0.0\n"), other("name", Some("b"), "a"));
        assert_eq!(compare("name: a\nversion: 1.0\n"), other("version", Some("1"), "1.0.0"));
        assert_eq!(compare("name: a\n"), other("version", None, "1.0.0"));
        assert_eq!(compare(""), other("name", None, "a"));
    }
}
