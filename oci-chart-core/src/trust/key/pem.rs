use base64::{Engine as _, engine::general_purpose::STANDARD};
use zeroize::Zeroizing;

/// One block of a PEM text (RFC 7468).
pub(super) struct Block<'a> {
    pub(super) label: &'a str,
    pub(super) content: Zeroizing<Vec<u8>>,
}

/// The first block. Whatever stands before and behind it is ignored, lines may have any length and any ending, as in cosign.
pub(super) fn first(text: &str) -> Option<Block<'_>> {
    const BEGIN: &str = "-----BEGIN ";
    const DASHES: &str = "-----";
    let begin = match text.starts_with(BEGIN) {
        true => 0,
        false => text.find("\n-----BEGIN ")? + 1,
    };
    let rest = text.get(begin + BEGIN.len()..)?;
    let (label, rest) = rest.split_once(DASHES)?;
    if label.is_empty() || label.contains(['\n', '\r']) {
        return None;
    }
    let end = rest.find(&format!("-----END {label}-----"))?;
    let body = Zeroizing::new(rest.get(..end)?.split_ascii_whitespace().collect::<String>());
    let content = Zeroizing::new(STANDARD.decode(body.as_bytes()).ok()?);
    Some(Block { label, content })
}

/// A block in lines of 64 characters.
pub(super) fn write(label: &str, content: &[u8]) -> String {
    let body = Zeroizing::new(STANDARD.encode(content));
    let mut text = format!("-----BEGIN {label}-----\n");
    for line in body.as_bytes().chunks(64) {
        text.push_str(std::str::from_utf8(line).unwrap_or_default());
        text.push('\n');
    }
    text.push_str(&format!("-----END {label}-----\n"));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_read_as_loosely_as_cosign_does() {
        let text = write("A B", &[7; 100]);
        assert!(text.lines().all(|line| line.len() <= 64));
        let one_line = format!("-----BEGIN A B-----\n{}\n-----END A B-----", STANDARD.encode([7; 100]));
        for text in [text.clone(), text.replace('\n', "\r\n"), format!("words\n{text}words"), one_line] {
            let block = first(&text).unwrap();
            assert_eq!((block.label, &**block.content), ("A B", &[7; 100][..]), "{text}");
        }
        let mixed = format!("{}{}", write("FIRST", b"1"), write("SECOND", b"2"));
        assert_eq!(first(&mixed).unwrap().label, "FIRST");
        for text in [
            "",
            "-----BEGIN X-----",
            "-----BEGIN X-----\nAA=\n-----END X-----",
            "-----BEGIN X-----\nAAAA\n-----END Y-----",
            "-----BEGIN X\nY-----\nAAAA\n-----END X\nY-----",
            "-----BEGIN X\rY-----\nAAAA\n-----END X\rY-----",
        ] {
            assert!(first(text).is_none(), "{text}");
        }
    }
}
