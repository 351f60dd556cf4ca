//! Texts and trees that look like charts, most of them a little wrong.

use oci_chart_core::chart::{Dependency, ImportValue};
use serde_json::{Map, Value, json};

use crate::support::rng::Rng;

/// Scalars as they may stand in flow and block style alike.
const SCALARS: [&str; 56] = [
    "foo",
    "a b c",
    "1.16",
    "1.10",
    "1.0",
    "08",
    "010",
    "0x1F",
    "0o17",
    "0b11",
    "1_000",
    "1e3",
    "12e4567",
    "yes",
    "Off",
    "y",
    "true",
    "FALSE",
    "~",
    "null",
    "",
    "2021-01-01",
    "1:20",
    ".inf",
    "-.inf",
    ".nan",
    "20231201.1",
    "18446744073709551616",
    "-1",
    "\"\"",
    "''",
    "\"1.10\"",
    "'it''s'",
    "\"a\\tb\\nc\"",
    "\"\\u200bx\\u00a0y\"",
    "\"\\U0001F680 go\"",
    "\"<&>\"",
    "\"\\u2028\"",
    "\" lead\"",
    "\"trail \"",
    "\"\\x7f\"",
    "\"\\x01\"",
    "ä",
    "日本 語",
    "=",
    "<<",
    ".",
    "nan",
    "!!str 1.10",
    "!!binary aGk=",
    "!!int \"3\"",
    "! 1",
    "&a x",
    "*a",
    "https://example.com/?a=b&c=d",
    "\"one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen\"",
];

const VERSIONS: [&str; 22] = [
    "1.2.3",
    "1.2.3",
    "1.2.3",
    "1.0.0",
    "0.1.0-rc.1",
    "1.2.3+build",
    "v1.2.3",
    "1.2",
    "1",
    "01.2.3",
    "1.10",
    "\"1.2.3 \"",
    "1.2.3-01",
    "1.2.3-a..b",
    "latest",
    "~",
    "",
    "\"\"",
    "[1]",
    "1.2.3.4",
    "99999999999999999999.0.0",
    "1.2.3-ä",
];

const NAMES: [&str; 24] = [
    "foo",
    "foo",
    "foo",
    "web",
    "a-b",
    "a_b",
    "A",
    "a b",
    "\"a/b\"",
    "/",
    "\".\"",
    "\"..\"",
    "\"...\"",
    "\"a\\\\b\"",
    "\"fo\\u200bo\"",
    "\"x\\ny\"",
    "1.10",
    "yes",
    "~",
    "\"\"",
    "[a]",
    "{a: b}",
    "ä",
    "\"\\u200b\"",
];

const TEXT_FIELDS: [&str; 8] =
    ["home", "description", "icon", "condition", "tags", "appVersion", "kubeVersion", "type"];

/// A Chart.yaml.
pub(super) fn chart_yaml(rng: &mut Rng) -> String {
    let mut lines = Vec::new();
    let version = rng.pick(&["v2", "v2", "v2", "v2", "v1", "v3", "V2", "2", "~", "x", "[v2]"]);
    if rng.chance(95) {
        field(rng, &mut lines, "apiVersion", version);
    }
    if rng.chance(97) {
        let name = if rng.chance(70) { "foo" } else { rng.pick(&NAMES) };
        field(rng, &mut lines, "name", name);
    }
    if rng.chance(97) {
        let version = if rng.chance(70) { "1.2.3" } else { rng.pick(&VERSIONS) };
        field(rng, &mut lines, "version", version);
    }
    for _ in 0..rng.below(4) {
        let name = rng.pick(&TEXT_FIELDS);
        let value = match name {
            "type" => rng.pick(&["application", "library", "library", "\"\"", "~", "Application"]).to_owned(),
            _ => value(rng, 85),
        };
        field(rng, &mut lines, name, &value);
    }
    for (name, percent) in [("sources", 20), ("keywords", 20), ("deprecated", 10), ("extra", 10)] {
        if rng.chance(percent) {
            let value = match name {
                "deprecated" => rng.pick(&["true", "false", "yes", "~", "\"true\"", "1"]).to_owned(),
                "extra" => value(rng, 50),
                _ => list_of_texts(rng),
            };
            field(rng, &mut lines, name, &value);
        }
    }
    for (name, percent, make) in [
        ("annotations", 40, annotations as fn(&mut Rng) -> String),
        ("maintainers", 30, maintainers),
        ("dependencies", 40, dependencies),
    ] {
        if rng.chance(percent) {
            let value = make(rng);
            field(rng, &mut lines, name, &value);
            if rng.chance(8) {
                let again = make(rng);
                lines.push(format!("{}: {again}", name.to_uppercase()));
            }
        }
    }
    for at in (1..lines.len()).rev() {
        lines.swap(at, rng.below(at + 1));
    }
    let mut text = lines.join("\n");
    text.push('\n');
    if rng.chance(7) { mutated(rng, &text) } else { text }
}

