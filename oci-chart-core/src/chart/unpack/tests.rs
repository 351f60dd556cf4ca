use std::io::Write;

use flate2::{Compression, write::GzEncoder};

use super::*;
use crate::{context::CancelToken, limits::Limits};

const CHART: &[u8] = b"apiVersion: v2\nname: web\nversion: 1.0.0\n";

fn package(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut tar = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    for (path, content) in files {
        let mut header = tar::Header::new_ustar();
        header.set_size(content.len() as u64);
        header.set_mode(0o777);
        header.as_ustar_mut().unwrap().name[..path.len()].copy_from_slice(path.as_bytes());
        header.set_cksum();
        tar.append(&header, *content).unwrap();
    }
    tar.into_inner().unwrap().finish().unwrap()
}

fn names(directory: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// Unpacks into a directory with one file in it, which must be alone again afterwards.
fn fails(package: &[u8], options: &LoadOptions) -> Error {
    let place = tempfile::tempdir().unwrap();
    fs::write(place.path().join("other"), "kept").unwrap();
    let error = unpack(package, place.path(), options).unwrap_err();
    assert_eq!(names(place.path()), ["other"], "{error}");
    error
}

#[test]
fn a_tree_with_the_name_from_its_chart_yaml() {
    let large = vec![b'x'; (2 << 20) + 7];
    let package = package(&[
        ("any/Chart.yaml", CHART),
        ("any/values.yaml", "\u{feff}a: 1".as_bytes()),
        ("any/templates/deep/er/a.yaml", b"a"),
        ("any/templates/b.yaml", b""),
        ("any/large", &large),
    ]);
    let place = tempfile::tempdir().unwrap();
    let done = unpack(&package[..], place.path(), &LoadOptions::default()).unwrap();
    assert_eq!((done.files, done.flaw), (5, None));
    assert_eq!(done.path, place.path().join("web"));
    assert_eq!(names(place.path()), ["web"]);
    assert_eq!(names(&done.path), ["Chart.yaml", "large", "templates", "values.yaml"]);
    assert_eq!(fs::read(done.path.join("values.yaml")).unwrap(), b"a: 1");
    assert_eq!(fs::read(done.path.join("templates/deep/er/a.yaml")).unwrap(), b"a");
    assert!(fs::read(done.path.join("large")).unwrap() == large);
}

#[test]
fn what_exists_is_not_touched() {
    let package = package(&[("web/Chart.yaml", CHART)]);
    let place = tempfile::tempdir().unwrap();
    let existing = place.path().join("web");
    for make in
        [(|path: &Path| fs::create_dir(path).unwrap()) as fn(&Path), |path| fs::write(path, "mine").unwrap()]
    {
        make(&existing);
        let error = unpack(&package[..], place.path(), &LoadOptions::default()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AlreadyExists);
        assert_eq!(error.reason(), Some(Reason::DestinationExists));
        assert_eq!(names(place.path()), ["web"]);
        if existing.is_dir() {
            assert!(names(&existing).is_empty());
            fs::remove_dir(&existing).unwrap();
        }
    }
    assert_eq!(fs::read(existing).unwrap(), b"mine");
}

#[test]
fn nothing_is_left_of_a_package_with_another_digest() {
    let package = package(&[("web/Chart.yaml", CHART)]);
    let size = package.len() as u64;
    for expected in
        [(Digest::of(b"other"), size), (Digest::of(&package), size - 1), (Digest::of(&package), size + 1)]
    {
        let place = tempfile::tempdir().unwrap();
        let error =
            unpack_verified(&package[..], place.path(), expected, &LoadOptions::default()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::DigestMismatch);
        assert!(names(place.path()).is_empty());
    }
    // Bytes behind the end count as well.
    let longer = [&package[..], b"junk behind the end"].concat();
    let place = tempfile::tempdir().unwrap();
    let expected = (Digest::of(&longer), longer.len() as u64);
    let done = unpack_verified(&longer[..], place.path(), expected, &LoadOptions::default()).unwrap();
    assert_eq!((names(place.path()), done.flaw), (vec!["web".to_owned()], Some(ArchiveFlaw::TrailingData)));
}

#[test]
fn cut_anywhere_it_leaves_nothing() {
    let package = package(&[("web/Chart.yaml", CHART), ("web/templates/a.yaml", b"kind: Service\n")]);
    let mut whole = 0;
    for length in 0..package.len() {
        let place = tempfile::tempdir().unwrap();
        match unpack(&package[..length], place.path(), &LoadOptions::default()) {
            Ok(done) => {
                // Only the trailer is missing, or the zeros at the end, which Helm does not miss either.
                assert_eq!((done.files, done.flaw), (2, Some(ArchiveFlaw::Cut)));
                whole += 1;
            }
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::InvalidArchive, "{error}");
                assert!(names(place.path()).is_empty(), "{length}");
            }
        }
    }
    assert!((8..40).contains(&whole), "{whole}");
}

