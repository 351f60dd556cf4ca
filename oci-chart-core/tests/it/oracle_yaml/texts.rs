//! Texts to decode.

use crate::support::rng::Rng;

#[rustfmt::skip] // One piece a line would be very long.
const WORDS: &[&str] = &[
    "a", "b", "name", "version", "true", "false", "yes", "No", "on", "OFF", "y", "N", "null", "~", "Null",
    "nil", ".inf", "-.inf", "+.INF", ".nan", ".NaN", "<<", "=", "yEs", "tRUE", "none", "nan", "inf", "x y",
    "a-b", "a_b", "é", "日本", "\u{1f680}", "a\u{a0}b", "1.2.3", "v1.0.0", ">=1.0.0", "~1.2", "^1", "*",
    "1.x",
];

#[rustfmt::skip] // One piece a line would be very long.
const DIGITS: &[&str] = &[
    "0", "1", "7", "8", "9", "12", "00", "08", "0x", "0X", "0o", "0b", "0O", "-", "+", ".", "_", "e", "E",
    "e+", "e-", ":", "a", "f", "F", "p", "10", "101", "1e3", "99999999999999999999", "9223372036854775807",
    "18446744073709551615", "9223372036854775808", "n", "i", "T", "Z", " ",
];

#[rustfmt::skip] // One piece a line would be very long.
const DATES: &[&str] = &[
    "2001", "-", "12", "14", "1", "02", "29", "30", "31", "0", "13", "T", "t", " ", "  ", ":", "21", "59",
    "60", "24", ".", ",", "5", "Z", "z", "+", "05", "00", "2024", "2000", "1900",
];

#[rustfmt::skip] // One piece a line would be very long.
const TAGS: &[&str] = &[
    "!!str", "!!int", "!!float", "!!bool", "!!null", "!!binary", "!!timestamp", "!!merge", "!!map", "!!seq",
    "!!set", "!", "!x", "!!x", "!<tag:yaml.org,2002:int>", "!<!>", "!<x>", "!e!x", "!!in%74",
];

#[rustfmt::skip] // One piece a line would be very long.
const BINARY: &[&str] = &[
    "YQ==", "YQ", "YWI=", "YWJj", "//8=", "4oI=", "Y Q==", "YR==", "YQ=", "w6k=", "77+9/w==", "=",
];

#[rustfmt::skip] // One piece a line would be very long.
const TOKENS: &[&str] = &[
    "a", "b", "c", "1", "x y", " ", " ", "  ", "    ", "\n", "\n", "\n", "\n  ", "\n    ", "\t", ":", ": ",
    ": ", "- ", "-", "? ", "?", ",", ", ", "[", "]", "{", "}", "{}", "[]", "#", " # c", "&a ", "*a", "&b ",
    "*b ", "!", "!t ", "!!str ", "!!int ", "|", ">", "|-", ">+", "|2", ">1-", "'", "\"", "''", "'a'",
    "\"b\"", "\\", "\\n", "\\x41", "\\\n", "\\u00e9", "%", "%YAML 1.1\n", "%TAG ! t:\n", "%TAG !e! e:\n",
    "@", "`", "---", "--- ", "---\n", "...\n", "...", "<<", "<<: *a", "<<: ", "~", "null", "é", "\u{85}",
    "\u{2028}", "\r", "\r\n", "\u{feff}", "\0", "\u{7f}", "key: value\n", "- item\n", "true", "0x1F", "1e3",
    "\n- ", "\na: ", "\n  b: ", "? a\n: b\n",
];

/// A document with one interesting scalar.
pub(super) fn scalar(rng: &mut Rng) -> Vec<u8> {
    let mut text = match rng.below(8) {
        0 => rng.pick(WORDS).to_owned(),
        1 => rng.text(WORDS, 2),
        2 => rng.text(DATES, 10),
        3 => format!("2001-{}-{}{}", rng.pick(DATES), rng.pick(DATES), rng.text(DATES, 8)),
        4 if rng.chance(30) => rng.pick(BINARY).to_owned(),
        _ => rng.text(DIGITS, 5),
    };
    if rng.chance(10) {
        text = rng.pick(&["'", "\""]).to_owned() + &text + rng.pick(&["'", "\""]);
    }
    if rng.chance(20) {
        text = format!("{} {text}", rng.pick(TAGS));
    }
    let text = match rng.below(8) {
        0 => format!("{text}: v\na: {text}\n"),
        1 => format!("a: [{text}]\n"),
        2 => format!("{{a: {text}}}"),
        3 => format!("a: {text}"),
        _ => format!("a: {text}\n"),
    };
    text.into_bytes()
}