/// The files of a chart's directory.
pub(super) fn directory(rng: &mut Rng) -> Vec<(String, String)> {
    let mut files = vec![("README.md".to_owned(), "# x\n".to_owned())];
    chart(rng, "", 2, &mut files);
    for (_, text) in &mut files {
        if rng.chance(10) {
            // One reader takes the first byte order mark off, another the second, and not each reader meets both.
            text.insert_str(0, &"\u{feff}".repeat(1 + rng.below(3)));
        }
    }
    files
}

/// A dependency with any texts.
pub(super) fn dependency(rng: &mut Rng) -> Dependency {
    const PIECES: [&str; 16] = [
        "a",
        "lib",
        "-",
        "1.0.0",
        ">=1",
        "<2",
        "&",
        "\u{2028}",
        "é",
        "🚀",
        "\"",
        "\\",
        "\n",
        "oci://r/x",
        " ",
        "\u{1}\u{7f}",
    ];
    let mut dependency = Dependency::new(rng.text(&PIECES, 3), rng.text(&PIECES, 3), rng.text(&PIECES, 3));
    if rng.chance(30) {
        dependency.condition = rng.text(&PIECES, 2);
        dependency.alias = rng.text(&PIECES, 2);
        dependency.tags = (0..rng.below(3)).map(|_| rng.text(&PIECES, 2)).collect();
        dependency.enabled = rng.chance(50);
    }
    if rng.chance(30) {
        let (one, other) = (rng.text(&PIECES, 2), rng.text(&PIECES, 2));
        dependency.import_values = vec![ImportValue::export(&one), ImportValue::mapping(&one, &other)];
    }
    dependency
}

/// As Go reads them.
pub(super) fn as_json(dependencies: &[Dependency]) -> Value {
    let one = |dependency: &Dependency| {
        let imports: Vec<Value> = dependency
            .import_values
            .iter()
            .map(|value| serde_json::from_str(value.as_json()).unwrap())
            .collect();
        json!({
            "name": dependency.name, "version": dependency.version, "repository": dependency.repository,
            "condition": dependency.condition, "tags": dependency.tags, "enabled": dependency.enabled,
            "import-values": imports, "alias": dependency.alias,
        })
    };
    dependencies.iter().map(one).collect()
}

/// Dependencies on charts in directories beside the chart, and those charts.
pub(super) fn local_dependencies(rng: &mut Rng) -> (Vec<Dependency>, Value) {
    let mut charts = Map::new();
    let wanted = (0..=rng.below(3)).map(|n| {
        let name = format!("{}{n}", rng.pick(&["lib", "a-b", "x_y"]));
        let (version, range) = match rng.below(6) {
            0 => ("1.2.3", "1.2.3"),
            1 => ("1.2.3", ">=1.0.0 <2"),
            2 => ("1.2.3", "~1.2"),
            3 => ("0.1.0-rc.1", ">0.0.0-0"),
            4 => ("1.2.3", "^2"),
            _ => ("2.0.0", "1.x || 2.x"),
        };
        charts.insert(name.clone(), json!({"name": name, "version": version}));
        let mut dependency = Dependency::new(name.as_str(), range, format!("file://../{name}"));
        if rng.chance(30) {
            dependency.alias = format!("alias{n}");
            dependency.tags = vec!["<tag>".to_owned()];
            dependency.condition = format!("{name}.enabled");
        }
        if rng.chance(20) {
            dependency.import_values = vec![ImportValue::export("data"), ImportValue::mapping("a", "b")];
        }
        dependency
    });
    (wanted.collect(), Value::Object(charts))
}

