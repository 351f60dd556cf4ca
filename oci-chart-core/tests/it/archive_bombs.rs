//! Packages that were made to hurt: they end at a limit, having cost next to nothing, and leave nothing behind.

use std::{
    io::{self, Read},
    path::Path,
};

use oci_chart_core::{
    CancelToken, Error, ErrorKind, Limits, Reason,
    chart::{LoadOptions, read_archive, summarize_archive, unpack},
};
use tempfile::TempDir;

use crate::support::tarball::{Entry, gzip, tar};

const CHART: &str = "apiVersion: v2\nname: web\nversion: 1.0.0\n";

/// The default limits but for one.
fn with(change: impl FnOnce(&mut Limits)) -> Limits {
    let mut limits = Limits::default();
    change(&mut limits);
    limits
}

/// Counts what is taken out of it.
struct Counted<R> {
    reader: R,
    bytes: u64,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.reader.read(buffer)?;
        self.bytes += count as u64;
        Ok(count)
    }
}

/// A chart and one more entry, whose size field says `size` and behind which as many zeros follow as somebody reads.
fn bomb(entry: Entry, size: u64) -> impl Read {
    let mut size_field = vec![0x80, 0, 0, 0];
    size_field.extend(size.to_be_bytes());
    let entry = Entry { size: Some(size_field), ..entry };
    let head = tar(&[Entry::file("web/Chart.yaml", CHART), entry], 0);
    // flate2's reader compresses as it is read, so nothing of this is ever held.
    flate2::read::GzEncoder::new(io::Cursor::new(head).chain(io::repeat(0)), flate2::Compression::fast())
}

/// The error of all three ways to read, which must agree, and the most compressed bytes that any of them took.
fn fails<R: Read>(package: impl Fn() -> R, options: &LoadOptions) -> (Error, u64) {
    let counted = || Counted { reader: package(), bytes: 0 };
    let place = TempDir::new().unwrap();
    let mut readers = [counted(), counted(), counted()];
    let [first, second, third] = &mut readers;
    let errors = [
        read_archive(first, options).unwrap_err(),
        summarize_archive(second, options).unwrap_err(),
        unpack(third, place.path(), options).unwrap_err(),
    ];
    assert_eq!(fs_err::read_dir(place.path()).unwrap().count(), 0);
    let [error, others @ ..] = errors;
    for other in others {
        assert_eq!(other.to_string(), error.to_string());
    }
    (error, readers.iter().map(|reader| reader.bytes).max().unwrap())
}

#[test]
fn a_size_above_the_limit_is_not_even_begun() {
    for (size, reason) in [
        (5_242_881, Reason::FileTooLarge),
        (100 << 20, Reason::ArchiveTooLarge),
        (8 << 40, Reason::ArchiveTooLarge),
        (i64::MAX as u64, Reason::ArchiveTooLarge),
    ] {
        let package = || bomb(Entry::file("web/bomb", ""), size);
        let (error, taken) = fails(package, &LoadOptions::default());
        assert_eq!((error.kind(), error.reason()), (ErrorKind::LimitExceeded, Some(reason)), "{size}");
        assert!(error.get("limit").is_some() && error.get("entry") == Some("bomb"), "{error}");
        // One buffer full.
        assert!(taken <= 64 << 10, "{taken}");
    }
}

#[test]
fn a_directory_cannot_hide_a_bomb() {
    // By its mode it is a directory, and Helm inflates all of it just to pass it over.
    let entry = || Entry { mode: b"0040755\0".to_vec(), ..Entry::file("web/bomb", "") };
    let (error, taken) = fails(|| bomb(entry(), 1 << 40), &LoadOptions::default());
    assert_eq!(error.reason(), Some(Reason::ArchiveTooLarge));
    assert!(taken <= 64 << 10, "{taken}");
}

#[test]
fn zeros_without_end_behind_the_end() {
    let head = tar(&[Entry::file("web/Chart.yaml", CHART)], 2);
    let endless = || {
        flate2::read::GzEncoder::new(
            io::Cursor::new(head.clone()).chain(io::repeat(0)),
            flate2::Compression::fast(),
        )
    };
    let limits = with(|limits| limits.package_bytes = 1 << 20);
    let (error, taken) = fails(endless, &LoadOptions::default().with_limits(limits).with_strict(true));
    // Of 100 MiB of zeros, the looking ends.
    assert!(matches!(error.reason(), Some(Reason::BadTrailer) | None), "{error}");
    assert!(taken <= (1 << 20) + (128 << 10), "{taken}");
}

#[test]
fn many_files_end_at_the_sum() {
    let mebibyte = vec![0; 1 << 20];
    let files: Vec<Entry> = (0..9).map(|n| Entry::file(format!("web/{n}"), mebibyte.clone())).collect();
    let package = gzip(&tar(&files, 2));
    for (total, good) in [(9 << 20, false), ((9 << 20) + 1, true)] {
        let limits = with(|limits| limits.total_bytes = total);
        let options = LoadOptions::default().with_limits(limits);
        if good {
            assert_eq!(read_archive(&package[..], &options).unwrap().files.len(), 9);
        } else {
            let (error, _) = fails(|| &package[..], &options);
            assert_eq!(error.reason(), Some(Reason::ArchiveTooLarge));
        }
    }
}

