//! From an entry's name to a path in the chart, by Helm's rules.

use super::ArchiveError;
use crate::chart::{ChartPath, ParsePathError};

/// Drops the first component of `name`, whatever it is, and cleans the rest. Where there is a backslash, backslashes separate.
pub(super) fn chart_path(name: &[u8]) -> Result<ChartPath, ArchiveError> {
    let Ok(name) = std::str::from_utf8(name) else {
        let shown = String::from_utf8_lossy(name).into_owned();
        return Err(ArchiveError::BadPath(shown, ParsePathError::NotUnicode));
    };
    let separator = if name.contains('\\') { '\\' } else { '/' };
    let (base, below) = name.split_once(separator).unwrap_or((name, ""));
    if base == "Chart.yaml" {
        resolve(name, separator, below)?;
        return Err(ArchiveError::ChartYamlNotInBase);
    }
    // What is a path already is clean.
    match ChartPath::new(below) {
        Ok(path) => Ok(path),
        Err(_) => resolve(name, separator, below),
    }
}

/// The path that `below` stands for, or which of Helm's rules it breaks.
fn resolve(name: &str, separator: char, below: &str) -> Result<ChartPath, ArchiveError> {
    let below = below.replace(separator, "/");
    if below.starts_with('/') {
        return Err(ArchiveError::AbsolutePath(name.to_owned()));
    }
    let clean = clean(&below);
    if clean.is_empty() {
        return Err(ArchiveError::OutsideBase(name.to_owned()));
    }
    ChartPath::new(&clean).map_err(|error| match error {
        ParsePathError::Parent => ArchiveError::ParentDirectory(name.to_owned()),
        ParsePathError::DriveLetter => ArchiveError::DriveLetter(name.to_owned()),
        error => ArchiveError::BadPath(name.to_owned(), error),
    })
}

/// Resolves `.`, `..` and doubled slashes without looking at any file; `..` stays where nothing is left to go up from.
fn clean(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    for component in path.split('/') {
        match component {
            "" | "." => {}
            ".." if kept.last().is_some_and(|last| *last != "..") => {
                kept.pop();
            }
            _ => kept.push(component),
        }
    }
    kept.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_component_goes_whatever_it_is() {
        for (name, path) in [
            ("foo/Chart.yaml", "Chart.yaml"),
            ("./Chart.yaml", "Chart.yaml"),
            ("/Chart.yaml", "Chart.yaml"),
            ("../Chart.yaml", "Chart.yaml"),
            ("foo/a/../b//./c/", "b/c"),
            ("foo\\a\\b", "a/b"),
            ("foo/a\\b", "b"),
            ("C:\\foo\\x", "foo/x"),
            ("foo/c:x", "c:x"),
            ("foo/a/..b", "a/..b"),
        ] {
            assert_eq!(chart_path(name.as_bytes()).unwrap(), path, "{name}");
        }
    }

    #[test]
    fn every_refusal() {
        let owned = str::to_owned;
        for (name, error) in [
            ("foo//x", ArchiveError::AbsolutePath(owned("foo//x"))),
            ("foo", ArchiveError::OutsideBase(owned("foo"))),
            ("foo/a/..", ArchiveError::OutsideBase(owned("foo/a/.."))),
            ("foo/../x", ArchiveError::ParentDirectory(owned("foo/../x"))),
            ("foo/..x", ArchiveError::ParentDirectory(owned("foo/..x"))),
            ("foo/a/../../b", ArchiveError::ParentDirectory(owned("foo/a/../../b"))),
            ("foo\\..\\x", ArchiveError::ParentDirectory(owned("foo\\..\\x"))),
            ("foo/c:/x", ArchiveError::DriveLetter(owned("foo/c:/x"))),
            ("Chart.yaml/x", ArchiveError::ChartYamlNotInBase),
            ("", ArchiveError::OutsideBase(owned(""))),
        ] {
            assert_eq!(chart_path(name.as_bytes()), Err(error), "{name}");
        }
        assert!(matches!(chart_path(b"a/\xff"), Err(ArchiveError::BadPath(_, ParsePathError::NotUnicode))));
    }
}