fn chart(rng: &mut Rng, prefix: &str, depth: usize, files: &mut Vec<(String, String)>) {
    let version = rng.pick(&["v2", "v2", "v1", "v1", "v3"]);
    let mut text =
        format!("apiVersion: {version}\nname: {}\nversion: 1.0.0\n", rng.pick(&["foo", "bar", "baz"]));
    if rng.chance(30) {
        text.push_str(&format!("dependencies: {}\n", dependencies(rng)));
    }
    if rng.chance(30) {
        text.push_str(&format!("maintainers: {}\nannotations: {}\n", maintainers(rng), annotations(rng)));
    }
    if rng.chance(5) {
        text = chart_yaml(rng);
    }
    let mut add = |rng: &mut Rng, percent, name: &str, text: String| {
        if rng.chance(percent) {
            let mark = if rng.chance(4) { "\u{feff}" } else { "" };
            files.push((format!("{prefix}{name}"), format!("{mark}{text}")));
        }
    };
    add(rng, 99, "Chart.yaml", text);
    let text = requirements(rng);
    add(rng, 30, "requirements.yaml", text);
    for name in ["Chart.lock", "requirements.lock"] {
        let text = lock(rng);
        add(rng, 20, name, text);
    }
    let text = if rng.chance(75) { "a: 1\n---\nb: 2\n" } else { rng.pick(&VALUES) };
    add(rng, 50, "values.yaml", text.to_owned());
    for (percent, name) in [
        (30, "values.schema.json"),
        (40, "templates/a.yaml"),
        (20, "templates/sub/_b.tpl"),
        (20, "crds/c.yaml"),
        (10, "charts/_d/Chart.yaml"),
        (10, "charts/.e"),
        (10, "charts/f.prov"),
        (2, "charts/README.md"),
        (2, "charts/g.tgz"),
        (2, "charts/h/x.txt"),
        (2, "charts/k.tgz/x"),
        (10, "templates.txt"),
        (10, "Templates/x"),
        (10, "a-b/x"),
        (10, "a/x"),
    ] {
        add(rng, percent, name, "{}\n".to_owned());
    }
    for n in 0..rng.below(depth + 1) {
        chart(rng, &format!("{prefix}charts/s{n}/"), depth - 1, files);
    }
}

const VALUES: [&str; 22] = [
    "",
    "a: 1\n",
    "a: 1",
    "a: 1\n---\nb: 2\n",
    "---\na: 1\n",
    "--- # x\na: 1\n---\n",
    "- a\n",
    "foo\n",
    "~\n",
    "a: [\n",
    "a: .inf\n",
    "a: .inf\na: 1\n",
    "a: {{ x }}\n",
    "a: 1\n--- b\n",
    "a: 1\n...\nb: [\n",
    "%YAML 1.1\n---\na: 1\n",
    "a: 1\r\n---\r\nb: 2\r\n",
    "{a: b}",
    "1: a\nyes: b\n",
    "~: a\n",
    "a: |\n  ---\n",
    "a: \"\n---\n\"\n",
];

fn requirements(rng: &mut Rng) -> String {
    match rng.below(12) {
        0 => String::new(),
        1 => "name: other\nversion: 2.0.0\n".to_owned(),
        2 => "apiVersion: v1\n".to_owned(),
        3 => "dependencies: x\n".to_owned(),
        4 => format!("annotations: {}\nmaintainers: {}\n", annotations(rng), maintainers(rng)),
        5 => chart_yaml(rng),
        _ => format!("dependencies: {}\n", dependencies(rng)),
    }
}

fn lock(rng: &mut Rng) -> String {
    if rng.chance(60) {
        return "dependencies:\n- name: d0\n  repository: oci://r/x\n  version: 1.2.0\ndigest: sha256:0\ngenerated: \"2026-11-21T03:43:25.314393931+01:00\"\n".to_owned();
    }
    let time = rng.pick(&[
        "\"2026-11-21T03:43:25.314393931+01:00\"",
        "2020-01-01T00:00:00Z",
        "2020-02-29T10:20:30.500Z",
        "\"2020-01-01T00:00:00+00:00\"",
        "~",
        "yesterday",
        "2020",
        "2020-01-01",
        "\"2021-02-29T00:00:00Z\"",
        "\"2020-01-01T00:00:00.123456789123-05:30\"",
        "!!timestamp 2020-01-01",
        "\"2020-1-1T00:00:00Z\"",
        "\"2020-01-01T00:00:00,5Z\"",
        "\"2020-01-01t00:00:00z\"",
    ]);
    match rng.below(8) {
        0 => String::new(),
        1 => rng.pick(&["foo", "{}", "~", "[a]", "digest: [x]", "dependencies: {}"]).to_owned(),
        _ => format!(
            "dependencies: {}\ndigest: {}\n{}: {time}\n",
            if rng.chance(80) { dependencies(rng) } else { rng.pick(&["~", "[]", "[~]"]).to_owned() },
            rng.pick(&["sha256:00", "1.10", "~", "\"\""]),
            rng.pick(&["generated", "generated", "GENERATED"]),
        ),
    }
}

