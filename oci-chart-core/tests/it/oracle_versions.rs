//! Versions and constraints against Masterminds' semver, over generated texts.

use std::cmp::Ordering;

use oci_chart_core::name::{AvailableVersions, ChartVersion, Selector, Tag, VersionReq};
use serde_json::{Value, json};

use crate::support::{oracle::Oracle, rng::Rng, say};

const CONSTRAINTS: usize = 8_000;
const VERSIONS: usize = 12_000;
const PAIRS: usize = 8_000;
const LISTS: usize = 1_500;

#[test]
fn generated_constraints() {
    const TEST: &str = "oracle_versions::generated_constraints";
    let Some(oracle) = Oracle::find(TEST) else { return };
    let mut rng = Rng::new(11);
    let cases: Vec<(String, Vec<String>)> = (0..CONSTRAINTS)
        .map(|_| (constraint(&mut rng), (0..12).map(|_| near_version(&mut rng)).collect()))
        .collect();
    let answers = oracle.ask_many(
        cases
            .iter()
            .map(|(text, versions)| json!({"do": "constraint", "constraint": text, "versions": versions})),
    );
    let (mut refused, mut yes, mut no) = (0, 0, 0);
    for ((text, versions), answer) in cases.iter().zip(&answers) {
        let ours = VersionReq::parse(text);
        assert_eq!(ours.is_err(), answer.get("error").is_some(), "{text:?}: {ours:?}, Masterminds: {answer}");
        let Ok(ours) = ours else {
            refused += 1;
            continue;
        };
        assert_eq!(ours.to_string(), answer["string"], "{text:?}");
        let accepted = answer["yes"].as_array().unwrap();
        for version in versions {
            let matches = ours.matches(&ChartVersion::parse(version).unwrap());
            assert_eq!(matches, accepted.iter().any(|yes| yes == version), "{text:?} on {version}");
            *if matches { &mut yes } else { &mut no } += 1;
        }
    }
    assert!(refused > CONSTRAINTS / 20 && refused < CONSTRAINTS / 2 && yes > 10_000 && no > 10_000);
    say(&format!("{TEST}: {CONSTRAINTS} constraints ({refused} refused), {yes} yes, {no} no, all equal"));
}

#[test]
fn generated_versions() {
    const TEST: &str = "oracle_versions::generated_versions";
    let Some(oracle) = Oracle::find(TEST) else { return };
    let mut rng = Rng::new(12);
    let texts: Vec<String> = (0..VERSIONS).map(|_| any_version(&mut rng)).collect();
    let answers = oracle.ask_many(texts.iter().map(|text| json!({"do": "version", "version": text})));
    let (mut loose, mut strict) = (0, 0);
    for (text, answer) in texts.iter().zip(&answers) {
        let ours = ChartVersion::parse(text);
        assert_eq!(ours.is_ok(), answer.get("loose").is_some(), "{text:?}: {ours:?}, Masterminds: {answer}");
        assert_eq!(
            ChartVersion::parse_strict(text).is_ok(),
            answer.get("strict").is_some(),
            "{text:?}: {answer}"
        );
        let Ok(version) = ours else { continue };
        assert_eq!(version.canonical(), answer["loose"], "{text:?}");
        assert_eq!(version.prerelease(), answer["prerelease"], "{text:?}");
        assert_eq!(version.metadata(), answer["metadata"], "{text:?}");
        loose += 1;
        strict += usize::from(answer.get("strict").is_some());
    }
    assert!(loose > VERSIONS / 6 && loose < VERSIONS && strict > VERSIONS / 10, "{loose} {strict}");
    say(&format!("{TEST}: {VERSIONS} texts, {loose} versions, {strict} strict ones, all equal"));
}

