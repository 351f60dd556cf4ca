//! References against Helm's own parser, over generated texts.

use oci_chart_core::name::{BaseAddress, ChartVersion, ParseReferenceError, ParseTagError, Reference};
use serde_json::{Value, json};

use crate::support::{disagreements::Tally, oracle::Oracle, rng::Rng, say};

const TEST: &str = "oracle_references";
const CASES: usize = 4_000;

#[test]
fn generated_references() {
    let Some(oracle) = Oracle::find(TEST) else { return };
    let mut rng = Rng::new(21);
    let texts: Vec<String> = (0..CASES).map(|_| reference(&mut rng)).collect();
    let answers = oracle.ask_many(texts.iter().map(|text| json!({"do": "reference", "ref": text})));
    let mut tally = Tally::default();
    let (mut both, mut neither) = (0, 0);
    for (text, answer) in texts.iter().zip(&answers) {
        match (Reference::parse(text), takes(answer)) {
            (Ok(ours), true) => {
                assert_eq!(ours.host().api_host(), answer["host"], "{text:?}");
                assert_eq!(ours.repository().as_str(), answer["repository"], "{text:?}");
                if let (None, Some(put)) = (ours.digest(), answer.get("put")) {
                    assert_eq!(ours.tag().map_or("", |tag| tag.as_str()), put, "{text:?}");
                    assert_eq!(ours.to_string(), answer["string"], "{text:?}");
                }
                both += 1;
            }
            (Err(_), false) => neither += 1,
            (Err(ours), true) => tally.allow(row(&ours, text), &(text, answer)),
            // Without a tag there is nothing to push to, but the text is a reference.
            (Ok(ours), false) => {
                assert!(ours.tag().is_none() && ours.digest().is_none(), "{text:?}: {ours}, Helm: {answer}");
                assert!(
                    answer.get("error_after_first_request").is_some(),
                    "{text:?}: {ours}, Helm: {answer}"
                );
                both += 1;
            }
        }
    }
    assert!(both > CASES / 8 && neither > CASES / 8, "{both} {neither}");
    say(&format!("{TEST}: {CASES} texts, {both} references, {neither} none, {tally}"));
}

/// Whether Helm's parser took the text; a push may still fail for want of a tag.
pub(crate) fn takes(answer: &Value) -> bool {
    let late = answer.get("error_after_first_request").and_then(Value::as_str);
    answer.get("error").is_none()
        && !late.is_some_and(|error| error.ends_with("destination: invalid reference"))
}

/// The row that allows a refusal of ours.
pub(crate) fn row(error: &ParseReferenceError, text: &str) -> &'static str {
    match error {
        ParseReferenceError::Tag(ParseTagError::Empty) => "reference-empty-part",
        ParseReferenceError::Digest { digest, .. } if digest.is_empty() => "reference-empty-part",
        ParseReferenceError::Digest { .. } => "reference-digest-dropped",
        ParseReferenceError::Host(_) => "reference-host",
        ParseReferenceError::Repository(_) if text.matches('+').count() > 1 => "reference-plus-in-path",
        _ => "",
    }
}

#[test]
fn generated_push_targets() {
    const TEST: &str = "oracle_references::generated_push_targets";
    let Some(oracle) = Oracle::find(TEST) else { return };
    let directory = tempfile::TempDir::new().unwrap();
    let archive = directory.path().join("web.tgz");
    let chart = directory.path().join("web");
    fs_err::create_dir(&chart).unwrap();
    fs_err::write(chart.join("Chart.yaml"), "apiVersion: v2\nname: web\nversion: 1.2.3+b\n").unwrap();
    let packed = oracle.ask(json!({"do": "package", "path": chart, "dest": directory.path()}));
    fs_err::rename(packed["path"].as_str().unwrap(), &archive).unwrap();

    let mut rng = Rng::new(22);
    let targets: Vec<String> = (0..1_000).map(|_| target(&mut rng)).collect();
    let answers = oracle
        .ask_many(targets.iter().map(|target| json!({"do": "push", "path": archive, "target": target})));
    let version = ChartVersion::parse("1.2.3+b").unwrap();
    let mut pushed = 0;
    let mut tally = Tally::default();
    for (text, answer) in targets.iter().zip(&answers) {
        let ours = BaseAddress::parse(text).ok().and_then(|base| base.reference("web", &version).ok());
        let theirs = answer.get("repository").map(|repository| {
            format!(
                "{}/{}:{}",
                answer["host"].as_str().unwrap(),
                repository.as_str().unwrap(),
                answer["tag"].as_str().unwrap()
            )
        });
        let ours = ours.map(|reference| {
            format!("{}/{}:{}", reference.host().api_host(), reference.repository(), reference.tag().unwrap())
        });
        if ours.is_none() && theirs.is_some() && text.contains("..") {
            tally.allow("push-above-host", &(text, answer));
            continue;
        }
        assert_eq!(ours, theirs, "{text:?}: {answer}");
        pushed += usize::from(ours.is_some());
    }
    assert!(pushed > 200, "{pushed}");
    say(&format!("{TEST}: {} targets, {pushed} pushed to, {tally}", targets.len()));
}

