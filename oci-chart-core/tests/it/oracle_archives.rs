//! Archives against Helm's own reader, over generated ones: odd names, kinds, fields, extended headers, damage.

mod charts;
mod frames;

use std::{error::Error as _, fmt::Debug};

use base64::{Engine, engine::general_purpose::STANDARD};
use oci_chart_core::{
    Digest, Error,
    chart::{ArchiveError, LoadOptions, ParsePathError, read_archive},
};
use serde_json::{Value, json};

use crate::support::{
    disagreements::Tally,
    oracle::Oracle,
    rng::Rng,
    say,
    tarball::{Entry, GNU, USTAR, V7, gzip, tar},
};

const TEST: &str = "oracle_archives";
const CASES: usize = 10_000;

#[test]
fn generated_archives() {
    let mut rng = Rng::new(31);
    agree("archives", (0..CASES).map(|_| archive(&mut rng)).collect());
}

#[test]
fn generated_frames() {
    let mut rng = Rng::new(1952);
    agree("gzip frames", (0..CASES / 4).map(|_| frames::package(&mut rng)).collect());
}

/// Helm and we read the same out of every package, or both refuse it. Beside each stands what it was made from.
fn agree(what: &str, cases: Vec<(impl Debug, Vec<u8>)>) {
    let Some(oracle) = Oracle::find(TEST) else { return };
    let count = cases.len();
    let answers =
        oracle.ask_many(cases.iter().map(|(_, bytes)| json!({"do": "load", "tgz": STANDARD.encode(bytes)})));
    let (mut both, mut neither) = (0, 0);
    let mut tally = Tally::default();
    for ((source, bytes), answer) in cases.iter().zip(&answers) {
        let ours = read_archive(&bytes[..], &LoadOptions::default());
        match (ours, answer.get("files")) {
            (Ok(read), Some(theirs)) => {
                let ours: Value = read
                    .files
                    .iter()
                    .map(|file| {
                        let content = file.read(u64::MAX).unwrap();
                        let digest = Digest::of(&content).to_string();
                        json!([file.path().as_str(), content.len(), digest.trim_start_matches("sha256:")])
                    })
                    .collect();
                assert_eq!(&ours, theirs, "{source:?}");
                both += 1;
            }
            (Err(_), None) => neither += 1,
            (Err(ours), Some(_)) => tally.allow(row(&ours), &(ours, source, answer)),
            (Ok(read), None) => {
                panic!("Helm: {}, but we read {:?}: {source:?}", answer["files_error"], read.files)
            }
        }
    }
    assert!(both > count / 6 && neither > count / 6, "{both} {neither}");
    say(&format!("{TEST}: {count} {what}, {both} read alike, {neither} refused by both, {tally}"));
}

/// The row that allows a refusal of ours.
fn row(error: &Error) -> &'static str {
    use ArchiveError::{BadPath, DuplicatePath, FileIsDirectory, Link, SparseFile};
    match error.source().and_then(|source| source.downcast_ref()) {
        Some(Link(_)) => "link-entry",
        Some(DuplicatePath(_) | FileIsDirectory(_)) => "duplicate-path",
        Some(SparseFile) => "sparse-file",
        Some(BadPath(_, ParsePathError::NotUnicode)) => "path-not-unicode",
        _ => "",
    }
}

/// A package and the entries that it was made from.
fn archive(rng: &mut Rng) -> (Vec<Entry>, Vec<u8>) {
    let mut entries = vec![Entry::file("foo/Chart.yaml", "apiVersion: v2\nname: foo\nversion: 1.0.0\n")];
    for _ in 0..rng.below(5) {
        entry(rng, &mut entries);
    }
    if rng.chance(15) {
        entries.remove(0);
    }
    let blocks = if rng.chance(85) { 2 } else { rng.below(5) };
    let mut data = tar(&entries, blocks);
    if rng.chance(12) {
        damage(rng, &mut data);
    }
    let mut package = gzip(&data);
    if rng.chance(6) {
        damage(rng, &mut package);
    }
    (entries, package)
}

/// A byte changed, cut off or added.
fn damage(rng: &mut Rng, bytes: &mut Vec<u8>) {
    let at = rng.below(bytes.len().max(1));
    match rng.below(4) {
        0 => bytes.truncate(at),
        1 => bytes.extend(b"\x00junk\xff"),
        _ if at < bytes.len() => bytes[at] ^= 1 << rng.below(8),
        _ => {}
    }
}

const BASES: &[&str] = &["foo", "foo", "foo", "bar", ".", "", "..", "Chart.yaml", "ä", "C:", "a b"];
const PARTS: &[&str] = &[
    "a",
    "b",
    "templates",
    "x.yaml",
    "values.yaml",
    "charts",
    "..",
    ".",
    "",
    "..x",
    ".hidden",
    "c:",
    "d:x",
    "日本",
    "a b",
    "%2e",
    "CON",
    "a:b",
    "Chart.yaml",
    "~",
    "-",
];