/// A line with the field, now and then in another spelling.
fn field(rng: &mut Rng, lines: &mut Vec<String>, name: &str, value: &str) {
    let key = match rng.below(40) {
        0 => name.to_uppercase(),
        1 => name.to_lowercase(),
        2 => name.replacen('s', "\u{17f}", 1).replacen('k', "\u{212a}", 1),
        _ => name.to_owned(),
    };
    lines.push(format!("{key}: {value}"));
    if rng.chance(3) {
        let other = if rng.chance(50) { name.to_uppercase() } else { name.to_owned() };
        lines.push(format!("{other}: {}", rng.pick(&SCALARS)));
    }
}

/// A scalar in so many of 100 cases, else something that is none, or one on several lines.
fn value(rng: &mut Rng, percent: usize) -> String {
    if rng.chance(percent) {
        return rng.pick(&SCALARS).to_owned();
    }
    rng.pick(&[
        "[a]",
        "{a: b}",
        "[]",
        "{}",
        "|\n  one\n  two",
        ">-\n  one\n  two\n\n  three",
        "[1, [.5]]",
        "{b: {c: 1e20}, a: ~}",
    ])
    .to_owned()
}

fn list_of_texts(rng: &mut Rng) -> String {
    if rng.chance(8) {
        return value(rng, 50);
    }
    let items: Vec<&str> =
        (0..rng.below(4)).map(|_| rng.pick(&SCALARS)).filter(|item| *item != "=").collect();
    format!("[{}]", items.join(", "))
}

fn annotations(rng: &mut Rng) -> String {
    if rng.chance(5) {
        return value(rng, 30);
    }
    let mut text = String::new();
    for n in 0..rng.below(4) {
        let key = match rng.below(12) {
            0 => "\"\"",
            1 => "1",
            2 => "yes",
            3 => "1.50",
            4 => "\"a b\"",
            5 => "a10",
            6 => "a2",
            7 => "~",
            8 => "\"<k>\"",
            _ => ["example.com/a", "b", "B", "\u{e4}"][n % 4],
        };
        text.push_str(&format!("\n  {key}: {}", if rng.chance(96) { rng.pick(&SCALARS) } else { "[x]" }));
    }
    if text.is_empty() { "{}".to_owned() } else { text }
}

fn maintainers(rng: &mut Rng) -> String {
    entries(rng, |rng| rng.pick(&["name", "email", "url", "NAME", "nick"]).to_owned())
}

fn dependencies(rng: &mut Rng) -> String {
    entries(rng, |rng| {
        let key = rng.pick(&[
            "name",
            "name",
            "name",
            "version",
            "repository",
            "condition",
            "alias",
            "tags",
            "enabled",
            "import-values",
            "Name",
            "importValues",
        ]);
        key.to_owned()
    })
}

fn entries(rng: &mut Rng, key: impl Fn(&mut Rng) -> String) -> String {
    if rng.chance(4) {
        return value(rng, 40);
    }
    let mut text = String::new();
    for n in 0..rng.below(4) {
        if rng.chance(3) {
            text.push_str(if rng.chance(50) { "\n- ~" } else { "\n- x" });
            continue;
        }
        text.push_str(&format!("\n- name: d{n}"));
        for _ in 0..rng.below(4) {
            let key = key(rng);
            let value = match key.as_str() {
                "tags" => list_of_texts(rng),
                "import-values" => rng
                    .pick(&[
                        "[a]",
                        "[a, {child: x, parent: y}]",
                        "[1, 1.50, 12345678901234567890, 1e21, 0.000001, 1e-7]",
                        "~",
                        "[~, true, [x]]",
                        "{a: b}",
                        "[.inf]",
                        "[{b: 1, a: 2, 10: x, yes: z}]",
                        "[\"<>\"]",
                    ])
                    .to_owned(),
                "enabled" => rng.pick(&["true", "false", "no", "~", "\"true\""]).to_owned(),
                "alias" => rng.pick(&["x", "a-b_C", "\"a b\"", "a.b", "\"\"", "~", "d1", "1.10"]).to_owned(),
                _ => value(rng, 97),
            };
            text.push_str(&format!("\n  {key}: {}", value.replace('\n', "\n  ")));
        }
    }
    if text.is_empty() { "[]".to_owned() } else { text }
}

/// One character more, less or another.
fn mutated(rng: &mut Rng, text: &str) -> String {
    let mut chars: Vec<char> = text.chars().collect();
    for _ in 0..=rng.below(3) {
        let at = rng.below(chars.len());
        let c = [
            '\t', ' ', ':', '-', '\n', '"', '\'', '[', '{', '#', '&', '*', '!', '|', '\u{feff}', '\u{85}',
            '\u{1}',
        ][rng.below(17)];
        match rng.below(3) {
            0 => chars.insert(at, c),
            1 => chars[at] = c,
            _ => {
                chars.remove(at);
            }
        }
    }
    chars.into_iter().collect()
}
