//! Charts in archives against Helm's own loader: what they are made of, subcharts packed and not, and what is wrong with them.

use base64::{Engine, engine::general_purpose::STANDARD};
use oci_chart_core::{
    Chart,
    chart::{ChartFile, LoadOptions},
};
use serde_json::{Value, json};

use super::row;
use crate::support::{
    disagreements::Tally,
    oracle::Oracle,
    rng::Rng,
    say,
    tarball::{Entry, gzip, tar},
};

const CHARTS: usize = 4_000;

#[test]
fn generated_charts() {
    const TEST: &str = "oracle_archives::charts";
    let Some(oracle) = Oracle::find(TEST) else { return };
    let mut rng = Rng::new(32);
    let packages: Vec<Vec<u8>> = (0..CHARTS).map(|_| chart(&mut rng, 0)).collect();
    let answers =
        oracle.ask_many(packages.iter().map(|bytes| json!({"do": "load", "tgz": STANDARD.encode(bytes)})));
    let (mut both, mut neither, mut nested) = (0, 0, 0);
    let mut tally = Tally::default();
    for (number, (bytes, answer)) in packages.iter().zip(&answers).enumerate() {
        match (Chart::from_archive(&bytes[..], &LoadOptions::default()), answer.get("error")) {
            (Ok(ours), None) => {
                let names =
                    |files: &[ChartFile]| files.iter().map(|file| file.path().to_string()).collect::<Value>();
                assert_eq!(ours.name(), answer["name"], "{number}");
                assert_eq!(ours.metadata().to_json(), answer["metadata"], "{number}");
                assert_eq!(names(ours.templates()), answer["templates"], "{number}");
                assert_eq!(names(ours.files()), answer["other_files"], "{number}");
                let mut dependencies: Vec<String> = ours
                    .dependencies()
                    .iter()
                    .map(|chart| format!("{}-{}", chart.name(), chart.metadata().version))
                    .collect();
                dependencies.sort();
                assert_eq!(json!(dependencies), answer["dependencies"], "{number}");
                both += 1;
                nested += dependencies.len();
            }
            (Err(_), Some(_)) => neither += 1,
            (Err(ours), None) if answer.get("generic_error").is_some() => tally.allow("one-loader", &ours),
            (Err(ours), None) => tally.allow(row(&ours), &(number, ours, answer)),
            (Ok(ours), Some(error)) => panic!("{number}: Helm: {error}, but we read {ours:?}"),
        }
    }
    assert!(both > CHARTS / 6 && neither > CHARTS / 6 && nested > CHARTS / 10, "{both} {neither} {nested}");
    say(&format!(
        "{TEST}: {CHARTS} charts, {both} read alike with {nested} subcharts, {neither} refused by both, \
         {tally}"
    ));
}

/// A package whose entries are right, and mostly what they say.
fn chart(rng: &mut Rng, depth: usize) -> Vec<u8> {
    let mut entries = Vec::new();
    chart_entries(rng, "top/", depth, &mut entries);
    // Helm reads Chart.yaml first wherever it stands.
    let first = rng.below(entries.len().max(1));
    entries.rotate_left(first);
    gzip(&tar(&entries, 2))
}

fn chart_entries(rng: &mut Rng, base: &str, depth: usize, entries: &mut Vec<Entry>) {
    let name = rng.pick(&["a", "b", "c", "d"]);
    let version = if rng.chance(96) { rng.pick(&["1.0.0", "1", "v2.1", "0.1.0-rc.1"]) } else { "x" };
    let api = match rng.below(40) {
        0 => "apiVersion: v9\n",
        1..5 => "",
        5..12 => "apiVersion: v1\n",
        _ => "apiVersion: v2\n",
    };
    let extra = match rng.below(40) {
        0 => "type: app\n",
        1 => "keywords: x\n",
        2..12 => "dependencies:\n- {name: z, version: 1.x}\n",
        12..22 => "type: library\n",
        _ => "",
    };
    if rng.chance(97) {
        let text = format!("{api}name: {name}\nversion: {version}\n{extra}");
        entries.push(Entry::file(format!("{base}Chart.yaml"), text));
    }
    for _ in 0..rng.below(4) {
        let (path, contents): (&str, [&str; 3]) = match rng.below(10) {
            0 => ("values.yaml", ["a: 1\n", "a: 1\n---\nb: 2\n", "- a\n"]),
            1 => ("values.schema.json", ["{}", "", "no JSON"]),
            2 => ("requirements.yaml", ["dependencies:\n- name: r\n", "", "dependencies: x\n"]),
            3 => ("requirements.lock", ["digest: sha256:x\n", "", "generated: never\n"]),
            4 => ("Chart.lock", ["digest: sha256:x\ngenerated: \"2026-01-01T00:00:00Z\"\n", "", "- a\n"]),
            5 => ("templates/a.yaml", ["{{ x }}", "", "x"]),
            6 => ("charts/x.tgz.prov", ["x", "", "y"]),
            7 => ("charts/.x/Chart.yaml", ["x", "", "y"]),
            8 => ("charts/_y.tgz", ["x", "", "y"]),
            _ => ("README.md", ["# a", "", "x"]),
        };
        let bad = usize::from(rng.chance(6)) + usize::from(rng.chance(6));
        if !entries.iter().any(|entry| entry.name == format!("{base}{path}").as_bytes()) {
            entries.push(Entry::file(format!("{base}{path}"), contents[bad]));
        }
    }
    if depth == 3 || rng.chance(45) {
        return;
    }
    for number in 0..=rng.below(2) {
        let below = format!("{base}charts/s{number}");
        match rng.below(30) {
            0 => entries.push(Entry::file(format!("{base}charts/README{number}.md"), "x")),
            1 => entries.push(Entry::file(format!("{below}.tar.gz"), chart(rng, depth + 1))),
            2 => entries.push(Entry::file(format!("{below}.TGZ"), "x")),
            3 => entries.push(Entry::file(format!("{below}.tgz/inside"), "x")),
            4 => entries.push(Entry::file(format!("{below}.tgz"), "no archive")),
            5..17 => entries.push(Entry::file(format!("{below}-1.0.0.tgz"), chart(rng, depth + 1))),
            _ => chart_entries(rng, &format!("{below}/"), depth + 1, entries),
        }
    }
}