#[test]
fn generated_order() {
    const TEST: &str = "oracle_versions::generated_order";
    let Some(oracle) = Oracle::find(TEST) else { return };
    let mut rng = Rng::new(13);
    let pairs: Vec<[String; 2]> =
        (0..PAIRS).map(|_| [near_version(&mut rng), near_version(&mut rng)]).collect();
    let answers = oracle.ask_many(pairs.iter().map(|[a, b]| json!({"do": "compare", "a": a, "b": b})));
    let mut equal = 0;
    for ([a, b], answer) in pairs.iter().zip(&answers) {
        let order = parse(a).cmp_precedence(&parse(b));
        assert_eq!(order as i64, answer["cmp"].as_i64().unwrap(), "{a} and {b}");
        equal += usize::from(order == Ordering::Equal);
    }

    let lists: Vec<Vec<String>> =
        (0..LISTS).map(|_| (0..=rng.below(20)).map(|_| tag(&mut rng)).collect()).collect();
    let as_versions = |tags: &[String]| tags.iter().map(|tag| tag.replace('_', "+")).collect::<Vec<_>>();
    let answers =
        oracle.ask_many(lists.iter().map(|tags| json!({"do": "newest", "versions": as_versions(tags)})));
    let mut kept = 0;
    for (tags, answer) in lists.iter().zip(&answers) {
        let ours: AvailableVersions = tags.iter().map(|tag| Tag::parse(tag).unwrap()).collect();
        let theirs: Vec<ChartVersion> = answer["newest_first"]
            .as_array()
            .unwrap()
            .iter()
            .map(|text| parse(text.as_str().unwrap()))
            .collect();
        assert_eq!(ours.newest_first().len(), theirs.len(), "{tags:?}");
        assert_eq!(ours.others().len(), answer["dropped"].as_array().unwrap().len(), "{tags:?}");
        // Among equals Go's order means nothing.
        for (one, other) in ours.newest_first().iter().zip(&theirs) {
            assert_eq!(one.cmp_precedence(other), Ordering::Equal, "{tags:?}: {one} and {other}");
        }
        kept += theirs.len();
    }
    say(&format!(
        "{TEST}: {PAIRS} pairs ({equal} equal), {LISTS} tag lists with {kept} versions, all in order"
    ));
}

#[test]
fn generated_choices() {
    const TEST: &str = "oracle_versions::generated_choices";
    let Some(oracle) = Oracle::find(TEST) else { return };
    let mut rng = Rng::new(14);
    let cases: Vec<(Vec<String>, String)> = (0..LISTS)
        .map(|_| {
            let tags: Vec<String> = (0..=rng.below(10)).map(|_| tag(&mut rng)).collect();
            let wanted = match rng.below(10) {
                0 => String::new(),
                1 => any_version(&mut rng),
                2 => tags[rng.below(tags.len())].replace('_', "+"),
                _ => constraint(&mut rng),
            };
            (tags, wanted)
        })
        .collect();
    let answers = oracle.ask_many(cases.iter().map(
        |(tags, wanted)| json!({"do": "resolve", "ref": "oci://h/t/foo", "version": wanted, "tags": tags, "digests": {}}),
    ));
    let mut listed = 0;
    for ((tags, wanted), answer) in cases.iter().zip(&answers) {
        let ours = choose(tags, wanted);
        let theirs = answer.get("url").and_then(Value::as_str).map(|url| {
            let version = url.strip_prefix("oci://h/t/foo:").unwrap();
            // What the pull then makes of it.
            version.replace("%20", " ").replace('+', "_")
        });
        match (&ours, &theirs) {
            // Too long for any tag: Helm finds out when it pulls.
            (None, Some(tag)) if tag.len() > Tag::MAX_LEN => {}
            (Some(one), Some(other)) => {
                // Of equal versions Helm takes either.
                let same = parse(&one.replace('_', "+")).cmp_precedence(&parse(&other.replace('_', "+")));
                assert_eq!(same, Ordering::Equal, "{wanted:?} of {tags:?}: {answer}");
            }
            _ => assert_eq!(ours, theirs, "{wanted:?} of {tags:?}: {answer}"),
        }
        listed += usize::from(!answer["requests"].as_array().unwrap().is_empty() && theirs.is_some());
    }
    assert!(listed > LISTS / 4, "{listed}");
    say(&format!("{TEST}: {LISTS} wanted versions, {listed} found in a tag list, all equal"));
}

/// The tag that we would pull.
fn choose(tags: &[String], wanted: &str) -> Option<String> {
    match Selector::for_version(wanted).ok()? {
        Selector::Tag(tag) => Some(tag.as_str().to_owned()),
        _ => {
            let available: AvailableVersions = tags.iter().map(|tag| Tag::parse(tag).unwrap()).collect();
            let version = available.select(wanted).ok()?;
            Some(version.to_tag().unwrap().as_str().to_owned())
        }
    }
}

