//! What the library pulls in, by Cargo's own account: what is slow, large or a system library stays out.

use std::{collections::BTreeSet, process::Command};

use crate::architecture::sources;

/// Network and threads, and nothing that signs.
const FEATURES: &str = "registry,blocking";
/// All but HTTP/2.
const ALL: &str = "registry,blocking,cloud,sign,keyless,pgp";

/// The packages below the library with these features, without build scripts' and tests' own.
fn tree(features: &[&str]) -> BTreeSet<String> {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--frozen", "--edges", "normal,no-proc-macro", "--prefix", "none", "--format", "{p}"])
        .args(["--package", "oci-chart-core", "--target", "all"])
        .args(features)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    text.lines()
        .filter_map(|line| line.split(' ').next())
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect()
}

#[test]
fn nothing_slow_or_foreign_comes_along() {
    let all = tree(&["--features", FEATURES]);
    for (name, why) in [
        ("openssl", "needs a system library"),
        ("openssl-sys", "needs a system library"),
        ("native-tls", "needs a system library"),
        ("oci-spec", "a peer in tests; brings a regular expression engine, and its reference takes 34 ms"),
        ("regex", "milliseconds for each expression"),
        ("libz-sys", "needs a C toolchain, where zlib-rs inflates as fast"),
        ("h2", "HTTP/1.1 does; who wants this half a megabyte asks for the feature `http2`"),
    ] {
        assert!(!all.contains(name), "{name}: {why}");
    }
    assert!(all.contains("ring") && all.contains("zlib-rs") && all.contains("reqwest"), "{all:?}");
}

#[test]
fn no_signature_brings_a_second_cryptography() {
    let all = tree(&["--features", ALL]);
    for (name, why) in [
        ("aws-lc-rs", "22 ms at its first random number, and 3 MB"),
        ("aws-lc-sys", "needs a C toolchain with CMake"),
        ("openssl", "needs a system library"),
        ("native-tls", "needs a system library"),
        ("sigstore", "a client of the network"),
        ("reqwest-middleware", "a client of the network"),
    ] {
        assert!(!all.contains(name), "{name}: {why}");
    }
    assert!(all.contains("sigstore-verify") && all.contains("pgp") && all.contains("p384"), "{all:?}");
}

#[test]
fn charts_need_no_network_code() {
    let bare = tree(&["--no-default-features"]);
    for name in ["reqwest", "hyper", "rustls", "ring", "socket2", "mio"] {
        assert!(!bare.contains(name), "{name} without the feature `registry`");
    }
    let blocking = tree(&["--no-default-features", "--features", "blocking"]);
    assert!(!blocking.contains("reqwest") && !blocking.contains("ring"), "{blocking:?}");
}

#[test]
fn signing_with_keys_needs_no_network_code() {
    let sign = tree(&["--no-default-features", "--features", "sign"]);
    for name in ["reqwest", "hyper", "rustls", "sigstore-verify"] {
        assert!(!sign.contains(name), "{name} with the feature `sign`");
    }
    assert!(sign.contains("ring") && sign.contains("p521"), "{sign:?}");
}

#[test]
fn every_dependency_is_used() {
    let manifest = fs_err::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")).unwrap();
    let text = |folder: &str| sources(folder).into_iter().map(|source| source.text).collect::<String>();
    let (product, tests) = (text("src"), text("tests"));
    let mut section = "";
    let mut seen = 0;
    for line in manifest.lines() {
        if line.starts_with('[') {
            section = line;
        }
        let name = line.split(['.', ' ', '=']).next().unwrap_or_default();
        if !section.ends_with("dependencies]") || line.starts_with(['[', '#']) || name.is_empty() {
            continue;
        }
        let path = format!("{}::", name.replace('-', "_"));
        let used = product.contains(&path) || (section == "[dev-dependencies]" && tests.contains(&path));
        assert!(used, "{name} in {section} is used nowhere");
        seen += 1;
    }
    assert!(seen > 15, "{seen}");
}
