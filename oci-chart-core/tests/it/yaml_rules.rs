//! The rules by which go-yaml differs from what a reader of the specification would expect, one case each.

use oci_chart_core::yaml::{Bounds, Document, Fault, ParseError};

fn json(text: &[u8]) -> Result<String, ParseError> {
    Document::parse(text, &Bounds::default()).and_then(|document| document.to_json())
}

/// Texts and their JSON; `None` where they are refused.
#[rustfmt::skip] // A table is read by its columns.
const CASES: &[(&str, Option<&str>)] = &[
    // Block scalars: the end of the text is no line break, comments in the header need no blank.
    ("a: |\n  x", Some(r#"{"a":"x"}"#)),
    ("|\n    \n  x\n", Some(r#""""#)),
    ("a: |# c\n  x\n", Some(r#"{"a":"x\n"}"#)),
    ("|\n# c\n", Some(r#""""#)),
    ("a: >\n  \tx\n", None),
    // NEL, LS and PS break lines.
    ("a: >-\n x\u{85} y\u{2028} z\n", Some(r#"{"a":"x y\u2028z"}"#)),
    ("a: b\u{2028}c: d", Some(r#"{"a":"b","c":"d"}"#)),
    ("a: b\u{85}c: d", Some(r#"{"a":"b","c":"d"}"#)),
    // Tabs separate, but do not indent.
    ("a:\tb", Some(r#"{"a":"b"}"#)),
    ("\ta: b", None),
    ("-\ta", None),
    ("- \ta", None),
    ("a: b\n\t", None),
    // Flow collections.
    ("a: \"b\nc\"", Some(r#"{"a":"b c"}"#)),
    ("a: [b,\nc]", Some(r#"{"a":["b","c"]}"#)),
    ("{a:}", Some(r#"{"a:":null}"#)),
    ("{a: b:}", Some(r#"{"a":"b:"}"#)),
    ("[a?]", None),
    ("[?a]", Some(r#"[{"a":null}]"#)),
    ("{a: :b}", None),
    ("{a\n: b}", None),
    ("{a:b}", Some(r#"{"a:b":null}"#)),
    ("[\"a\":b]", Some(r#"[{"a":"b"}]"#)),
    ("\"a\":b", Some(r#""a""#)),
    ("{}: {}", Some("{}")),
    ("[]: x", Some("[]")),
    (": a", None),
    ("\"a: b\" c", Some(r#""a: b""#)),
    // Anchors and tags.
    ("a: &x.y b", None),
    ("a: &x: b", None),
    ("[!t]", None),
    ("a: !t,x b", Some(r#"{"a":"b"}"#)),
    ("a: ! 1", Some(r#"{"a":"1"}"#)),
    // Directives and document marks.
    ("%YAML 1.2\n---\na", None),
    ("%FOO\n---\na", None),
    ("...\n", None),
    ("a: b\n%c: d", None),
    ("a\n---\n]", Some(r#""a""#)),
    // Escapes.
    (r#"a: "\/""#, None),
    (r#"a: "\'""#, Some(r#"{"a":"'"}"#)),
    // A second byte order mark swallows the first character of every line while it starts the buffer.
    ("\u{feff}\u{feff}a: b\nc: d\n", None),
    ("a: b\n\u{feff}c: d", Some("{\"a\":\"b\",\"\u{feff}c\":\"d\"}")),
    ("a: \u{feff}b", Some("{\"a\":\"\u{feff}b\"}")),
    // Merge keys work in place.
    ("x: &x {a: 1}\nz:\n  a: 0\n  <<: *x", Some(r#"{"x":{"a":1},"z":{"a":1}}"#)),
    ("x: &x {a: 1}\nz:\n  <<: *x\n  a: 0", Some(r#"{"x":{"a":1},"z":{"a":0}}"#)),
    ("x: &x {a: 1}\nw: &w {a: 2}\nz:\n  <<: [*x, *w]", Some(r#"{"w":{"a":2},"x":{"a":1},"z":{"a":1}}"#)),
    ("x: &x [{a: 1}]\nz:\n  <<: *x", None),
    ("\"<<\": 1", Some(r#"{"\u003c\u003c":1}"#)),
    // Keys.
    ("null: a", None),
    ("18446744073709551615: a", None),
    ("[a]: b", None),
    ("{a: {null: 1}, a: 2}", Some(r#"{"a":2}"#)),
    // Keys that print alike are two keys until they are printed, so what is wrong with either counts.
    ("1: {null: a}\n1: b", Some(r#"{"1":"b"}"#)),
    ("\"1\": {null: a}\n1: b", None),
    ("x: {<<: {1.0: {null: a}, 1: b}}", None),
    ("1234567.0: a", Some(r#"{"1.234567e+06":"a"}"#)),
    ("yes: a\n1.0: b\n.inf: c", Some(r#"{".inf":"c","1":"b","true":"a"}"#)),
    ("a: 1\na: 2", Some(r#"{"a":2}"#)),
    // Numbers.
    ("a: 0b-1", Some(r#"{"a":-1}"#)),
    ("a: 1__0", Some(r#"{"a":10}"#)),
    ("a: _1", Some(r#"{"a":"_1"}"#)),
    ("a: 0x1p4", Some(r#"{"a":"0x1p4"}"#)),
    ("- a\n - b", Some(r#"["a - b"]"#)),
    // Self reference and unknown anchors.
    ("&a [*a]", None),
    ("a: *b", None),
    ("", Some("null")),
];

#[test]
fn each_rule() {
    for (text, want) in CASES {
        let got = json(text.as_bytes());
        assert_eq!(got.as_deref().ok(), *want, "{text:?}: {got:?}");
    }
}

#[test]
fn a_key_is_at_most_1024_characters_from_its_colon() {
    assert!(json(format!("{{{}: v}}", "k".repeat(1025)).as_bytes()).is_err());
    assert!(json(format!("{}: v", "é".repeat(1024)).as_bytes()).is_ok());
    assert!(json(format!("{}: v", "é".repeat(1025)).as_bytes()).is_err());
}

#[test]
fn what_lies_a_piece_behind_the_document_is_not_looked_at() {
    let far = format!("a: b\n---\n#{}\u{1}", "x".repeat(600));
    assert_eq!(json(far.as_bytes()).as_deref(), Ok(r#"{"a":"b"}"#));
    let near = format!("a: b\n---\n#{}\u{1}", "x".repeat(100));
    assert_eq!(
        json(near.as_bytes()).unwrap_err().fault(),
        Fault::Encoding("control characters are not allowed")
    );
}

#[test]
fn errors_carry_words_and_a_place() {
    let error = json("a: b\nc:\n  - d\n  e: f\n".as_bytes()).unwrap_err();
    assert_eq!(error.fault(), Fault::Syntax("did not find expected '-' indicator"));
    assert_eq!((error.position().line, error.position().column), (4, 3));
    assert_eq!(error.to_string(), "line 4, column 3: did not find expected '-' indicator");
}

#[test]
fn positions_count_characters() {
    let document = Document::parse("é: [ü, \"日本\", x]\n".as_bytes(), &Bounds::default()).unwrap();
    let places: Vec<_> =
        document.root().get("é").unwrap().items().map(|node| node.position().column).collect();
    assert_eq!(places, [5, 8, 14]);
}

#[test]
fn bounds_hold() {
    let mut bounds = Bounds::default();
    bounds.bytes = 8;
    let error = Document::parse(b"a: 1234567", &bounds).unwrap_err();
    assert_eq!(error.fault(), Fault::TooLarge { limit: 8 });
    let mut bounds = Bounds::default();
    bounds.expanded = 10_000;
    let text = format!("a: &a {}\nb: [{}]\n", "x".repeat(1_000), "*a, ".repeat(90));
    let document = Document::parse(text.as_bytes(), &bounds).unwrap();
    assert_eq!(document.to_json().unwrap_err().fault(), Fault::ExpandsTooFar { limit: 10_000 });
}
