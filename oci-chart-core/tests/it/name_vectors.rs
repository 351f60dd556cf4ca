//! Versions, constraints and references against the golden answers of Helm's packages.

use std::cmp::Ordering;

use oci_chart_core::{
    Digest,
    name::{AvailableVersions, BaseAddress, ChartVersion, Reference, Selector, Tag, VersionReq},
};
use serde_json::Value;

use crate::{
    oracle_references::{row, takes},
    support::{corpus::vectors, disagreements::Tally, say},
};

#[test]
fn constraints() {
    let Some(rows) = vectors("constraints", "constraints.jsonl") else { return };
    for case in &rows {
        let text = case["constraint"].as_str().unwrap();
        let ours = VersionReq::parse(text);
        assert_eq!(ours.is_err(), case.get("error").is_some(), "{text:?}: {ours:?}");
        let Ok(ours) = ours else { continue };
        assert_eq!(ours.to_string(), case["string"], "{text:?}");
        for (column, wanted) in [("yes", true), ("no", false)] {
            for version in case.get(column).and_then(Value::as_array).into_iter().flatten() {
                let version = ChartVersion::parse(version.as_str().unwrap()).unwrap();
                assert_eq!(ours.matches(&version), wanted, "{text:?} on {version}");
            }
        }
    }
    say(&format!("constraints: {} rows", rows.len()));
}