/// A document of nested collections, with anchors, aliases, merge keys and tags; mostly valid.
pub(super) fn mapping(rng: &mut Rng) -> Vec<u8> {
    let mut out = String::new();
    if rng.chance(5) {
        out.push_str(rng.pick(&[
            "---\n",
            "%YAML 1.1\n---\n",
            "%TAG !e! tag:yaml.org,2002:\n---\n",
            "# c\n",
            "\n",
        ]));
    }
    block(rng, &mut out, 0, 0);
    if rng.chance(10) {
        out.push_str(rng.pick(&["...\n", "---\nx\n", "# end\n", "\n\n", "...\n%x\n"]));
    }
    out.into_bytes()
}

fn block(rng: &mut Rng, out: &mut String, indent: usize, depth: usize) {
    let list = rng.chance(30);
    for _ in 0..=rng.below(4) {
        out.push_str(&" ".repeat(indent));
        if list {
            out.push('-');
        } else if rng.chance(3) {
            out.push_str("? ");
            flow(rng, out, 3);
            out.push('\n');
            out.push_str(&" ".repeat(indent));
            out.push(':');
        } else {
            key(rng, out);
            out.push(':');
        }
        if rng.chance(10) {
            out.push_str(rng.pick(&[" &a", " &b", " &c", " !!map", " !t", " !!str"]));
        }
        if depth < 4 && rng.chance(35) {
            out.push_str(rng.pick(&["\n", "\n", "\n", " # c\n", "\n\n"]));
            let deeper = indent + if rng.chance(90) { 2 } else { rng.below(4) };
            block(rng, out, deeper, depth + 1);
        } else if rng.chance(8) {
            out.push_str(rng.pick(&[" |\n", " >\n", " |-\n", " >+\n", " |2\n", " >-\n"]));
            for _ in 0..rng.below(4) {
                out.push_str(&" ".repeat(if rng.chance(85) { indent + 2 } else { rng.below(6) }));
                out.push_str(rng.pick(&[
                    "text",
                    "more  text ",
                    " deeper",
                    "",
                    "# no comment",
                    "\ttab",
                    "a: b",
                ]));
                out.push('\n');
            }
        } else {
            out.push(' ');
            flow(rng, out, 0);
            out.push_str(rng.pick(&["\n", "\n", "\n", "\n", " # c\n", "\r\n", "\n\n"]));
        }
    }
}

fn key(rng: &mut Rng, out: &mut String) {
    match rng.below(14) {
        0 => out.push_str("<<"),
        1 => out.push_str(rng.pick(&[
            "1",
            "1.0",
            "1.5",
            "0x1",
            "yes",
            "no",
            "~",
            "true",
            "1e10",
            ".inf",
            "18446744073709551615",
        ])),
        2 => out.push_str(rng.pick(&["\"a\"", "'b'", "\"<<\"", "''", "\"1\"", "*a ", "*b "])),
        3 => out.push_str(rng.pick(WORDS)),
        _ => out.push_str(rng.pick(&["a", "b", "c", "d", "e", "name", "long-key", "Key_1", "a.b/c"])),
    }
}

fn flow(rng: &mut Rng, out: &mut String, depth: usize) {
    match rng.below(if depth < 3 { 14 } else { 9 }) {
        0 if depth > 0 || rng.chance(30) => out.push_str(rng.pick(&["*a", "*b", "*c"])),
        1 => out.push_str(rng.pick(WORDS)),
        2 => out.push_str(&rng.text(DIGITS, 3)),
        3 => out.push_str(rng.pick(&[
            "\"x\\n\\ty\"",
            "'it''s'",
            "\"a\n  b\"",
            "'a\n\n  b'",
            "\"\"",
            "\"\\u65e5\"",
        ])),
        4 => {}
        5 => {
            out.push_str(rng.pick(TAGS));
            out.push(' ');
            out.push_str(rng.pick(WORDS));
        }
        9 | 10 => {
            out.push_str(rng.pick(&["[", "&a [", "&b ["]));
            for _ in 0..rng.below(4) {
                flow(rng, out, depth + 1);
                out.push_str(rng.pick(&[", ", ", ", ",", "\n , "]));
            }
            out.push(']');
        }
        11 | 12 => {
            out.push_str(rng.pick(&["{", "&a {", "&c {"]));
            for _ in 0..rng.below(4) {
                key(rng, out);
                out.push_str(rng.pick(&[": ", ": ", ": ", ":", ""]));
                flow(rng, out, depth + 1);
                out.push_str(rng.pick(&[", ", ", ", ",", ",\n "]));
            }
            out.push('}');
        }
        _ => out.push_str(rng.pick(&[
            "plain",
            "two words",
            "a#b",
            "a: b",
            "x:y",
            "-x",
            "?x",
            "http://x/y?z=1#f",
        ])),
    }
}