#[test]
fn a_file_where_a_directory_is() {
    for pair in [["web/a", "web/a/b"], ["web/a/b", "web/a"]] {
        let package = package(&[("web/Chart.yaml", CHART), (pair[0], b""), (pair[1], b"")]);
        let error = fails(&package, &LoadOptions::default());
        assert_eq!((error.kind(), error.reason()), (ErrorKind::InvalidArchive, Some(Reason::DuplicatePath)));
    }
}

#[test]
fn without_a_name_there_is_no_place() {
    let named = |name: &str| format!("apiVersion: v2\nname: {name}\nversion: 1.0.0\n");
    assert_eq!(
        fails(&package(&[("web/values.yaml", b"")]), &LoadOptions::default()).reason(),
        Some(Reason::ChartYamlMissing)
    );
    for name in ["..", ".", "../evil", "/evil", "'..\\evil'", "..evil", ""] {
        let error = fails(&package(&[("web/Chart.yaml", named(name).as_bytes())]), &LoadOptions::default());
        assert_eq!(error.kind(), ErrorKind::InvalidChart, "{name}");
    }
}

#[test]
fn limits_and_tokens_stop_it() {
    let package = package(&[("web/Chart.yaml", CHART), ("web/a", &[0; 5000])]);
    let limits = Limits { file_bytes: 4999, ..Limits::default() };
    let error = fails(&package, &LoadOptions::default().with_limits(limits));
    assert_eq!((error.kind(), error.reason()), (ErrorKind::LimitExceeded, Some(Reason::FileTooLarge)));
    let limits = Limits { package_bytes: package.len() as u64 - 1, ..Limits::default() };
    assert_eq!(fails(&package, &LoadOptions::default().with_limits(limits)).kind(), ErrorKind::LimitExceeded);
    let token = CancelToken::new();
    token.cancel();
    assert_eq!(fails(&package, &LoadOptions::default().with_cancel(token)).kind(), ErrorKind::Cancelled);
}

#[test]
fn a_reader_that_fails_is_named() {
    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(Error::new(ErrorKind::Network, "cut").into())
        }
    }
    let package = package(&[("web/Chart.yaml", CHART), ("web/a", b"a")]);
    let place = tempfile::tempdir().unwrap();
    let error = unpack(package[..40].chain(Broken), place.path(), &LoadOptions::default()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Network);
    assert!(names(place.path()).is_empty());
}

#[test]
fn a_destination_that_is_none() {
    let package = package(&[("web/Chart.yaml", CHART)]);
    let place = tempfile::tempdir().unwrap();
    let mut writer = fs::File::create(place.path().join("file")).unwrap();
    writer.write_all(b"x").unwrap();
    let missing = unpack(&package[..], place.path().join("missing"), &LoadOptions::default()).unwrap_err();
    assert_eq!(missing.kind(), ErrorKind::NotFound);
    let file = unpack(&package[..], place.path().join("file"), &LoadOptions::default()).unwrap_err();
    assert_eq!(file.kind(), ErrorKind::Io);
    assert_eq!(names(place.path()), ["file"]);
}

#[cfg(unix)]
#[test]
fn nobody_else_can_write_there() {
    use std::os::unix::fs::PermissionsExt;
    let package = package(&[("web/Chart.yaml", CHART), ("web/templates/a.yaml", b"a")]);
    let place = tempfile::tempdir().unwrap();
    let done = unpack(&package[..], place.path(), &LoadOptions::default()).unwrap();
    for (path, most) in
        [("", 0o755), ("templates", 0o755), ("Chart.yaml", 0o644), ("templates/a.yaml", 0o644)]
    {
        let mode = fs::metadata(done.path.join(path)).unwrap().permissions().mode() & 0o777;
        // The umask may have taken something away, but not from the owner.
        assert_eq!((mode & !most, mode & 0o700), (0, most & 0o700), "{path}: {mode:o}");
    }
}