#[test]
fn versions_and_their_order() {
    let Some(rows) = vectors("versions_and_their_order", "semver-order.jsonl") else { return };
    let parse = |text: &Value| ChartVersion::parse(text.as_str().unwrap());
    for case in &rows {
        match case["kind"].as_str().unwrap() {
            "parse" => {
                let ours = parse(&case["version"]);
                assert_eq!(ours.is_ok(), case.get("loose").is_some(), "{case}");
                let strict = ChartVersion::parse_strict(case["version"].as_str().unwrap());
                assert_eq!(strict.is_ok(), case.get("strict").is_some(), "{case}");
                let Ok(ours) = ours else { continue };
                assert_eq!(ours.canonical(), case["loose"], "{case}");
                assert_eq!(
                    (ours.prerelease(), ours.metadata()),
                    (text(&case["prerelease"]), text(&case["metadata"])),
                    "{case}"
                );
            }
            "compare" => {
                let (a, b) = (parse(&case["a"]).unwrap(), parse(&case["b"]).unwrap());
                let wanted = case["cmp"].as_i64().unwrap().cmp(&0);
                assert_eq!(
                    (a.cmp_precedence(&b), b.cmp_precedence(&a)),
                    (wanted, wanted.reverse()),
                    "{case}"
                );
            }
            "sort" => {
                let tags = case["versions"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .filter_map(|tag| Tag::parse(tag.as_str()?).ok());
                let available: AvailableVersions = tags.collect();
                let ours = available.newest_first();
                let theirs = case["newest_first"].as_array().unwrap();
                assert_eq!(ours.len(), theirs.len(), "{case}");
                for (ours, theirs) in ours.iter().zip(theirs) {
                    // The order among versions of equal precedence means nothing.
                    assert_eq!(ours.cmp_precedence(&parse(theirs).unwrap()), Ordering::Equal, "{case}");
                }
            }
            other => panic!("unknown kind {other}"),
        }
    }
    say(&format!("versions_and_their_order: {} rows", rows.len()));
}

#[test]
fn references() {
    let Some(rows) = vectors("references", "references.jsonl") else { return };
    let (mut tally, mut checked) = (Tally::default(), 0);
    for case in rows.iter().filter(|case| case["kind"] == "parse") {
        let text = case["ref"].as_str().unwrap();
        match (Reference::parse(text), takes(case)) {
            (Ok(ours), true) => {
                assert_eq!(ours.repository().as_str(), case["repository"], "{text:?}");
                if let (None, Some(put)) = (ours.digest(), case.get("put")) {
                    assert_eq!(ours.tag().map_or("", |tag| tag.as_str()), put, "{text:?}");
                }
            }
            (Err(_), false) => {}
            (Err(ours), true) => tally.allow(row(&ours, text), &(text, case)),
            (Ok(ours), false) => {
                assert!(
                    ours.tag().is_none() && case.get("error_after_first_request").is_some(),
                    "{text:?}: {ours}, {case}"
                );
            }
        }
        checked += 1;
    }
    for case in rows.iter().filter(|case| case["kind"] == "push") {
        let (target, name) = (text(&case["target"]).replace("HOST", "localhost:5000"), text(&case["name"]));
        let ours = ChartVersion::parse(text(&case["version"]))
            .ok()
            .and_then(|version| BaseAddress::parse(&target).ok()?.reference(name, &version).ok());
        let theirs = case.get("pushed").map(|pushed| text(pushed).replace("HOST", "localhost:5000"));
        assert_eq!(ours.map(|ours| ours.to_string()), theirs, "{case}");
        checked += 1;
    }
    assert!(checked > 100, "{checked}");
    say(&format!("references: {checked} rows, {tally}"));
}

/// What `--version` and a reference together name, over a known list of tags.
#[test]
fn resolution() {
    let Some(rows) = vectors("resolution", "references.jsonl") else { return };
    let (mut setup, mut alike, mut tally) = (Value::Null, 0, Tally::default());
    for case in &rows {
        if case["kind"] == "resolve-setup" {
            setup = case.clone();
        }
        if case["kind"] != "resolve" {
            continue;
        }
        let reference = text(&case["ref"]);
        let tags = case.get("tags").unwrap_or(&setup["tags"]);
        let ours = resolve(reference, text(&case["version"]), tags, &setup["digests"]);
        let theirs = case.get("url").map(|url| {
            let url = text(url).trim_start_matches("oci://");
            // Helm writes the digest into the url, or says it beside; and the tag as the version it stands for.
            url.split_once('@').filter(|(_, digest)| digest.contains(':')).map_or_else(
                || match text(&case["digest"]) {
                    "" => url.replace('+', "_"),
                    digest => digest.to_owned(),
                },
                |(_, digest)| digest.to_owned(),
            )
        });
        match (ours, theirs) {
            (ours, theirs) if ours == theirs => alike += 1,
            (Some(_), None) => tally.allow("tag-is-a-tag", case),
            (None, Some(_)) => match Reference::parse(reference) {
                Err(error) if !row(&error, reference).is_empty() => tally.allow(row(&error, reference), case),
                Err(_) if reference.contains(['?', '#', '%', '@']) => tally.allow("reference-url-part", case),
                other => panic!("{case}: {other:?}"),
            },
            (ours, theirs) => panic!("{case}: ours {ours:?}, Helm {theirs:?}"),
        }
    }
    say(&format!("resolution: {alike} rows alike, {tally}"));
    assert!(alike > 90);
}

fn resolve(reference: &str, version: &str, tags: &Value, digests: &Value) -> Option<String> {
    let reference = Reference::parse(reference).ok()?;
    let selector = Selector::from_reference(&reference, Some(version)).ok()?;
    let place = format!("{}/{}", reference.host(), reference.repository());
    match selector {
        Selector::Tag(tag) => Some(format!("{place}:{tag}")),
        Selector::Digest(digest) => Some(digest.to_string()),
        Selector::Pinned { tag, digest } => {
            let there = digests
                .get(tag.as_str())
                .and_then(Value::as_str)
                .and_then(|text| text.parse::<Digest>().ok());
            there.is_none_or(|there| there == digest).then(|| digest.to_string())
        }
        Selector::Range(range) => {
            let tags = tags.as_array()?.iter().filter_map(|tag| Tag::parse(tag.as_str()?).ok());
            let available: AvailableVersions = tags.collect();
            let version = available.select(&range.to_string()).ok()?;
            Some(format!("{place}:{}", version.to_tag().ok()?))
        }
        _ => None,
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
