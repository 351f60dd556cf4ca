//! The judges themselves: each is there, starts and answers, and the oracle says what the golden tables say.

use std::{collections::BTreeMap, path::PathBuf};

use serde_json::{Value, json};

use crate::support::{
    corpus,
    oracle::{Oracle, accepted},
    process::Sandbox,
    rng::Rng,
    say,
    servers::{Guards, Kind, Server},
    tools,
};

/// Rows of each table that the oracle is asked here; what is taken is seeded.
const SAMPLE: usize = 60;

#[test]
fn programs_answer() {
    let sandbox = Sandbox::new();
    for (name, arguments, expected) in [
        ("helm4", &["version", "--short"][..], "v4.2"),
        ("helm3", &["version", "--short"], "v3.21"),
        ("crane", &["version"], "v0.21.9"),
        ("regctl", &["version"], "v0.11.5"),
        ("registry3", &["--version"], "v3.1.1"),
        ("docker-registry", &["--version"], " 2.8."),
        ("openssl", &["version"], "OpenSSL 3."),
        ("htpasswd", &["-nbB", "user", "password"], "user:$2y$"),
    ] {
        let Some(program) = tools::judge("programs_answer", name) else { return };
        let said = sandbox.run(&program, arguments).success();
        assert!(said.contains(expected), "{name}: {said}");
    }
    let helm = tools::judge("programs_answer", "helm4").unwrap();
    let refusal = sandbox.run(&helm, ["show", "chart", "no-such-chart"]).failure();
    assert!(refusal.contains("no-such-chart"), "{refusal}");
}

#[test]
fn oracle_speaks_for_helm() {
    let Some(oracle) = Oracle::find("oracle_speaks_for_helm") else { return };
    let about = oracle.ask(json!({"do": "about"}));
    for (module, version) in [
        ("helm.sh/helm/v4", "v4.2.4"),
        ("sigs.k8s.io/yaml", "v1.6.0"),
        ("go.yaml.in/yaml/v2", "v2.4.3"),
        ("github.com/Masterminds/semver/v3", "v3.5.0"),
        ("oras.land/oras-go/v2", "v2.6.1"),
    ] {
        assert_eq!(about["modules"][module], version, "{about}");
    }
}

#[test]
fn registries_serve() {
    const TEST: &str = "registries_serve";
    let login = Some(("user", "password"));
    for kind in Kind::ALL {
        let Some(open) = Server::start(TEST, kind, Guards::default()) else { return };
        let Some(crane) = tools::judge(TEST, "crane") else { return };
        let sandbox = Sandbox::new();
        sandbox.run(&crane, ["catalog", "--insecure", open.address()]).success();
        if kind == Kind::Referrers {
            continue;
        }
        let seen = open.requests();
        assert!(
            seen.iter().any(|request| request.method == "GET"
                && request.target.starts_with("/v2/_catalog")
                && request.status == 200),
            "{kind:?}: {seen:?}"
        );

        let Some(guarded) = Server::start(TEST, kind, Guards { login, tls: true, ..Guards::default() })
        else {
            return;
        };
        let authority = guarded.authority();
        let catalog = |log_in: bool| {
            let sandbox = Sandbox::new();
            let mut command = sandbox.command(&crane);
            if log_in {
                command.env("SSL_CERT_FILE", &authority).args([
                    "auth",
                    "login",
                    guarded.address(),
                    "-u",
                    "user",
                    "-p",
                    "password",
                ]);
                assert!(command.output().unwrap().status.success());
            }
            let mut command = sandbox.command(&crane);
            command.env("SSL_CERT_FILE", &authority).args(["catalog", guarded.address()]);
            command.output().unwrap()
        };
        assert!(!catalog(false).status.success(), "{kind:?} let an unknown user in");
        let known = catalog(true);
        assert!(known.status.success(), "{kind:?}: {}", String::from_utf8_lossy(&known.stderr));
    }
}

#[test]
fn oracle_agrees_with_the_tables() {
    const TEST: &str = "oracle_agrees_with_the_tables";
    let Some(oracle) = Oracle::find(TEST) else { return };
    let mut counts = BTreeMap::new();
    for (table, question) in TABLES {
        let Some(rows) = corpus::vectors(TEST, table) else { return };
        let cases: Vec<(Value, Value)> = rows
            .iter()
            .scan(Value::Null, |context, row| {
                // Some tables keep what all rows share in a row of its own.
                if row.get("kind").is_some_and(|kind| kind == "resolve-setup") || context.is_null() {
                    *context = row.clone();
                }
                Some(question(row, context))
            })
            .flatten()
            .collect();
        let mut rng = Rng::new(20_261_121);
        let sample: Vec<&(Value, Value)> =
            (0..SAMPLE.min(cases.len())).map(|_| &cases[rng.below(cases.len())]).collect();
        let answers = oracle.ask_many(sample.iter().map(|(question, _)| question.clone()));
        for ((question, expected), answer) in sample.iter().zip(&answers) {
            for (column, value) in expected.as_object().unwrap() {
                let value = (!value.is_null()).then_some(value);
                assert_eq!(answer.get(column), value, "{table}, {column}: {question}");
            }
            assert_eq!(accepted(answer), expected["error"].is_null(), "{table}: {question}");
        }
        *counts.entry(*table).or_insert(0) += answers.len();
    }
    say(&format!("{TEST}: {counts:?}"));
}