/// A document with one string, in one of the five styles and with odd characters.
pub(super) fn string(rng: &mut Rng) -> Vec<u8> {
    #[rustfmt::skip] // One piece a line would be very long.
    const PIECES: &[&str] = &[
        "a", "b c", " ", "  ", "\n", "\n ", "\n  ", "\n\n", "\t", "\n\t", ":", ": ", " #", "#", "'", "''",
        "\"", "\\\"", "\\", "\\n", "\\\n", "\\x4", "\\x41", "\\u00e9", "\\U0001F680", "\\ud800", "\\/",
        "\\'", "\\e", "\\0", "\\_", "\\N", "\\L", "\\ ", "-", "- ", "---", "...", "\n---\n", "\n...\n", "[",
        "]", "{", "}", ",", "?", "&", "*", "!", "|", ">", "%", "@", "`", "é", "\u{1f680}", "\u{85}",
        "\u{2028}", "\u{2029}", "\r", "\r\n", "\u{a0}", "\u{feff}", "\u{1}", "\u{7f}", "\u{9f}", "\u{fffe}",
        "\u{fffd}", "\u{e000}", "text",
    ];
    let body = rng.text(PIECES, 7);
    let indented = body.replace('\n', "\n  ");
    let header = |rng: &mut Rng| {
        format!(
            "{}{}",
            rng.pick(&["|", ">"]),
            rng.pick(&["", "", "-", "+", "2", "1", "+1", "2-", " # c", "9", "0", "x"])
        )
    };
    let text = match rng.below(9) {
        0 => format!("a: '{body}'\n"),
        1 => format!("a: \"{body}\"\n"),
        2 => format!("\"{body}\": v\n"),
        3 => format!("a: {}\n  {indented}\nb: c\n", header(rng)),
        4 => format!("{}\n{body}", header(rng)),
        5 => format!("- {}\n  {indented}", header(rng)),
        6 => format!("[{body}, \"{body}\"]"),
        7 => format!("a: {body}\nb: c\n"),
        _ => format!("{body}\n"),
    };
    text.into_bytes()
}

pub(super) fn tokens(rng: &mut Rng) -> Vec<u8> {
    let most = if rng.chance(80) { 9 } else { 24 };
    rng.text(TOKENS, most).into_bytes()
}

/// A small real file with a few pieces removed, doubled, moved or replaced.
pub(super) fn mutation(rng: &mut Rng, files: &[&[u8]]) -> Vec<u8> {
    let file = String::from_utf8_lossy(files[rng.below(files.len())]).into_owned();
    let mut lines: Vec<String> = file.lines().map(str::to_owned).collect();
    // A window keeps the case small, and its cut edges are interesting.
    if lines.len() > 30 {
        let start = rng.below(lines.len() - 20);
        lines = lines.split_off(start);
        lines.truncate(5 + rng.below(25));
    }
    for _ in 0..=rng.below(3) {
        if lines.is_empty() {
            break;
        }
        let at = rng.below(lines.len());
        match rng.below(6) {
            0 => drop(lines.remove(at)),
            1 => lines.insert(at, rng.text(TOKENS, 4)),
            2 => {
                let line = lines[at].clone();
                lines.insert(rng.below(lines.len() + 1), line);
            }
            3 => lines[at].insert(0, ' '),
            _ => {
                let line = &mut lines[at];
                let mut place = rng.below(line.len() + 1);
                while !line.is_char_boundary(place) {
                    place -= 1;
                }
                if rng.chance(50) {
                    line.insert_str(place, rng.pick(TOKENS));
                } else {
                    line.truncate(place);
                }
            }
        }
    }
    let end = if rng.chance(90) { "\n" } else { "" };
    (lines.join(if rng.chance(95) { "\n" } else { "\r\n" }) + end).into_bytes()
}