#[test]
fn the_limits_of_helm_to_the_byte() {
    // Nineteen files of 5 MiB, and one that brings the sum to the limit or to one byte below.
    let large = vec![0; 5 << 20];
    for (missing, good) in [(1, true), (0, false)] {
        let chart = Entry::file("web/Chart.yaml", CHART);
        let mut files: Vec<Entry> = (0..19).map(|n| Entry::file(format!("web/{n}"), large.clone())).collect();
        let last = (5 << 20) - CHART.len() - missing;
        files.extend([chart, Entry::file("web/last", &large[..last])]);
        let package = gzip(&tar(&files, 2));
        assert_eq!(read_archive(&package[..], &LoadOptions::default()).is_ok(), good);
    }
}

#[test]
fn descriptions_without_a_file_count_as_well() {
    // Extended headers of 1 MiB each; a comment is no file, but it has to be inflated.
    let comment = vec![b' '; (1 << 20) - 100];
    let mut entries = vec![Entry::file("web/Chart.yaml", CHART)];
    entries.extend((0..12).map(|_| Entry::extended(b'x', &[("comment", &comment)])));
    entries.push(Entry::file("web/a", ""));
    let package = gzip(&tar(&entries, 2));
    let limits =
        |total_bytes| LoadOptions::default().with_limits(with(|limits| limits.total_bytes = total_bytes));
    assert_eq!(read_archive(&package[..], &limits(12 << 20)).unwrap().files.len(), 2);
    assert_eq!(fails(|| &package[..], &limits(11 << 20)).0.reason(), Some(Reason::ArchiveTooLarge));

    let too_long = Entry::extended(b'x', &[("comment", &vec![b' '; 1 << 20])]);
    let package = gzip(&tar(&[too_long, Entry::file("web/a", "")], 2));
    assert_eq!(fails(|| &package[..], &LoadOptions::default()).0.kind(), ErrorKind::InvalidArchive);
}

#[test]
fn entries_are_counted() {
    let entries: Vec<Entry> = (0..50)
        .map(|n| Entry { kind: b'5', ..Entry::file(format!("web/{n}/"), "") })
        .chain([Entry::file("web/Chart.yaml", CHART)])
        .collect();
    let package = gzip(&tar(&entries, 2));
    let limited = |entries| LoadOptions::default().with_limits(with(|limits| limits.entries = entries));
    assert_eq!(read_archive(&package[..], &limited(51)).unwrap().files.len(), 1);
    assert_eq!(fails(|| &package[..], &limited(50)).0.reason(), Some(Reason::TooManyEntries));
}

#[test]
fn what_gives_nothing_for_ever_can_be_stopped() {
    // Empty members, one after the other: bytes go in, none come out.
    struct Members {
        member: Vec<u8>,
        at: usize,
        left: u32,
        token: CancelToken,
    }
    impl Read for Members {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.left -= 1;
            if self.left == 0 {
                self.token.cancel();
            }
            for byte in buffer.iter_mut() {
                *byte = self.member[self.at];
                self.at = (self.at + 1) % self.member.len();
            }
            Ok(buffer.len())
        }
    }
    let token = CancelToken::new();
    let endless = Members { member: gzip(b""), at: 0, left: 20, token: token.clone() };
    let error = read_archive(endless, &LoadOptions::default().with_cancel(token)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Cancelled);
}

#[test]
fn nothing_is_ever_written_outside() {
    for name in [
        "web/../evil",
        "web/../../evil",
        "web/a/../../../evil",
        "../../evil",
        "web//evil",
        "/web//evil",
        "web/c:/evil",
        "web\\..\\evil",
        "web\\..\\..\\evil",
        "web/..\\evil",
        "web/a\\..\\..\\evil",
        "C:\\web\\..\\evil",
        "web/..evil",
        "web/.",
        "web/..",
        "web/a/..",
        "evil",
        "../evil",
        "..",
        ".",
        "",
        "web/\u{2025}/evil",
        "web/\u{ff0e}\u{ff0e}/evil",
    ] {
        let outer = TempDir::new().unwrap();
        let place = outer.path().join("one/two");
        fs_err::create_dir_all(&place).unwrap();
        let package = gzip(&tar(&[Entry::file("web/Chart.yaml", CHART), Entry::file(name, "evil")], 2));
        let result = unpack(&package[..], &place, &LoadOptions::default());
        let inside = result.as_ref().map_or(place.clone(), |done| done.path.clone());
        assert_eq!(names(outer.path()), ["one"], "{name:?}");
        assert_eq!(names(&outer.path().join("one")), ["two"], "{name:?}");
        assert_eq!(names(&place).len(), usize::from(result.is_ok()), "{name:?}: {result:?}");
        assert!(inside.starts_with(&place));
    }
}

fn names(directory: &Path) -> Vec<String> {
    fs_err::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}