fn parse(text: &str) -> ChartVersion {
    ChartVersion::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

const PRERELEASES: &[&str] = &[
    "0",
    "1",
    "2",
    "11",
    "rc",
    "rc.1",
    "rc.2",
    "alpha",
    "alpha.1",
    "RC.1",
    "a-b",
    "-1",
    "99999999999999999999",
    "0a",
];

/// A version of small numbers, so that many pairs touch.
fn near_version(rng: &mut Rng) -> String {
    let mut text = rng.pick(&["", "", "", "v"]).to_owned();
    for part in 0..3 {
        if part > 0 {
            if rng.chance(8) {
                break;
            }
            text.push('.');
        }
        text.push_str(rng.pick(&["0", "0", "1", "1", "2", "3", "10"]));
    }
    if rng.chance(30) {
        text.push('-');
        text.push_str(rng.pick(PRERELEASES));
    }
    if rng.chance(12) {
        text.push('+');
        text.push_str(rng.pick(&["b", "1", "001", "b.1", "-"]));
    }
    text
}

/// A tag, mostly a version.
fn tag(rng: &mut Rng) -> String {
    match rng.below(12) {
        0 => rng.pick(&["latest", "stable", "1", "v1.2.3", "sha-1234", "1_0_0", "01.2.3"]).to_owned(),
        _ => near_version(rng).replace('+', "_"),
    }
}

/// A text that may be a version.
fn any_version(rng: &mut Rng) -> String {
    let version = near_version(rng);
    match rng.below(4) {
        0 => return version,
        1 => return damage(rng, &version),
        _ => {}
    }
    const PIECES: &[&str] = &[
        "0",
        "1",
        "2",
        "10",
        "01",
        "1.2.3",
        ".",
        ".",
        "-",
        "-",
        "+",
        "+",
        "v",
        "V",
        "rc",
        "a",
        "Z",
        "x",
        "*",
        " ",
        "_",
        "ä",
        "~",
        "\n",
        "18446744073709551615",
        "18446744073709551616",
        "00",
        "-0",
        "-01",
        "..",
    ];
    rng.text(PIECES, 7)
}

fn constraint(rng: &mut Rng) -> String {
    let mut text = String::new();
    for group in 0..=rng.below(3) {
        if group > 0 {
            text.push_str(rng.pick(&["||", " || ", " ||", "|| "]));
        }
        for comparator in 0..=rng.below(3) {
            if comparator > 0 {
                text.push_str(rng.pick(&[" ", ",", ", ", "  ", "\t", " ,", "\n"]));
            }
            if rng.chance(12) {
                text.push_str(&operand(rng));
                text.push_str(rng.pick(&[" - ", " - ", " -  ", "-"]));
            } else {
                text.push_str(
                    rng.pick(&["", "", "=", "!=", ">", "<", ">=", "=>", "<=", "=<", "~", "~>", "^", "^"]),
                );
                text.push_str(rng.pick(&["", "", "", " ", "  "]));
            }
            text.push_str(&operand(rng));
        }
    }
    if rng.chance(20) { damage(rng, &text) } else { text }
}

/// A version with holes.
fn operand(rng: &mut Rng) -> String {
    let mut text = rng.pick(&["", "", "", "", "v"]).to_owned();
    for part in 0..3 {
        if part > 0 {
            if rng.chance(20) {
                break;
            }
            text.push('.');
        }
        text.push_str(rng.pick(&["0", "0", "1", "1", "2", "3", "10", "x", "X", "*", "01"]));
    }
    if rng.chance(22) {
        text.push('-');
        text.push_str(rng.pick(PRERELEASES));
    }
    if rng.chance(8) {
        text.push_str("+b");
    }
    text
}

/// The text with a character more or less.
fn damage(rng: &mut Rng, text: &str) -> String {
    let mut characters: Vec<char> = text.chars().collect();
    let at = rng.below(characters.len() + 1);
    if rng.chance(50) && at < characters.len() {
        characters.remove(at);
    } else {
        let extra =
            rng.pick(&[".", "-", "+", "x", "0", "v", " ", "|", ",", "=", "<", "!", "^", "\u{a0}", "\r", "ä"]);
        characters.splice(at..at, extra.chars());
    }
    characters.into_iter().collect()
}