const HOSTS: &[&str] = &[
    "h",
    "localhost",
    "localhost:5000",
    "127.0.0.1:5000",
    "registry.example",
    "Registry.Example:443",
    "docker.io",
    "index.docker.io",
    "[::1]:5000",
    "h_x",
    "ü.example",
    "xn--mnchen-3ya.de",
    "ghcr.io",
    "h:0",
];
const ODD_HOSTS: &[&str] =
    &["", " h", "h:", "h:port", "h:99999", "user@h", "h h", "-h", "h!", "::1", "[::1", "h%20", "h.", "a;b"];
const COMPONENTS: &[&str] =
    &["a", "b", "charts", "a-b", "a_b", "a__b", "a.b", "a--b", "a---b", "1", "0a", "library", "x9"];
const ODD_COMPONENTS: &[&str] = &[
    "", "A", "a..b", "a___b", "-a", "a-", ".a", "a.", "_a", "a+1", "a1+1", "a1+1", "a%20", "ä", "a b",
    "a._b", ".", "..", "a?x", "a#y", "a\\b",
];
const TAGS: &[&str] = &[
    "1.0.0",
    "1.2.3+b",
    "latest",
    "v1",
    "_x",
    "x.",
    "1_0",
    "1.0.0-rc.1+b.5",
    "0",
    "X",
    "1+1",
    "a-b",
    "..",
    "stable",
];
const ODD_TAGS: &[&str] = &["", ".x", "-x", "a b", "ä", "a/b", "1:2", "+", "a%2b", "a@b", "?"];
const DIGESTS: &[&str] = &[
    "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
];
const ODD_DIGESTS: &[&str] = &[
    "",
    "c",
    "sha256:abc",
    "sha256:",
    "md5:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    "sha256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    "latest",
    "a/b",
];

fn reference(rng: &mut Rng) -> String {
    let mut text = rng.pick(&["", "", "oci://", "oci://", "oci://", "oci:", "OCI://", "http://"]).to_owned();
    if rng.chance(70) && !text.is_empty() {
        text = "oci://".to_owned();
    }
    text.push_str(choice(rng, HOSTS, ODD_HOSTS, 12));
    for _ in 0..=rng.below(3) {
        text.push('/');
        text.push_str(choice(rng, COMPONENTS, ODD_COMPONENTS, 12));
    }
    if rng.chance(65) {
        text.push(':');
        text.push_str(choice(rng, TAGS, ODD_TAGS, 20));
    }
    if rng.chance(20) {
        text.push('@');
        text.push_str(choice(rng, DIGESTS, ODD_DIGESTS, 40));
    }
    text
}

fn target(rng: &mut Rng) -> String {
    let mut text = String::from("oci://");
    text.push_str(rng.pick(HOSTS));
    for _ in 0..rng.below(4) {
        text.push_str(rng.pick(&["/", "/", "/", "//", "/./", "/../"]));
        text.push_str(choice(rng, COMPONENTS, ODD_COMPONENTS, 12));
    }
    text.push_str(rng.pick(&["", "", "/", ":1", "@x"]));
    text
}

fn choice<'a>(rng: &mut Rng, good: &[&'a str], odd: &[&'a str], percent_odd: usize) -> &'a str {
    let from = if rng.chance(percent_odd) { odd } else { good };
    rng.pick(from)
}