fn name(rng: &mut Rng) -> Vec<u8> {
    if rng.chance(75) {
        // A number keeps most of these apart.
        let directory =
            rng.pick(&["", "templates/", "a/b/", "charts/s/", "\u{fc}/", "./", "x/../", "crds//"]);
        return format!("foo/{directory}{}{}", rng.pick(&["a", "b.yaml", ".hidden", "c d"]), rng.below(9))
            .into_bytes();
    }
    let separator = rng.pick(&["/", "/", "/", "/", "/", "\\"]);
    let mut name = rng.pick(BASES).to_owned();
    for _ in 0..rng.below(4) {
        name.push_str(separator);
        name.push_str(rng.pick(PARTS));
    }
    if rng.chance(10) {
        name.push_str(rng.pick(&["/", "\\", "\0tail", "\n", " ", "."]));
    }
    let mut name = name.into_bytes();
    if rng.chance(2) {
        name.push(0xff);
    }
    name
}

const KINDS: &[u8] = b"0000000000\x0077512346DNSLKVMAXZgx ";

/// Adds an entry, and what may stand before it.
fn entry(rng: &mut Rng, entries: &mut Vec<Entry>) {
    let contents: [&[u8]; 6] = [b"", b"x", b"\xef\xbb\xbfa: 1\n", b"\xef\xbb\xbf", &[0; 700], &[b'y'; 512]];
    let mut made = Entry::file(name(rng), contents[rng.below(contents.len())]);
    if rng.chance(50) {
        // Most entries only have an odd name.
        entries.push(made);
        return;
    }
    made.kind = KINDS[rng.below(KINDS.len())];
    made.magic = [USTAR, USTAR, GNU, V7, *b"ustar\x0099", *b"usta\x00\x0000"][rng.below(6)];
    if matches!(made.kind, b'1' | b'2') {
        made.link = b"foo/Chart.yaml".to_vec();
        made.content.clear();
    }
    if matches!(made.kind, b'x' | b'g' | b'X') {
        made.content = pax(rng);
    }
    if matches!(made.kind, b'L' | b'K') {
        made.content = [name(rng), vec![0; rng.below(2)]].concat();
    }
    match rng.below(14) {
        0 => {
            let modes = ["0040755\0", "0120777\0", "8\0", "", "   644 ", "7777777", "-1"];
            made.mode = rng.pick(&modes).as_bytes().to_vec();
        }
        1 => made.modified = number(rng),
        2 => made.size = Some(number(rng)),
        3 => made.checksum_error = 1,
        4 => made.prefix = name(rng),
        5 => made.name = [b"foo/".to_vec(), vec![b'n'; 96 + rng.below(4)]].concat(),
        _ => {}
    }
    if rng.chance(25) {
        entries.push(Entry { content: pax(rng), ..Entry::extended(b'x', &[]) });
    }
    if rng.chance(8) {
        let content = [name(rng), vec![0]].concat();
        entries.push(Entry { kind: b'L', magic: GNU, ..Entry::file("././@LongLink", content) });
    }
    entries.push(made);
}

/// The content of an extended header.
fn pax(rng: &mut Rng) -> Vec<u8> {
    let mut content = Vec::new();
    for _ in 0..=rng.below(2) {
        let value = match rng.below(4) {
            0 => number(rng),
            1 => Vec::new(),
            _ => name(rng),
        };
        let (key, value): (&str, Vec<u8>) = match rng.below(12) {
            0..5 => ("path", value),
            5 => ("linkpath", value),
            6 => ("size", rng.pick(&["0", "1", "3", "512", "-1", "x", "99999999999"]).as_bytes().to_vec()),
            7 => (
                "mtime",
                rng.pick(&["1", "1.5", "-1.25", "x", "", "1.", "99999999999999999999"]).as_bytes().to_vec(),
            ),
            8 => ("comment", value),
            9 => ("GNU.sparse.major", rng.pick(&["1", "0", "x"]).as_bytes().to_vec()),
            10 => ("uid", value),
            _ => ("", value),
        };
        content.extend(Entry::extended(b'x', &[(key, &value)]).content);
    }
    if rng.chance(12) {
        damage(rng, &mut content);
    }
    content
}

/// A number field, mostly a bad one.
fn number(rng: &mut Rng) -> Vec<u8> {
    match rng.below(10) {
        0 => b"\x80\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01".to_vec(),
        1 => b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff".to_vec(),
        2 => b"\x80\x00\x00\x00\xff\xff\xff\xff\xff\xff\xff\xff".to_vec(),
        3 => b"00000000001 ".to_vec(),
        4 => b" 1\0".to_vec(),
        5 => b"8\0".to_vec(),
        6 => b"77777777777\0".to_vec(),
        7 => b"1\x001".to_vec(),
        8 => Vec::new(),
        _ => b"-1\0".to_vec(),
    }
}
