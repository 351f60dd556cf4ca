//! Charts against Helm's own packages: generated metadata, legacy files, locks, and every chart of the corpus.

use oci_chart_core::{
    Error,
    chart::{Chart, Dependency, LoadOptions, Lock, Metadata, lock_digest, lock_digest_helm2},
    yaml::emit_json,
};
use serde_json::{Value, json};

use crate::support::{
    corpus, disagreements,
    oracle::{Oracle, accepted},
    rng::Rng,
    say,
};

mod generate;

#[test]
fn generated_metadata() {
    let Some(oracle) = Oracle::find("oracle_chart::generated_metadata") else { return };
    let mut rng = Rng::new(20_261_121);
    let texts: Vec<String> = (0..6000).map(|_| generate::chart_yaml(&mut rng)).collect();
    let answers = oracle.ask_many(texts.iter().map(|text| json!({"do": "metadata", "text": text})));
    let (mut taken, mut refused) = (0, 0);
    for (text, answer) in texts.iter().zip(&answers) {
        let error = column(answer, "error").unwrap_or_default();
        let of_chart = error.starts_with("cannot load") || error.starts_with("validation: ");
        match Metadata::from_yaml(text.as_bytes()) {
            Err(ours) => {
                assert!(of_chart || is_allowed(&ours), "{text}\nours: {ours:?}\nHelm: {answer}");
                if let Some(words) = error.strip_prefix("validation: ") {
                    assert_eq!(ours.message().strip_prefix("validation: "), Some(words), "{text}");
                }
                refused += 1;
            }
            Ok(metadata) => {
                assert!(!of_chart, "{text}\nours: {metadata:?}\nHelm: {error}");
                if let Some(config) = column(answer, "config") {
                    assert_eq!(metadata.to_json(), config, "{text}");
                }
                if let Some(packaged) = column(answer, "packaged") {
                    assert_eq!(metadata.to_packaged_yaml().unwrap(), packaged, "{text}");
                }
                taken += 1;
            }
        }
    }
    say(&format!("oracle_chart: {} texts: {taken} accepted, {refused} refused", texts.len()));
    assert!(taken > 2000 && refused > 500);
}

#[test]
fn every_character_is_sanitised_alike() {
    let Some(oracle) = Oracle::find("oracle_chart::every_character_is_sanitised_alike") else { return };
    let all: Vec<char> = ('\u{80}'..=char::MAX).collect();
    let texts: Vec<String> = all
        .chunks(2048)
        .map(|part| {
            let escaped: String = part.iter().map(|c| format!("\\U{:08x}", u32::from(*c))).collect();
            format!("apiVersion: v2\nname: x\nversion: 1.0.0\ndescription: \"a{escaped}\"\n")
        })
        .collect();
    let answers = oracle.ask_many(texts.iter().map(|text| json!({"do": "metadata", "text": text})));
    for (text, answer) in texts.iter().zip(&answers) {
        let ours = Metadata::from_yaml(text.as_bytes()).unwrap();
        assert_eq!(Some(ours.to_json().as_str()), column(answer, "config"));
    }
    say(&format!("oracle_chart: {} characters", all.len()));
}

#[test]
fn generated_directories() {
    let Some(oracle) = Oracle::find("oracle_chart::generated_directories") else { return };
    let mut rng = Rng::new(31);
    let root = tempfile::tempdir().unwrap();
    let directories: Vec<_> = (0..1500)
        .map(|n| {
            let directory = root.path().join(n.to_string());
            for (path, text) in generate::directory(&mut rng) {
                let path = directory.join(path);
                fs_err::create_dir_all(path.parent().unwrap()).unwrap();
                fs_err::write(path, text).unwrap();
            }
            directory
        })
        .collect();
    let answers = oracle.ask_many(directories.iter().map(|path| json!({"do": "load_dir", "path": path})));
    let verdicts = directories.iter().zip(&answers).map(|(directory, answer)| {
        let ours = Chart::from_dir(directory, &LoadOptions::default());
        // The directory will be gone when somebody reads this.
        let chart = fs_err::read_to_string(directory.join("Chart.yaml"));
        same(&format!("{chart:?}"), &ours, answer, "package_error")
    });
    let (taken, refused) = count(verdicts);
    say(&format!("oracle_chart: {} directories: {taken} accepted, {refused} refused", directories.len()));
    assert!(taken > 200 && refused > 200);
}

#[test]
fn corpus_charts() {
    let Some(oracle) = Oracle::find("oracle_chart::corpus_charts") else { return };
    let Some(root) = corpus::corpus("oracle_chart::corpus_charts") else { return };
    let Some((_guard, complete)) = corpus::complete_charts("oracle_chart::corpus_charts") else { return };
    let mut places = corpus::charts(&root.join("charts"));
    places.extend(complete);
    let mut open = vec![root.join("helm")];
    while let Some(directory) = open.pop() {
        for entry in fs_err::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path.clone());
            }
            if path.join("Chart.yaml").exists()
                || path.extension().is_some_and(|extension| extension == "tgz")
            {
                places.push(path);
            }
        }
    }
    places.sort();
    let question = |path: &std::path::PathBuf| json!({"do": if path.is_dir() { "load_dir" } else { "load" }, "path": path});
    let answers = oracle.ask_many(places.iter().map(question));
    let verdicts = places.iter().zip(&answers).map(|(path, answer)| {
        let ours = Chart::from_path(path, &LoadOptions::default());
        let other = if path.is_dir() { "package_error" } else { "error" };
        same(&path.display().to_string(), &ours, answer, other)
    });
    let (taken, refused) = count(verdicts);
    say(&format!("oracle_chart: {} charts: {taken} accepted, {refused} refused", places.len()));
    assert!(taken > 100);
}