#[test]
fn helm_packages_the_corpus() {
    const TEST: &str = "helm_packages_the_corpus";
    let Some(oracle) = Oracle::find(TEST) else { return };
    let Some((_directory, complete)) = corpus::complete_charts(TEST) else { return };
    let Some(source) = corpus::corpus(TEST).map(|corpus| corpus.join("charts")) else { return };
    let target = Sandbox::new();
    let package = |chart: PathBuf| json!({"do": "package", "path": chart, "dest": target.path()});
    let packed = oracle.ask_many(complete.iter().cloned().map(package));
    assert!(packed.iter().all(accepted), "{packed:?}");
    // As published, those with dependencies lack them.
    let source = corpus::charts(&source);
    let refused =
        oracle.ask_many(source.into_iter().map(package)).iter().filter(|answer| !accepted(answer)).count();
    assert!(refused > 0);
    say(&format!("{TEST}: {} charts, {refused} not without their dependencies", complete.len()));
}

/// A table, and how one of its rows becomes a question and the columns of the answer; the second row is the shared one.
type Table = (&'static str, fn(&Value, &Value) -> Option<(Value, Value)>);

const TABLES: &[Table] = &[
    ("yaml-decode", |row, _| {
        // Of keys that become equal as text, Helm's map picks either.
        if row["kind"] == "duplicate after conversion" {
            return None;
        }
        Some((ask("yaml", row, &["text", "text_b64"]), take(row, &["json", "error"])))
    }),
    ("yaml-decode", |row, _| {
        let expected = json!({"string": row.get("as_string"), "error": row.get("as_string_error")});
        (row["kind"] == "scalar").then(|| (ask("yaml_string", row, &["text", "text_b64"]), expected))
    }),
    ("yaml-encode", |row, _| Some((ask("yaml_emit", row, &["json"]), take(row, &["yaml", "error"])))),
    ("constraints", |row, _| {
        let mut question = ask("constraint", row, &["constraint"]);
        let versions = ["yes", "no"].iter().filter_map(|column| row.get(column)?.as_array()).flatten();
        question["versions"] = versions.cloned().collect();
        Some((question, take(row, &["string", "error"])))
    }),
    ("semver-order", |row, _| {
        let columns = ["loose", "prerelease", "metadata", "loose_error", "strict", "strict_error"];
        (row["kind"] == "parse").then(|| (ask("version", row, &["version"]), take(row, &columns)))
    }),
    ("semver-order", |row, _| {
        (row["kind"] == "compare").then(|| (ask("compare", row, &["a", "b"]), take(row, &["cmp"])))
    }),
    ("semver-order", |row, _| {
        let expected = take(row, &["newest_first", "dropped"]);
        (row["kind"] == "sort").then(|| (ask("newest", row, &["versions"]), expected))
    }),
    ("chart-metadata", |row, _| {
        // A refusal that speaks of the registry names the host or repository of the day.
        if row.get("error").is_some_and(|error| error.as_str().unwrap().contains("REPO")) {
            return None;
        }
        let columns = ["ref", "config", "annotations_json", "error"];
        Some((ask("metadata", row, &["text", "text_b64"]), take(row, &columns)))
    }),
    ("ignore", |row, shared| {
        let mut question = ask("ignore", row, &["rules", "builtin"]);
        question["paths"] = shared["paths"].clone();
        row.get("rules").map(|_| (question, take(row, &["ignored", "error"])))
    }),
    ("archive-errors", |row, _| {
        let columns = ["files_error", "error", "name", "version"];
        row.get("tgz").map(|_| (ask("load", row, &["tgz"]), take(row, &columns)))
    }),
    ("references", |row, _| {
        // Registries word their own refusals.
        let parsed = row["kind"] == "parse" && row.get("error_after_first_request").is_none();
        let local = !row.get("error").is_some_and(|error| error.as_str().unwrap().contains("http://"));
        let columns = ["host", "repository", "string", "put", "error"];
        (parsed && local).then(|| (ask("reference", row, &["ref"]), take(row, &columns)))
    }),
    ("references", |row, shared| {
        let mut question = ask("resolve", row, &["ref", "version", "tags"]);
        if row.get("tags").is_none() {
            question["tags"] = shared["tags"].clone();
        }
        question["digests"] = shared["digests"].clone();
        let expected = take(row, &["url", "digest", "requests", "error"]);
        (row["kind"] == "resolve").then_some((question, expected))
    }),
];

/// A question with some of a row's columns.
fn ask(what: &str, row: &Value, columns: &[&str]) -> Value {
    let mut question = json!({"do": what});
    for column in columns {
        if let Some(value) = row.get(column) {
            question[*column] = value.clone();
        }
    }
    question
}

/// The columns that the answer must have; null where it must not.
fn take(row: &Value, columns: &[&str]) -> Value {
    columns.iter().map(|column| ((*column).to_owned(), row[*column].clone())).collect()
}
