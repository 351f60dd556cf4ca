//! However the bytes of a package come, in whatever pieces and whatever happens between them, what is in it stays the same.

use std::{
    io::{self, Read},
    iter,
};

use oci_chart_core::{
    Digest, Error, ErrorKind, Reason,
    chart::{ArchiveFlaw, LoadOptions, read_archive, summarize_archive, unpack},
};
use tempfile::TempDir;

use crate::support::{
    rng::Rng,
    tarball::{Entry, gzip, tar},
};

const CHART: &str = "apiVersion: v2\nname: web\nversion: 1.0.0\n";

/// Gives at most so many bytes at a time, is interrupted now and then, and says `end` in the end.
struct Pieces<'a> {
    bytes: &'a [u8],
    most: usize,
    reads: usize,
    end: fn() -> io::Result<usize>,
}

impl<'a> Pieces<'a> {
    fn new(bytes: &'a [u8], most: usize, end: fn() -> io::Result<usize>) -> Self {
        Self { bytes, most, reads: 0, end }
    }
}

impl Read for Pieces<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.reads += 1;
        if self.reads % 5 == 2 {
            return Err(io::ErrorKind::Interrupted.into());
        }
        if self.bytes.is_empty() {
            return (self.end)();
        }
        let most = self.most.min(buffer.len());
        self.bytes.read(&mut buffer[..most])
    }
}

/// Words, noise and zeros: more than is inflated at once, in blocks of every kind.
fn entries() -> Vec<Entry> {
    let mut rng = Rng::new(7);
    let words = ["name: ", "value\n", "  - ", "{{ .Values", " }}\n", "12", "replicas: "];
    let text: String = (0..60_000).map(|_| rng.pick(&words)).collect();
    let noise: Vec<u8> = iter::repeat_with(|| rng.below(256) as u8).take(70_000).collect();
    let small = (0..20).map(|n| Entry::file(format!("web/templates/{n}.yaml"), format!("n: {n}\n")));
    let large = [("text", text.into_bytes()), ("noise", noise), ("zeros", vec![0; 300_000])];
    let large = large.map(|(name, content)| Entry::file(format!("web/{name}"), content));
    iter::once(Entry::file("web/Chart.yaml", CHART)).chain(small).chain(large).collect()
}

#[test]
fn pieces_change_nothing() {
    let entries = entries();
    let data = tar(&entries, 2);
    // Three members, the borders in the middle of things.
    let package = [gzip(&data[..700]), gzip(&[]), gzip(&data[700..150_001]), gzip(&data[150_001..])].concat();
    let wanted: Vec<(String, Digest)> = entries
        .iter()
        .map(|entry| (String::from_utf8_lossy(&entry.name[4..]).into_owned(), Digest::of(&entry.content)))
        .collect();
    let options = LoadOptions::default().with_strict(true);
    for most in [1, 2, 3, 7, 8, 9, 511, 4096, 16_383, 16_384, 16_385, 65_536, usize::MAX] {
        let pieces = || Pieces::new(&package, most, || Ok(0));
        let read = read_archive(pieces(), &options).unwrap();
        let found: Vec<(String, Digest)> = read
            .files
            .iter()
            .map(|file| (file.path().to_string(), Digest::of(file.read(u64::MAX).unwrap())))
            .collect();
        assert_eq!(found, wanted, "pieces of {most}");
        let summary = summarize_archive(pieces(), &options).unwrap();
        assert_eq!((summary.files, summary.flaw), (wanted.len() as u64, None), "pieces of {most}");
        assert_eq!(summary.digest, Digest::of(&package), "pieces of {most}");
        let place = TempDir::new().unwrap();
        let chart = unpack(pieces(), place.path(), &options).unwrap();
        for (path, digest) in &wanted {
            assert_eq!(&Digest::of(fs_err::read(chart.path.join(path)).unwrap()), digest, "{path}");
        }
    }
}

/// What the three ways to read say of it. Nothing may be left on disk.
fn failures<'a>(reader: impl Fn() -> Pieces<'a>) -> [Error; 3] {
    let (options, place) = (LoadOptions::default(), TempDir::new().unwrap());
    let errors = [
        read_archive(reader(), &options).unwrap_err(),
        summarize_archive(reader(), &options).unwrap_err(),
        unpack(reader(), place.path(), &options).unwrap_err(),
    ];
    assert_eq!(fs_err::read_dir(place.path()).unwrap().count(), 0);
    errors
}

#[test]
fn a_failing_read_is_what_it_says_wherever_it_fails() {
    let package = gzip(&tar(&[Entry::file("web/Chart.yaml", CHART), Entry::file("web/a", "b")], 2));
    for length in 0..=package.len() {
        for most in [1, usize::MAX] {
            let fails = || Err(io::Error::other("the disk is gone"));
            for error in failures(|| Pieces::new(&package[..length], most, fails)) {
                assert_eq!(error.kind(), ErrorKind::Io, "after {length} bytes: {error}");
                assert!(error.to_string().contains("the disk is gone"), "{error}");
            }
        }
    }
}

#[test]
fn a_package_that_ends_early_says_so_wherever_it_ends() {
    let package = gzip(&tar(&[Entry::file("web/Chart.yaml", CHART), Entry::file("web/a", "b")], 2));
    let mut whole = 0;
    for length in 0..package.len() {
        let pieces = |most| Pieces::new(&package[..length], most, || Ok(0));
        match read_archive(pieces(usize::MAX), &LoadOptions::default()) {
            // Everything that Helm looks at was there.
            Ok(read) => {
                assert_eq!((read.files.len(), read.flaw), (2, Some(ArchiveFlaw::Cut)), "{length} bytes");
                let strict = LoadOptions::default().with_strict(true);
                let error = read_archive(pieces(1), &strict).unwrap_err();
                assert_eq!(error.reason(), Some(Reason::BadTrailer), "{length} bytes");
                whole += 1;
            }
            Err(_) => {
                assert_eq!(whole, 0, "{length} bytes are too few, but fewer were enough");
                let reason = if length == 0 { Reason::NotGzip } else { Reason::Truncated };
                for error in failures(|| pieces(1)).into_iter().chain(failures(|| pieces(usize::MAX))) {
                    assert_eq!(error.reason(), Some(reason), "{length} bytes: {error}");
                }
            }
        }
    }
    // The trailer at least.
    assert!(whole >= 8, "{whole}");
}
