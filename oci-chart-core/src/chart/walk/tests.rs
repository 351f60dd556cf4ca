use std::collections::BTreeMap;

use super::*;

fn tree(files: &[(&str, &str)]) -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = root.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    root
}

fn paths(tree: &Tree) -> Vec<&str> {
    tree.files.iter().map(|file| file.path().as_str()).collect()
}

fn fails(root: &Path, options: &LoadOptions) -> (ErrorKind, Option<Reason>) {
    let error = walk(root, options).unwrap_err();
    (error.kind(), error.reason())
}

#[test]
fn helm_s_order_is_not_that_of_whole_paths() {
    let root =
        tree(&[("a/z", ""), ("a-b", ""), ("a.b", ""), ("B", ""), ("ä", ""), ("b/c/d", ""), ("b/c.d", "")]);
    let found = walk(root.path(), &LoadOptions::default()).unwrap();
    // "a" < "a-b" < "a.b", although "a-b" < "a/z".
    assert_eq!(paths(&found), ["B", "a/z", "a-b", "a.b", "b/c/d", "b/c.d", "ä"]);
}

#[test]
fn content_is_opened_late_and_has_size_and_time() {
    let root = tree(&[("Chart.yaml", "name: a")]);
    let found = walk(root.path(), &LoadOptions::default()).unwrap();
    let file = &found.files[0];
    assert!(file.content().as_bytes().is_none());
    assert_eq!((file.content().len(), file.read(100).unwrap()), (7, "name: a".into()));
    assert_eq!(file.modified(), fs::metadata(root.path().join("Chart.yaml")).unwrap().modified().ok());
}

#[test]
fn what_stays_out_says_why() {
    let root = tree(&[
        (".helmignore", "# none\n*.md\ndocs/\n"),
        ("Chart.yaml", ""),
        ("README.md", ""),
        ("docs/a/b.txt", ""),
        ("charts/sub/.helmignore", "*.txt"),
        ("charts/sub/a.txt", ""),
        ("templates/.swp", ""),
    ]);
    fs::create_dir_all(root.path().join("empty/inner")).unwrap();
    let found = walk(root.path(), &LoadOptions::default()).unwrap();
    assert_eq!(paths(&found), [".helmignore", "Chart.yaml", "charts/sub/.helmignore", "charts/sub/a.txt"]);
    let why: BTreeMap<_, _> =
        found.skipped.iter().map(|skipped| (skipped.path.as_str(), skipped.why.to_string())).collect();
    assert_eq!(
        why.into_iter().collect::<Vec<_>>(),
        [
            ("README.md", "ignored by *.md (line 2 of .helmignore)".to_owned()),
            ("docs", "ignored by docs/ (line 3 of .helmignore)".to_owned()),
            ("empty/inner", "an empty directory".to_owned()),
            ("templates/.swp", "ignored by templates/.?* (built in)".to_owned()),
        ]
    );
}

#[test]
fn limits_name_themselves() {
    let root = tree(&[("a", "12345"), ("b/c", "1234")]);
    for (change, reason) in [
        ((|limits| limits.file_bytes = 4) as fn(&mut Limits), Reason::FileTooLarge),
        (|limits| limits.total_bytes = 9, Reason::ArchiveTooLarge),
        (|limits| limits.entries = 2, Reason::TooManyEntries),
    ] {
        let mut limits = Limits::default();
        change(&mut limits);
        let options = LoadOptions::default().with_limits(limits);
        assert_eq!(fails(root.path(), &options), (ErrorKind::LimitExceeded, Some(reason)));
    }
    let mut limits = Limits::default();
    (limits.file_bytes, limits.total_bytes, limits.entries) = (5, 10, 3);
    assert!(walk(root.path(), &LoadOptions::default().with_limits(limits)).is_ok());
}

#[test]
fn a_used_token_stops_it() {
    let root = tree(&[("a", "")]);
    let options = LoadOptions::default();
    options.cancel.cancel();
    assert_eq!(fails(root.path(), &options).0, ErrorKind::Cancelled);
}

#[test]
fn a_root_that_is_none() {
    let root = tree(&[("a", "")]);
    assert_eq!(fails(&root.path().join("b"), &LoadOptions::default()).0, ErrorKind::NotFound);
    assert_eq!(fails(&root.path().join("a"), &LoadOptions::default()).0, ErrorKind::InvalidInput);
}

#[cfg(unix)]
mod unix {
    use std::os::unix::{ffi::OsStrExt, fs::symlink, net::UnixListener};

    use super::*;

    fn loose() -> LoadOptions {
        LoadOptions::default().with_outside_symlinks(true)
    }

    #[test]
    fn links_inside_are_followed() {
        let root = tree(&[("a/x", "1"), ("b", "2")]);
        symlink("../b", root.path().join("a/link")).unwrap();
        symlink("a", root.path().join("c")).unwrap();
        symlink(root.path().join("a"), root.path().join("d")).unwrap();
        // The chart's own path may be a link as well.
        let outer = tempfile::tempdir().unwrap();
        symlink(root.path(), outer.path().join("chart")).unwrap();
        for place in [root.path(), &outer.path().join("chart")] {
            let found = walk(place, &LoadOptions::default()).unwrap();
            assert_eq!(paths(&found), ["a/link", "a/x", "b", "c/link", "c/x", "d/link", "d/x"]);
            assert_eq!(found.files[0].read(9).unwrap(), "2");
        }
    }

