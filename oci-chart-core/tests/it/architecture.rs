//! The layers hold, files stay small, and what belongs in one place stands in one place.

use std::path::{Path, PathBuf};

/// Modules in dependency order: a file may use its own row and the rows above it.
const LAYERS: [&[&str]; 9] = [
    &["error", "redact", "limits", "digest", "content", "context", "platform", "process"],
    &["name", "yaml", "json"],
    &["chart", "kube"],
    &["oci"],
    &["http", "auth", "threads"],
    &["store"],
    &["trust", "transfer"],
    &["client", "diagnose"],
    &["blocking", "fuzzing"],
];

/// What the crate root re-exports, and where it comes from.
const AT_THE_ROOT: &[(&str, &str)] = &[
    ("Error", "error"),
    ("ErrorKind", "error"),
    ("Reason", "error"),
    ("Result", "error"),
    ("Digest", "digest"),
    ("Content", "content"),
    ("Context", "context"),
    ("Event", "context"),
    ("CancelToken", "context"),
    ("Limits", "limits"),
    ("Secret", "redact"),
    ("RedactedUrl", "redact"),
];

const MOST_LINES: usize = 600;

pub(crate) struct Source {
    path: String,
    pub(crate) text: String,
}

#[test]
fn a_file_uses_only_its_own_layer_and_those_below() {
    let mut wrong = Vec::new();
    for source in sources("src") {
        if source.path == "lib.rs" {
            continue;
        }
        let module = source.path.split(['/', '.']).next().unwrap();
        let own = layer(module).unwrap_or_else(|| panic!("{}: give `{module}` a layer", source.path));
        for used in used(&source.text) {
            let module = AT_THE_ROOT
                .iter()
                .find(|(name, _)| *name == used)
                .map_or(used.as_str(), |(_, module)| module);
            match layer(module) {
                Some(other) if other <= own => {}
                Some(_) => wrong.push(format!("{} uses crate::{used}", source.path)),
                None => wrong.push(format!("{} uses crate::{used}, which has no layer", source.path)),
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn files_stay_small() {
    let mut large = Vec::new();
    for folder in ["src", "tests", "testkit", "fuzz/fuzz_targets", "../examples", "../benches"] {
        for source in sources(folder) {
            let lines = source.text.lines().count();
            if lines > MOST_LINES {
                large.push(format!("{folder}/{}: {lines} lines", source.path));
            }
        }
    }
    assert_eq!(large, Vec::<String>::new());
}

#[test]
fn the_median_file_is_about_a_hundred_lines() {
    let mut lengths: Vec<usize> = sources("src").iter().map(|source| source.text.lines().count()).collect();
    lengths.sort_unstable();
    let median = lengths[lengths.len() / 2];
    assert!((40..=200).contains(&median), "median {median} of {} files", lengths.len());
}

#[test]
fn what_differs_between_systems_stands_in_one_module() {
    for source in sources("src").iter().filter(|source| !source.path.ends_with("tests.rs")) {
        let local = ["std::os::", "cfg(unix)", "cfg(windows)", "cfg(target_os"];
        let found = local.iter().find(|word| source.text.contains(*word));
        assert!(
            source.path.starts_with("platform") || found.is_none(),
            "{}: {found:?} belongs into platform.rs or below it",
            source.path
        );
    }
}

#[test]
fn work_that_blocks_goes_one_way() {
    for source in sources("src").iter().filter(|source| source.path != "threads.rs") {
        assert!(!source.text.contains("spawn_blocking"), "{}: use `threads::off_thread`", source.path);
    }
}

#[test]
fn the_test_registry_knows_nothing_of_the_library() {
    let manifest = fs_err::read_to_string(root().join("testkit/Cargo.toml")).unwrap();
    assert!(!manifest.contains("oci-chart-core"));
}

#[test]
fn charts_and_oci_values_need_no_async_and_no_network() {
    for source in sources("src") {
        let module = source.path.split(['/', '.']).next().unwrap();
        if layer(module).is_none_or(|layer| layer > 3) || module == "context" {
            continue;
        }
        for word in ["async fn", "tokio", "reqwest", "std::net"] {
            assert!(!code(&source.text).any(|line| line.contains(word)), "{} has {word}", source.path);
        }
    }
}

fn layer(module: &str) -> Option<usize> {
    LAYERS.iter().position(|row| row.contains(&module))
}

/// The first name of every `crate::` path, one by one where a `use` groups them.
fn used(text: &str) -> Vec<String> {
    let code = code(text).collect::<Vec<_>>().join("\n");
    let mut found = Vec::new();
    for rest in code.split("crate::").skip(1) {
        if let Some(group) = rest.strip_prefix('{') {
            let mut depth = 1;
            let mut name = String::new();
            let mut fresh = true;
            for letter in group.chars() {
                match letter {
                    '{' => depth += 1,
                    '}' if depth == 1 => break,
                    '}' => depth -= 1,
                    ',' if depth == 1 => fresh = true,
                    letter if letter.is_alphanumeric() || letter == '_' => {
                        if fresh {
                            name.push(letter);
                        }
                    }
                    _ => {
                        if !name.is_empty() {
                            fresh = false;
                            found.push(std::mem::take(&mut name));
                        }
                    }
                }
            }
            found.extend((!name.is_empty()).then_some(name));
        } else {
            found
                .push(rest.chars().take_while(|letter| letter.is_alphanumeric() || *letter == '_').collect());
        }
    }
    found.retain(|name| !name.is_empty());
    found
}

/// Lines that are not comments.
fn code(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter(|line| !line.trim_start().starts_with("//"))
}

fn root() -> PathBuf {
    env!("CARGO_MANIFEST_DIR").into()
}

/// The sources below a folder of this crate.
pub(crate) fn sources(folder: &str) -> Vec<Source> {
    let base = root().join(folder);
    let mut found = Vec::new();
    let mut open: Vec<PathBuf> = vec![base.clone()];
    while let Some(path) = open.pop() {
        let Ok(entries) = fs_err::read_dir(&path) else { continue };
        for entry in entries {
            let path = entry.unwrap().path();
            if path.is_dir() && path.file_name().is_none_or(|name| name != "target") {
                open.push(path);
            } else if path.extension().is_some_and(|kind| kind == "rs" || kind == "go" || kind == "sh") {
                let text = fs_err::read_to_string(&path).unwrap();
                found.push(Source { path: relative(&path, &base), text });
            }
        }
    }
    found
}

fn relative(path: &Path, base: &Path) -> String {
    path.strip_prefix(base).unwrap().to_string_lossy().replace('\\', "/")
}

#[test]
fn grouped_and_single_paths_are_seen() {
    let text = "use crate::{\n    content::{Content, Reader},\n    digest::Digest,\n    Error,\n};\nuse crate::store::Store; // crate\n//! crate::no";
    assert_eq!(used(text), ["content", "digest", "Error", "store"]);
}
