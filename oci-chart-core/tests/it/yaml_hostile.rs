//! Texts made to exhaust a reader: none may overflow a small stack, and the time has to grow with the text, not with its square.

use std::{
    sync::LazyLock,
    time::{Duration, Instant},
};

use oci_chart_core::yaml::{Bounds, Document, Fault, ParseError, emit_json};

/// How many short texts are as long as the long one. A quadratic reader needs as many times longer for the long one.
const PARTS: usize = 40;
/// What is allowed: a linear reader needs the same time.
const MOST: u32 = 10;

/// A text of about so many bytes.
type Shape = fn(usize) -> String;

/// Reads, writes out and drops on a stack of 128 KiB.
fn on_a_small_stack(text: String) -> Result<String, ParseError> {
    let work =
        move || Document::parse(text.as_bytes(), &Bounds::default()).and_then(|document| document.to_json());
    std::thread::Builder::new().stack_size(128 << 10).spawn(work).unwrap().join().unwrap()
}

#[test]
fn depth_is_bounded_and_needs_no_stack() {
    for (open, close) in [("[", "]"), ("{a: ", "}"), ("[a, ", "]"), ("{? ", "}"), ("[[],", "]")] {
        let deep = |levels: usize| open.repeat(levels) + "x" + &close.repeat(levels);
        let fits = on_a_small_stack(deep(9_000));
        assert!(fits.is_ok() || open == "{? ", "{open}: {fits:?}");
        let error = on_a_small_stack(deep(10_001)).unwrap_err();
        assert_eq!(error.fault(), Fault::Syntax("exceeded max depth of 10000"), "{open}");
    }
    let nested: String = (0..3_000).map(|level| " ".repeat(level) + "a:\n").collect();
    assert!(on_a_small_stack(nested).is_ok());
    assert!(on_a_small_stack("- ".repeat(9_000)).is_ok());
    assert!(on_a_small_stack("- ".repeat(10_001)).is_err());
    let deep = "[".repeat(9_000) + &"]".repeat(9_000);
    let yaml = std::thread::Builder::new().stack_size(128 << 10).spawn(move || emit_json(&deep)).unwrap();
    assert!(yaml.join().unwrap().is_ok());
}

#[test]
fn a_chain_of_aliases_is_as_deep_as_it_likes() {
    let links: String = (1..3_000).map(|n| format!("- &a{n} [[x, *a{}]]\n", n - 1)).collect();
    let text = format!("- &a0 x\n{links}");
    // Each level decodes all before it, so the bound on aliases ends this.
    let error = on_a_small_stack(text).unwrap_err();
    assert_eq!(error.fault(), Fault::Value("document contains excessive aliasing"));
}

#[test]
fn time_grows_with_the_text() {
    let shapes: [(&str, Shape); 16] = [
        ("open brackets", |n| "[".repeat(n)),
        ("open mappings", |n| "{a: ".repeat(n / 4)),
        ("open complex keys", |n| "[? ".repeat(n / 3)),
        ("bracket pairs", |n| format!("[{}]", "[],".repeat(n / 3))),
        ("one line of keys", |n| format!("{{{}}}", "a: b, ".repeat(n / 6))),
        ("long plain scalar", |n| "x".repeat(n)),
        ("long quoted scalar", |n| format!("\"{}\"", "x\\n".repeat(n / 3))),
        ("many lines", |n| format!("a: b{}", "\n c".repeat(n / 3))),
        ("literal", |n| format!("a: |\n{}", "  text\n".repeat(n / 7))),
        ("blank lines", |n| format!("a: |\n{}x", "\n".repeat(n))),
        ("non-ASCII line", |n| format!("[{}]", "é, ".repeat(n / 4))),
        ("tag directives", |n| {
            (0..n / 14).map(|i| format!("%TAG !a{i}! t:\n")).collect::<String>() + "---\nx\n"
        }),
        ("tags", |n| format!("%TAG !a! {}\n---\n[{}]", "t".repeat(n / 2), "!a!x y, ".repeat(n / 16))),
        ("anchors", |n| {
            format!("[{}]", (0..n / 12).map(|i| format!("&a{i} b, *a{i}, ")).collect::<String>())
        }),
        ("equal keys", |n| "a: b\n".repeat(n / 5)),
        ("merges", |n| {
            format!(
                "a: &a {{{}}}\nb: {{<<: [{}]}}\n",
                (0..n / 20).map(|i| format!("k{i}: v, ")).collect::<String>(),
                "*a, ".repeat(n / 8)
            )
        }),
    ];
    for (name, shape) in shapes {
        let (short, long) = (shape(400_000 / PARTS), shape(400_000));
        let parts = processor_time(&short, PARTS);
        let whole = processor_time(&long, 1);
        assert!(
            whole < parts.max(Duration::from_millis(5)) * MOST,
            "{name}: {parts:?} in parts, {whole:?} as a whole"
        );
    }
}

#[test]
fn a_megabyte_in_one_scalar() {
    let text = "word ".repeat(200_000);
    for (before, after) in
        [("a: ", "\n"), ("a: '", "'\n"), ("a: \"", "\"\n"), ("a: |\n  ", "\n"), ("a: >\n  ", "\n")]
    {
        let json = on_a_small_stack(format!("{before}{text}{after}")).unwrap();
        assert!(json.len() > 999_990, "{before}: {}", json.len());
    }
}

/// The time that this thread computes while it reads the text so many times; other programs do not count.
fn processor_time(text: &str, times: usize) -> Duration {
    let start = spent();
    for _ in 0..times {
        // Refusal is as good as an answer.
        let _ = Document::parse(text.as_bytes(), &Bounds::default());
    }
    spent().saturating_sub(start)
}

/// Since the thread started, by Linux; elsewhere the clock has to do.
fn spent() -> Duration {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    fs_err::read_to_string("/proc/thread-self/schedstat")
        .ok()
        .and_then(|line| line.split(' ').next()?.parse().ok())
        .map_or_else(|| START.elapsed(), Duration::from_nanos)
}