/// A text in some encoding, with byte order marks and broken bytes.
pub(super) fn encoding(rng: &mut Rng, files: &[&[u8]]) -> Vec<u8> {
    let mut text = if rng.chance(50) {
        String::from_utf8(mutation(rng, files)).unwrap()
    } else {
        String::from_utf8(tokens(rng)).unwrap()
    };
    if rng.chance(40) {
        text.insert_str(0, rng.pick(&["\u{feff}", "\u{feff}\u{feff}", "\u{feff}a: b\n\u{feff}"]));
    }
    let mut bytes = match rng.below(5) {
        0 => [0xff, 0xfe].into_iter().chain(text.encode_utf16().flat_map(u16::to_le_bytes)).collect(),
        1 => [0xfe, 0xff].into_iter().chain(text.encode_utf16().flat_map(u16::to_be_bytes)).collect(),
        _ => text.into_bytes(),
    };
    if rng.chance(40) {
        let at = rng.below(bytes.len() + 1);
        let broken: &[&[u8]] = &[
            b"\xff",
            b"\xc3",
            b"\xe2\x82",
            b"\xf0\x9f\x98",
            b"\xed\xa0\x80",
            b"\xc0\x80",
            b"\x80",
            b"\xf4\x90\x80\x80",
            b"\x00",
            b"\xd8\x00",
        ];
        let piece = broken[rng.below(broken.len())];
        bytes.splice(at..at, piece.iter().copied());
    }
    bytes
}

/// A document, and far enough behind it something that go-yaml would refuse if it looked.
pub(super) fn behind_the_end(rng: &mut Rng) -> Vec<u8> {
    let mut out = rng
        .pick(&[
            "a: b\n",
            "a\n",
            "- a\n- b\n",
            "{a: b}\n",
            "|\n x\n",
            "'x'\n",
            "é: ü\n",
            "a: \"b\n c\"\n",
            "a: &x b\n",
        ])
        .to_owned();
    let filler = rng.pick(&["x", "é", "\u{1f680}"]);
    if rng.chance(30) {
        let comment = filler.repeat(60 + rng.below(480));
        out = format!("{}# {comment}\n{out}", rng.pick(&["", "\u{feff}", "\u{feff}\u{feff}"]));
    }
    out.push_str(rng.pick(&["---\n", "...\n", "--- ", "", "\n"]));
    out.push_str(rng.pick(&["#", "# ", "z: ", "]", ""]));
    let room = 520_usize.saturating_sub(out.len()) / filler.len();
    out.push_str(&filler.repeat((room + rng.below(12)).saturating_sub(10)));
    if rng.chance(30) {
        out.push_str(&filler.repeat(rng.below(600)));
    }
    let mut bytes = out.into_bytes();
    let bad: &[&[u8]] = &[b"\x01", b"\xff", b"\xc3", b"\xe2\x28", b"\n]", b"\n\x7f", b"\n%x\n"];
    bytes.extend_from_slice(bad[rng.below(bad.len())]);
    if rng.chance(50) {
        bytes.extend(std::iter::repeat_n(b'y', rng.below(700)));
    }
    bytes
}

/// A values file of several documents.
pub(super) fn values(rng: &mut Rng) -> Vec<u8> {
    #[rustfmt::skip] // One piece a line would be very long.
    const LINES: &[&str] = &[
        "a: 1", "b: {c: 1}", "b: {d: 2}", "b: 3", "a: null", "---", "---", "--- # c", "---  ", "----",
        "--- a: 5", " ---", "...", "# c", "", "l: [1, 2]", "\u{feff}", "---\t", "---\u{a0}", "t: |", "  x",
        "  ---", "b:", "  c: 5", "x: \"y", "z\"", "- 1", "text",
    ];
    let mut out = String::new();
    for _ in 0..=rng.below(9) {
        out.push_str(rng.pick(LINES));
        out.push_str(rng.pick(&["\n", "\n", "\n", "\n", "\n", "\r\n", "\r"]));
    }
    if rng.chance(30) {
        out.pop();
    }
    out.into_bytes()
}
