const LONGEST_TEXT: usize = 500;

/// The texts of a `Warning` header value (RFC 7234, 5.5) that are meant for people by the distribution spec: code 299, agent `-`. One line
/// each, without control characters.
pub(crate) fn warnings(header: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = header;
    while let Some((before, quoted)) = rest.split_once('"') {
        let Some((text, after)) = unquote(quoted) else { break };
        let mut words = before.trim_start_matches([',', ' ', '\t']).split_ascii_whitespace();
        if words.next() == Some("299") && words.next() == Some("-") && !text.is_empty() {
            found.push(text);
        }
        rest = after_date(after);
    }
    found
}

/// The text up to the closing quote, and what follows it.
fn unquote(text: &str) -> Option<(String, &str)> {
    let (mut shown, mut escaped) = (String::new(), false);
    for (at, letter) in text.char_indices() {
        match letter {
            _ if escaped => escaped = false,
            '\\' => {
                escaped = true;
                continue;
            }
            '"' => return Some((shown.trim().to_owned(), text.get(at + 1..)?)),
            _ => {}
        }
        if shown.len() < LONGEST_TEXT {
            shown.push(if letter.is_control() { ' ' } else { letter });
        }
    }
    None
}

/// A date in quotes may follow a text.
fn after_date(rest: &str) -> &str {
    let date = rest.trim_start().strip_prefix('"').and_then(|quoted| quoted.split_once('"'));
    date.map_or(rest, |(_, after)| after)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn warnings_of_registries() {
        for (header, expected) in [
            (r#"299 - "this registry is old""#, &["this registry is old"][..]),
            (r#"299 - "a, b", 299 - "c""#, &["a, b", "c"]),
            (
                r#"299 - "with \"quotes\" \\ and more" "Sun, 06 Nov 1994 08:49:37 GMT", 299 - "c""#,
                &["with \"quotes\" \\ and more", "c"],
            ),
            (r#"110 - "stale", 299 example.org "an agent", 299 - "mine""#, &["mine"]),
            (r#"299 - """#, &[]),
            (r#"299 - "never ends"#, &[]),
            ("299 - none", &[]),
            ("", &[]),
        ] {
            assert_eq!(warnings(header), expected, "{header}");
        }
        let long = warnings(&format!("299 - \"{}\"", "x".repeat(10_000)));
        assert_eq!(long[0].len(), LONGEST_TEXT);
    }
}
