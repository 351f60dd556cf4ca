//! Packages against the golden answers of Helm's own reader.

use base64::{Engine, engine::general_purpose::STANDARD};
use oci_chart_core::{
    ErrorKind, Reason,
    chart::{ArchiveFlaw, LoadOptions, read_archive, summarize_archive},
};
use serde_json::Value;

use crate::support::{corpus, disagreements, say};

#[test]
fn every_row() {
    let Some(rows) = corpus::vectors("archive_vectors", "archive-errors") else { return };
    let (mut accepted, mut refused, mut stricter) = (0, 0, 0);
    for row in &rows {
        let note = row["note"].as_str().unwrap();
        // What was too large to be written down.
        let Some(package) = row.get("tgz") else { continue };
        let package = STANDARD.decode(package.as_str().unwrap()).unwrap();
        let result = read_archive(&package[..], &LoadOptions::default());
        let summary = summarize_archive(&package[..], &LoadOptions::default());
        match (result, row.get("files")) {
            (Ok(read), Some(files)) => {
                let ours: Vec<(&str, u64)> =
                    read.files.iter().map(|file| (file.path().as_str(), file.content().len())).collect();
                assert_eq!(ours, expected(files), "{note}");
                let summary = summary.unwrap();
                assert_eq!((summary.files, summary.flaw), (ours.len() as u64, read.flaw), "{note}");
                assert_eq!(summary.package_bytes, package.len() as u64, "{note}");
                assert_eq!(summary.digest, oci_chart_core::Digest::of(&package), "{note}");
                accepted += 1;
            }
            (Err(error), None) => {
                let helm = row["files_error"].as_str().unwrap();
                let alike = match error.reason() {
                    // Of a link with content, both say no, for their own reasons.
                    Some(Reason::LinkEntry) => note == "symlink with data after it",
                    Some(Reason::NotGzip) => row["push_error"]
                        .as_str()
                        .unwrap()
                        .contains("does not appear to be a gzipped archive"),
                    _ => error.message().contains(helm),
                };
                assert!(alike, "{note}: {error} but Helm: {helm}");
                assert!(
                    matches!(error.kind(), ErrorKind::InvalidArchive | ErrorKind::LimitExceeded),
                    "{note}"
                );
                assert!(error.hint().is_some(), "{note}");
                assert_eq!(summary.unwrap_err().to_string(), error.to_string(), "{note}");
                refused += 1;
            }
            (Err(error), Some(_)) => {
                let reason = error.reason().unwrap_or_else(|| panic!("{note}: {error}"));
                assert!(disagreements::allowed(reason.as_str()).is_some(), "{note}: {error}");
                stricter += 1;
            }
            (Ok(_), None) => panic!("{note}: Helm says {}", row["files_error"]),
        }
    }
    assert!(accepted > 100 && refused > 40);
    say(&format!("archive_vectors: {accepted} accepted, {refused} refused by both, {stricter} by us alone"));
}

#[test]
fn flaws_behind_the_end() {
    let Some(rows) = corpus::vectors("archive_vectors", "archive-errors") else { return };
    let strict = LoadOptions::default().with_strict(true);
    for (note, flaw) in [
        ("minimal", None),
        ("no end blocks", None),
        ("cut crc", Some(ArchiveFlaw::Cut)),
        ("cut size", Some(ArchiveFlaw::Cut)),
        ("bad crc", Some(ArchiveFlaw::Checksum)),
        ("bad isize", Some(ArchiveFlaw::Checksum)),
        ("trailing junk after gzip", Some(ArchiveFlaw::TrailingData)),
        ("trailing zeros after gzip", Some(ArchiveFlaw::TrailingData)),
        ("two members", None),
        ("two members, second after end", Some(ArchiveFlaw::TrailingData)),
        ("garbage after end", Some(ArchiveFlaw::TrailingData)),
        ("entry after end blocks", Some(ArchiveFlaw::TrailingData)),
    ] {
        let row = rows.iter().find(|row| row["note"] == note).unwrap();
        let package = STANDARD.decode(row["tgz"].as_str().unwrap()).unwrap();
        assert_eq!(read_archive(&package[..], &LoadOptions::default()).unwrap().flaw, flaw, "{note}");
        let result = read_archive(&package[..], &strict);
        assert_eq!(
            result.as_ref().err().and_then(|error| error.reason()),
            flaw.map(|_| Reason::BadTrailer),
            "{note}"
        );
    }
}

fn expected(files: &Value) -> Vec<(&str, u64)> {
    let files = files.as_array().unwrap();
    files.iter().map(|file| (file[0].as_str().unwrap(), file[1].as_u64().unwrap())).collect()
}