#[test]
fn lock_digests() {
    let Some(oracle) = Oracle::find("oracle_chart::lock_digests") else { return };
    let mut rng = Rng::new(99);
    let lists =
        |rng: &mut Rng| -> Vec<Dependency> { (0..rng.below(4)).map(|_| generate::dependency(rng)).collect() };
    let cases: Vec<_> = (0..500).map(|_| (lists(&mut rng), lists(&mut rng))).collect();
    let answers = oracle.ask_many(cases.iter().map(|(wanted, locked)| {
        json!({"do": "lock_hash", "req": generate::as_json(wanted), "lock": generate::as_json(locked)})
    }));
    for ((wanted, locked), answer) in cases.iter().zip(&answers) {
        assert_eq!(
            Some(lock_digest(wanted, locked).to_string().as_str()),
            column(answer, "digest"),
            "{wanted:?}"
        );
        assert_eq!(
            Some(lock_digest_helm2(wanted).to_string().as_str()),
            column(answer, "helm2"),
            "{wanted:?}"
        );
    }
    say(&format!("oracle_chart: {} digests of each kind", cases.len()));
}

#[test]
fn locks_that_helm_writes() {
    let Some(oracle) = Oracle::find("oracle_chart::locks_that_helm_writes") else { return };
    let mut rng = Rng::new(5);
    let cases: Vec<_> = (0..200).map(|_| generate::local_dependencies(&mut rng)).collect();
    let answers =
        oracle.ask_many(cases.iter().map(
            |(wanted, charts)| json!({"do": "lock", "req": generate::as_json(wanted), "charts": charts}),
        ));
    let mut written = 0;
    for ((wanted, _), answer) in cases.iter().zip(&answers) {
        let Some(text) = column(answer, "text") else { continue };
        let lock = Lock::from_yaml(text.as_bytes()).unwrap();
        assert_eq!(Some(lock.digest()), column(answer, "digest"));
        assert!(lock.matches(wanted, Metadata::API_V2), "{text}");
        assert_eq!(lock.to_yaml().unwrap(), text);
        written += 1;
    }
    say(&format!("oracle_chart: {} runs of `helm dependency update`, {written} locks", cases.len()));
    assert!(written > 100);
}

/// Compares a verdict and, where both accept, everything that was read. `other`: the column of what Helm's commands refuse beyond its loader.
fn same(place: &str, ours: &Result<Chart, Error>, answer: &Value, other: &str) -> bool {
    let error = column(answer, "error").or(column(answer, other));
    let chart = match ours {
        Err(ours) => {
            assert!(error.is_some() || is_allowed(ours), "{place}: ours: {ours:?}\nHelm: {answer}");
            return false;
        }
        Ok(chart) => chart,
    };
    // Helm has another loader for v3, an experiment that it cannot package; here v3 is read as v2.
    let error =
        if chart.metadata().api_version == Metadata::API_V3 { column(answer, "error") } else { error };
    assert!(accepted(answer) && error.is_none(), "{place}: Helm: {error:?}");
    assert_eq!(Some(chart.metadata().to_json().as_str()), column(answer, "metadata"), "{place}");
    assert_eq!(names(chart.templates()), answer["templates"], "{place}");
    assert_eq!(names(chart.files()), answer["other_files"], "{place}");
    let mut dependencies: Vec<String> = chart
        .dependencies()
        .iter()
        .map(|chart| format!("{}-{}", chart.name(), chart.metadata().version))
        .collect();
    dependencies.sort();
    assert_eq!(json!(dependencies), answer["dependencies"], "{place}");
    let lock = column(answer, "lock").map(|lock| emit_json(lock).ok());
    assert_eq!(chart.lock().map(|lock| lock.to_yaml().ok()), lock, "{place}");
    let schema = chart.schema().map(|file| file.read(1 << 30).unwrap().len() as u64);
    assert_eq!(schema, answer.get("schema").and_then(Value::as_u64), "{place}");
    true
}

fn is_allowed(error: &Error) -> bool {
    error.reason().is_some_and(|reason| disagreements::allowed(reason.as_str()).is_some())
}

fn count(verdicts: impl Iterator<Item = bool>) -> (usize, usize) {
    verdicts.fold((0, 0), |(taken, refused), ok| if ok { (taken + 1, refused) } else { (taken, refused + 1) })
}

fn names(files: &[oci_chart_core::chart::ChartFile]) -> Value {
    json!(files.iter().map(|file| file.path().as_str()).collect::<Vec<_>>())
}

fn column<'a>(answer: &'a Value, name: &str) -> Option<&'a str> {
    answer.get(name).and_then(Value::as_str)
}
