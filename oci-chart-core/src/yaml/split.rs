//! Values files: Helm 4 cuts them into documents line by line, before any of them is parsed.

use super::error::{Fault, ParseError, Position};

/// One document of a values file, and the line it starts on, from 0.
pub(super) struct Part {
    pub(super) text: Vec<u8>,
    pub(super) first_line: u32,
}

/// Cuts at each line that starts with `---`, as the YAML reader of `k8s.io/apimachinery` does: line ends become `\n`, the last line
/// gets one, and a separator with nothing before it stays in its document.
pub(super) fn split(bytes: &[u8]) -> Result<Vec<Part>, ParseError> {
    let mut parts = Vec::new();
    let mut text = Vec::new();
    let mut first_line = 0;
    for (number, line) in (0_u32..).zip(bytes.split_inclusive(|b| *b == b'\n')) {
        let line = line.strip_suffix(b"\n").map_or(line, |line| line.strip_suffix(b"\r").unwrap_or(line));
        if let Some(rest) = line.strip_prefix(b"---") {
            if !is_separator_rest(rest) {
                let position = Position::new(number.saturating_add(1), 4);
                return Err(ParseError::new(Fault::Syntax("invalid Yaml document separator"), position));
            }
            if !text.is_empty() {
                parts.push(Part { text: std::mem::take(&mut text), first_line });
                first_line = number.saturating_add(1);
                continue;
            }
        }
        text.extend_from_slice(line);
        text.push(b'\n');
    }
    if !text.is_empty() {
        parts.push(Part { text, first_line });
    }
    Ok(parts)
}

/// Blanks (any of Unicode's), then nothing or a comment.
fn is_separator_rest(rest: &[u8]) -> bool {
    let rest = String::from_utf8_lossy(rest);
    let rest = rest.trim();
    rest.is_empty() || rest.starts_with('#')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(bytes: &[u8]) -> Vec<(String, u32)> {
        let parts = split(bytes).unwrap();
        parts.into_iter().map(|part| (String::from_utf8(part.text).unwrap(), part.first_line)).collect()
    }

    #[test]
    fn a_separator_with_nothing_before_it_stays() {
        let parts = texts(b"---\na: 1\n--- # c\nb: 2\r\n---\n---\nc");
        let want = [("---\na: 1\n", 0), ("b: 2\n", 3), ("---\nc\n", 5)];
        assert_eq!(parts, want.map(|(text, line)| (text.to_owned(), line)));
        assert!(texts(b"").is_empty());
    }

    #[test]
    fn a_separator_stands_alone_on_its_line() {
        let error = split(b"a: 1\n---b\n").err().unwrap();
        assert_eq!(error.fault(), Fault::Syntax("invalid Yaml document separator"));
        assert_eq!(error.position(), Position::new(2, 4));
        assert_eq!(texts(b" ---\n--").len(), 1);
    }
}
