//! Packages as files: written whole or not at all, read back with what lies beside them.

use std::path::{Path, PathBuf};

use oci_chart_core::{
    CancelToken, ErrorKind,
    chart::{LoadOptions, Package},
};

use super::{WEB, bytes_of, package, tree};

fn names(directory: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs_err::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn a_package_is_written_under_helm_s_name_and_read_back() {
    let package = package(tree(WEB).path()).unwrap();
    let place = tempfile::tempdir().unwrap();
    let directory = place.path().join("not/there/yet");
    let path = package.write_to_dir(&directory).unwrap();
    assert_eq!(path, directory.join("web-0.1.0.tgz"));
    assert_eq!(fs_err::read(&path).unwrap(), bytes_of(&package));
    let read = Package::from_file(&path, &LoadOptions::default()).unwrap();
    assert_eq!((read.digest(), read.size(), read.provenance()), (package.digest(), package.size(), None));
    assert_eq!(read.metadata().unwrap(), package.metadata().unwrap());

    let signed = package.with_provenance("signed");
    signed.write_to_dir(&directory).unwrap();
    assert_eq!(names(&directory), ["web-0.1.0.tgz", "web-0.1.0.tgz.prov"]);
    let read = Package::from_file(&path, &LoadOptions::default()).unwrap();
    assert_eq!(read.provenance().unwrap(), "signed");
    assert_eq!(read.digest(), package.digest());
    // What was there is replaced.
    fs_err::write(&path, "other").unwrap();
    package.with_provenance("signed again").write_to_dir(&directory).unwrap();
    let read = Package::from_file(&path, &LoadOptions::default()).unwrap();
    assert_eq!((read.digest(), &read.provenance().unwrap()[..]), (package.digest(), &b"signed again"[..]));
}

#[cfg(unix)]
#[test]
fn others_may_read_what_was_written() {
    use std::os::unix::fs::PermissionsExt as _;

    let package = package(tree(WEB).path()).unwrap().with_provenance("signed");
    let place = tempfile::tempdir().unwrap();
    let path = package.write_to_dir(place.path()).unwrap();
    let usual = place.path().join("usual");
    fs_err::write(&usual, "").unwrap();
    let mode = |path: &Path| fs_err::metadata(path).unwrap().permissions().mode();
    for written in [path.clone(), PathBuf::from(format!("{}.prov", path.display()))] {
        assert_eq!(mode(&written), mode(&usual) & !0o022, "{}", written.display());
    }
}

#[test]
fn a_place_that_cannot_be_written_stays_as_it_was() {
    let package = package(tree(WEB).path()).unwrap().with_provenance("signed");
    // A directory has the package's name, then the provenance file's.
    for taken in ["web-0.1.0.tgz", "web-0.1.0.tgz.prov"] {
        let place = tempfile::tempdir().unwrap();
        fs_err::create_dir(place.path().join(taken)).unwrap();
        let error = package.write_to_dir(place.path()).unwrap_err();
        assert_eq!((error.kind(), error.operation()), (ErrorKind::Io, Some("write package")), "{error}");
        assert!(error.get("path").is_some_and(|path| path.ends_with("web-0.1.0.tgz")));
        assert_eq!(names(place.path()), [taken]);
    }
    // A file stands where a directory is needed.
    let place = tempfile::tempdir().unwrap();
    fs_err::write(place.path().join("file"), "text").unwrap();
    let error = package.write_to_dir(place.path().join("file")).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Io | ErrorKind::AlreadyExists), "{error}");
    assert_eq!(fs_err::read(place.path().join("file")).unwrap(), b"text");
}

#[test]
fn a_token_stops_writing_unpacking_and_loading() {
    let package = package(tree(WEB).path()).unwrap().with_provenance("signed");
    let (place, token) = (tempfile::tempdir().unwrap(), CancelToken::new());
    let stoppable = package.with_cancel(token.clone());
    assert_eq!((stoppable.digest(), stoppable.provenance()), (package.digest(), package.provenance()));
    assert_eq!(stoppable.chart().unwrap().name(), "web");
    token.cancel();
    let failures = [
        stoppable.write_to_dir(place.path()).unwrap_err(),
        stoppable.unpack(place.path()).unwrap_err(),
        stoppable.chart().unwrap_err(),
    ];
    assert_eq!(failures.map(|error| error.kind()), [ErrorKind::Cancelled; 3]);
    assert_eq!(names(place.path()), [""; 0]);
    // The package that it was made of knows nothing of it.
    package.write_to_dir(place.path()).unwrap();
    package.unpack(place.path()).unwrap();
}

/// Not even the superuser writes into `/proc`; elsewhere the mode decides.
#[cfg(target_os = "linux")]
#[test]
fn a_directory_that_cannot_be_written_is_an_error() {
    let package = package(tree(WEB).path()).unwrap();
    let error = package.write_to_dir("/proc").unwrap_err();
    assert!(
        matches!(error.kind(), ErrorKind::Io | ErrorKind::PermissionDenied | ErrorKind::NotFound),
        "{error}"
    );
}

#[test]
fn what_is_no_package_is_named() {
    let place = tempfile::tempdir().unwrap();
    for (name, bytes, kind) in [
        ("none.tgz", None, ErrorKind::NotFound),
        ("empty.tgz", Some(&b""[..]), ErrorKind::InvalidArchive),
        ("text.tgz", Some(b"text"), ErrorKind::InvalidArchive),
    ] {
        let path = place.path().join(name);
        if let Some(bytes) = bytes {
            fs_err::write(&path, bytes).unwrap();
        }
        let error = Package::from_file(&path, &LoadOptions::default()).unwrap_err();
        assert_eq!((error.kind(), error.operation()), (kind, Some("load")), "{error}");
        assert!(error.get("package").is_some_and(|path| path.ends_with(name)));
    }
    let error = Package::from_file(place.path(), &LoadOptions::default()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
}