    #[test]
    fn links_out_of_the_chart_need_leave() {
        let outside = tree(&[("secret", "s"), ("dir/file", "f")]);
        for (target, expected) in [("secret", "link"), ("dir", "link/file")] {
            let root = tree(&[("a", "")]);
            symlink(outside.path().join(target), root.path().join("link")).unwrap();
            let expected_error = (ErrorKind::InvalidChart, Some(Reason::SymlinkEscape));
            assert_eq!(fails(root.path(), &LoadOptions::default()), expected_error);
            assert_eq!(paths(&walk(root.path(), &loose()).unwrap()), ["a", expected]);
            // What is ignored is not read, so it may lead anywhere.
            fs::write(root.path().join(".helmignore"), "link").unwrap();
            assert_eq!(paths(&walk(root.path(), &LoadOptions::default()).unwrap()), [".helmignore", "a"]);
        }
    }

    #[test]
    fn a_sibling_with_the_same_beginning_is_outside() {
        let parent = tree(&[("chart/a", ""), ("chart-secret/s", "")]);
        symlink("../chart-secret/s", parent.path().join("chart/link")).unwrap();
        let root = parent.path().join("chart");
        assert_eq!(fails(&root, &LoadOptions::default()).1, Some(Reason::SymlinkEscape));
    }

    #[test]
    fn the_rules_may_not_come_from_outside() {
        let outside = tree(&[("rules", "*")]);
        let root = tree(&[("a", "")]);
        symlink(outside.path().join("rules"), root.path().join(".helmignore")).unwrap();
        assert_eq!(fails(root.path(), &LoadOptions::default()).1, Some(Reason::SymlinkEscape));
        assert!(paths(&walk(root.path(), &loose()).unwrap()).is_empty());
    }

    #[test]
    fn circles_end() {
        for (link, target) in [("self", "self"), ("a/up", ".."), ("a/b/up", "../../a"), ("here", ".")] {
            let root = tree(&[("a/b/x", "")]);
            symlink(target, root.path().join(link)).unwrap();
            let expected = (ErrorKind::InvalidChart, Some(Reason::SymlinkLoop));
            assert_eq!(fails(root.path(), &LoadOptions::default()), expected, "{link} -> {target}");
            assert_eq!(fails(root.path(), &loose()), expected, "{link} -> {target}");
        }
        // Two links that lead to each other's directory.
        let root = tree(&[("a/x", ""), ("b/x", "")]);
        symlink("../b", root.path().join("a/to-b")).unwrap();
        symlink("../a", root.path().join("b/to-a")).unwrap();
        assert_eq!(fails(root.path(), &LoadOptions::default()).1, Some(Reason::SymlinkLoop));
    }

    #[test]
    fn links_that_multiply_meet_the_limit() {
        let root = tree(&[]);
        for level in 0..30 {
            let here = root.path().join(format!("d{level}"));
            fs::create_dir(&here).unwrap();
            for name in ["one", "two"] {
                symlink(format!("../d{}", level + 1), here.join(name)).unwrap();
            }
        }
        fs::create_dir(root.path().join("d30")).unwrap();
        let limits = Limits { entries: 1000, ..Limits::default() };
        let options = LoadOptions::default().with_limits(limits);
        assert_eq!(fails(root.path(), &options).1, Some(Reason::TooManyEntries));
    }

    #[test]
    fn dangling_links_are_errors_even_where_ignored() {
        let root = tree(&[(".helmignore", "link")]);
        symlink("nowhere", root.path().join("link")).unwrap();
        assert_eq!(fails(root.path(), &LoadOptions::default()), (ErrorKind::InvalidChart, None));
    }

    #[test]
    fn sockets_are_no_files_unless_ignored() {
        let root = tree(&[("a", "")]);
        let _socket = UnixListener::bind(root.path().join("s")).unwrap();
        let expected = (ErrorKind::InvalidChart, Some(Reason::IrregularFile));
        assert_eq!(fails(root.path(), &LoadOptions::default()), expected);
        symlink("/dev/null", root.path().join("null")).unwrap();
        assert_eq!(fails(root.path(), &loose()), expected);
        fs::write(root.path().join(".helmignore"), "s\nnull").unwrap();
        assert!(walk(root.path(), &loose()).is_ok());
    }

    #[test]
    fn names_that_would_not_come_back() {
        for name in [&b"a\\b"[..], b"..data", b"\xff"] {
            let root = tree(&[]);
            fs::write(root.path().join(std::ffi::OsStr::from_bytes(name)), "").unwrap();
            let expected = (ErrorKind::InvalidChart, Some(Reason::UnsafePath));
            assert_eq!(fails(root.path(), &LoadOptions::default()), expected, "{name:?}");
            fs::write(root.path().join(".helmignore"), name.escape_ascii().to_string()).unwrap();
            fs::write(root.path().join(".helmignore"), "..*\n?\na*\n[^.]").unwrap();
            assert_eq!(paths(&walk(root.path(), &LoadOptions::default()).unwrap()), [".helmignore"]);
        }
    }

    #[test]
    fn a_directory_without_permission_is_named() {
        use std::os::unix::fs::PermissionsExt;
        let root = tree(&[("a/b", "")]);
        let closed = root.path().join("a");
        fs::set_permissions(&closed, PermissionsExt::from_mode(0o000)).unwrap();
        let result = walk(root.path(), &LoadOptions::default());
        fs::set_permissions(&closed, PermissionsExt::from_mode(0o755)).unwrap();
        // The superuser reads everything.
        if let Err(error) = result {
            assert_eq!(error.kind(), ErrorKind::Io);
            assert!(error.to_string().contains(&*closed.to_string_lossy()), "{error}");
        }
    }
}
