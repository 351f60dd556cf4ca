//! Two packages of one chart side by side, as far as they are meant to be equal.

use std::{collections::BTreeMap, io::Read, ops::Range, path::Path};

const BLOCK: usize = 512;
const MODIFIED: Range<usize> = 136..148;
const CHECKSUM: Range<usize> = 148..156;

/// Which entries' times are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Times {
    /// All.
    All,
    /// All but those of Chart.lock, which Helm 4 takes from the lock itself.
    ButLocks,
    /// None: Helm 3 writes the time of packaging.
    None,
}

/// The tar archive inside a package, taken apart.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct HelmTar {
    /// Path and bytes of every entry, extended header, header, content and padding.
    pub(crate) entries: Vec<(String, Vec<u8>)>,
    /// What follows the last one.
    pub(crate) end: Vec<u8>,
}

impl HelmTar {
    pub(crate) fn open(package: &Path) -> Self {
        Self::read(&fs_err::read(package).unwrap())
    }

    pub(crate) fn read(package: &[u8]) -> Self {
        let mut tar = Vec::new();
        flate2::read::GzDecoder::new(package).read_to_end(&mut tar).unwrap();
        let mut entries = Vec::new();
        let mut at = 0;
        while tar[at] != 0 {
            let (path, length) = entry(&tar[at..]);
            entries.push((path, tar[at..at + length].to_vec()));
            at += length;
        }
        Self { entries, end: tar[at..].to_vec() }
    }

    /// The archive's bytes, decompressed.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut bytes: Vec<u8> = self.entries.iter().flat_map(|(_, bytes)| bytes).copied().collect();
        bytes.extend_from_slice(&self.end);
        bytes
    }

    /// The same with its subcharts sorted by name, at every depth, and without the times that are not compared.
    pub(crate) fn comparable(self, times: Times) -> Self {
        let mut entries = sorted(self.entries, "");
        for (path, bytes) in &mut entries {
            let forgotten = match times {
                Times::All => false,
                Times::ButLocks => path.ends_with("/Chart.lock"),
                Times::None => true,
            };
            if forgotten {
                forget_time(bytes);
            }
        }
        Self { entries, end: self.end }
    }

    /// Says where two archives differ, if they do.
    pub(crate) fn assert_same(&self, other: &Self, what: &str) {
        let paths = |tar: &Self| tar.entries.iter().map(|(path, _)| path.clone()).collect::<Vec<_>>();
        assert_eq!(paths(self), paths(other), "{what}: paths");
        for ((path, ours), (_, theirs)) in self.entries.iter().zip(&other.entries) {
            let first = ours.iter().zip(theirs).position(|(one, two)| one != two);
            assert_eq!(ours.len(), theirs.len(), "{what}: {path}, first difference at {first:?}");
            assert!(
                ours == theirs,
                "{what}: {path} differs at {first:?}\n{}\n{}",
                String::from_utf8_lossy(ours),
                String::from_utf8_lossy(theirs)
            );
        }
        assert_eq!(self.end, other.end, "{what}: the end");
    }
}

/// The first entry's path and length, with the extended header before it.
fn entry(tar: &[u8]) -> (String, usize) {
    let (kind, content, length) = (tar[156], &tar[BLOCK..], BLOCK + size(tar).next_multiple_of(BLOCK));
    if kind == b'x' {
        let records = String::from_utf8(content[..size(tar)].to_vec()).unwrap();
        let (mut path, behind) = entry(&tar[length..]);
        if let Some((_, value)) = records.split_once(" path=") {
            path = value.split('\n').next().unwrap().to_owned();
        }
        return (path, length + behind);
    }
    assert_eq!(kind, b'0', "only files are expected");
    let [prefix, name] = [&tar[345..500], &tar[..100]].map(text);
    (if prefix.is_empty() { name } else { format!("{prefix}/{name}") }, length)
}

fn text(field: &[u8]) -> String {
    String::from_utf8(field.split(|byte| *byte == 0).next().unwrap().to_vec()).unwrap()
}

fn size(header: &[u8]) -> usize {
    usize::from_str_radix(&text(&header[124..136]), 8).unwrap()
}

/// The entries of the chart below `prefix`, its own files in their order, then its subcharts by name.
fn sorted(entries: Vec<(String, Vec<u8>)>, prefix: &str) -> Vec<(String, Vec<u8>)> {
    let mut own = Vec::new();
    let mut subcharts: BTreeMap<String, Vec<_>> = BTreeMap::new();
    for entry in entries {
        let inner = entry.0.strip_prefix(prefix).unwrap();
        let inner = if prefix.is_empty() { inner.split_once('/').unwrap().1 } else { inner };
        match inner.strip_prefix("charts/").and_then(|rest| rest.split_once('/')) {
            Some(_) => {
                let length = entry.0.len() - inner.len();
                let name = inner["charts/".len()..].split('/').next().unwrap();
                // Without the slash, which comes after a hyphen: `fluentd` is before `fluentd-x`.
                let place = format!("{}charts/{name}", &entry.0[..length]);
                subcharts.entry(place).or_default().push(entry);
            }
            None => {
                assert!(subcharts.is_empty(), "{}: a file behind a subchart", entry.0);
                own.push(entry);
            }
        }
    }
    for (place, entries) in subcharts {
        own.extend(sorted(entries, &format!("{place}/")));
    }
    own
}

/// Writes a fixed time into the header.
fn forget_time(entry: &mut [u8]) {
    let begin = if entry[156] == b'x' { BLOCK + size(entry).next_multiple_of(BLOCK) } else { 0 };
    let header = &mut entry[begin..begin + BLOCK];
    header[MODIFIED].copy_from_slice(b"00000000000\0");
    header[CHECKSUM].copy_from_slice(b"        ");
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    header[CHECKSUM].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
}
