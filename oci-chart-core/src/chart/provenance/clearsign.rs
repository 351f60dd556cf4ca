//! The cleartext signature framework (RFC 9580, section 7), read strictly: one block, `Hash` headers, and nothing that is not signed.

use super::{
    armor::{self, Fault},
    error::ProvenanceError,
};

const BEGIN: &str = "-----BEGIN PGP SIGNED MESSAGE-----";
const SIGNATURE: &str = "PGP SIGNATURE";
const BEGIN_SIGNATURE: &str = "-----BEGIN PGP SIGNATURE-----";

/// The names that a `Hash` header can have. Which of them are good enough is for the verifier to say.
const HASHES: [&str; 9] =
    ["MD5", "SHA1", "RIPEMD160", "SHA224", "SHA256", "SHA384", "SHA512", "SHA3-256", "SHA3-512"];

/// Header values, all lines together.
const MOST_HASHES: usize = 16;

/// A signed text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cleartext {
    text: String,
    hashes: Vec<&'static str>,
    signatures: Vec<u8>,
}

impl Cleartext {
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, ProvenanceError> {
        if bytes.len() > super::Provenance::MAX_BYTES {
            return Err(ProvenanceError::TooLarge { bytes: bytes.len() });
        }
        let whole = std::str::from_utf8(bytes).map_err(|_| ProvenanceError::NotUnicode)?;
        let mut lines = armor::lines(whole);
        let begin = loop {
            let (number, line) = armor::next(&mut lines).ok_or(ProvenanceError::NoBlock)?;
            if !line.is_empty() {
                break (number, line);
            }
        };
        if begin.1 != BEGIN {
            let is_there = whole.lines().any(|line| line.trim_end() == BEGIN);
            let outside = ProvenanceError::TextOutside { line: begin.0 };
            return Err(if is_there { outside } else { ProvenanceError::NoBlock });
        }
        let hashes = headers(&mut lines)?;
        let text = body(&mut lines)?;
        let signatures = armor::decode(&mut lines, SIGNATURE).map_err(|fault| match fault {
            Fault::Line(line) => ProvenanceError::Armor { line },
            Fault::Truncated => ProvenanceError::Truncated,
        })?;
        while let Some((line, content)) = armor::next(&mut lines) {
            match content {
                "" => {}
                BEGIN => return Err(ProvenanceError::SecondBlock { line }),
                _ => return Err(ProvenanceError::TextOutside { line }),
            }
        }
        Ok(Self { text, hashes, signatures })
    }

    /// The text as [`canonical`] hashes it, with `\n` for line ends.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// The algorithms that the headers announce.
    pub(crate) fn hashes(&self) -> &[&'static str] {
        &self.hashes
    }

    /// The packets behind the text.
    pub(crate) fn signatures(&self) -> &[u8] {
        &self.signatures
    }
}

/// The bytes that are hashed for `text`: without blanks at the ends of lines, which end with CR and LF. The last line has no end.
pub(crate) fn canonical(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 64);
    for (n, line) in text.split('\n').enumerate() {
        if n > 0 {
            out.push_str("\r\n");
        }
        out.push_str(trimmed(line));
    }
    out
}

/// Writes a block as `helm package --sign` and gpg do it.
pub(crate) fn write(text: &str, hash: &str, signature: &[u8]) -> String {
    let mut out = format!("{BEGIN}\nHash: {hash}\n\n");
    for line in text.split('\n') {
        if line.starts_with('-') {
            out.push_str("- ");
        }
        out.push_str(trimmed(line));
        out.push('\n');
    }
    out + &armor::encode(signature, SIGNATURE)
}

fn headers(lines: &mut armor::Lines<'_>) -> Result<Vec<&'static str>, ProvenanceError> {
    let mut hashes = Vec::new();
    loop {
        let (line, content) = armor::next(lines).ok_or(ProvenanceError::Truncated)?;
        if content.is_empty() {
            return Ok(hashes);
        }
        let refused = || ProvenanceError::Header { line, text: content.to_owned() };
        let values = content.strip_prefix("Hash: ").ok_or_else(refused)?;
        for value in values.split(',') {
            let known = HASHES.iter().find(|name| **name == value.trim()).ok_or_else(refused)?;
            if hashes.len() == MOST_HASHES {
                return Err(refused());
            }
            hashes.push(*known);
        }
    }
}

fn body(lines: &mut armor::Lines<'_>) -> Result<String, ProvenanceError> {
    let mut text = Vec::new();
    loop {
        let (before, raw) = lines.next().ok_or(ProvenanceError::Truncated)?;
        let line = before + 1;
        let content = trimmed(raw.strip_prefix("- ").unwrap_or(raw));
        if !raw.starts_with("- ") {
            match content {
                BEGIN_SIGNATURE => return Ok(text.join("\n")),
                BEGIN => return Err(ProvenanceError::SecondBlock { line }),
                _ if raw.starts_with('-') => return Err(ProvenanceError::Dash { line }),
                _ => {}
            }
        }
        if let Some(control) = content.chars().find(|c| c.is_control() && *c != '\t') {
            return Err(ProvenanceError::Control { line, code: control.into() });
        }
        text.push(content);
    }
}

/// A line without what is not hashed at its end. A carriage return anywhere else stays, and is refused as a control character.
fn trimmed(line: &str) -> &str {
    line.strip_suffix('\r').unwrap_or(line).trim_end_matches([' ', '\t'])
}

#[cfg(test)]
mod tests {
    use super::*;

    const END: &str = "-----BEGIN PGP SIGNATURE-----\n\nAQID\n-----END PGP SIGNATURE-----";

    fn parse(text: &str) -> Result<Cleartext, ProvenanceError> {
        Cleartext::parse(text.as_bytes())
    }

    #[test]
    fn the_text_is_what_was_hashed() {
        for (body, text) in [
            ("a\nb\n", "a\nb"),
            ("a\n\n", "a\n"),
            ("a \t\nb\r\n", "a\nb"),
            (
                "- - x\n- -----BEGIN PGP SIGNATURE-----\n- From\n- \n",
                "- x\n-----BEGIN PGP SIGNATURE-----\nFrom\n",
            ),
            ("\tä ✓\n", "\tä ✓"),
            ("", ""),
        ] {
            let read = parse(&format!("{BEGIN}\nHash: SHA256, SHA512\nHash: SHA1\n\n{body}{END}\n\n \r\n"));
            let want = Cleartext {
                text: text.to_owned(),
                hashes: vec!["SHA256", "SHA512", "SHA1"],
                signatures: vec![1, 2, 3],
            };
            assert_eq!(read, Ok(want), "{body:?}");
        }
    }

    #[test]
    fn nothing_unsigned_is_let_in() {
        let begin = format!("{BEGIN}\nHash: SHA512\n\n");
        let header = |text: &str| ProvenanceError::Header { line: 2, text: text.to_owned() };
        for (text, error) in [
            (String::new(), ProvenanceError::NoBlock),
            ("apiVersion: v1\n".to_owned(), ProvenanceError::NoBlock),
            (format!("x\n{begin}a\n{END}"), ProvenanceError::TextOutside { line: 1 }),
            (format!("\u{feff}{begin}a\n{END}"), ProvenanceError::NoBlock),
            (format!("{begin}a\n{END}\nx"), ProvenanceError::TextOutside { line: 9 }),
            (format!("{begin}a\n{END}\n{begin}a\n{END}"), ProvenanceError::SecondBlock { line: 9 }),
            (format!("{begin}a\n{begin}a\n{END}"), ProvenanceError::SecondBlock { line: 5 }),
            (format!("{BEGIN}\nComment: x\n\na\n{END}"), header("Comment: x")),
            (format!("{BEGIN}\nhash: SHA512\n\na\n{END}"), header("hash: SHA512")),
            (format!("{BEGIN}\nHash: SHA512,\n\na\n{END}"), header("Hash: SHA512,")),
            (format!("{BEGIN}\nHash: WHIRLPOOL\n\na\n{END}"), header("Hash: WHIRLPOOL")),
            (
                format!("{BEGIN}\nHash: {}\n\n", "SHA256,".repeat(20)),
                header(&format!("Hash: {}", "SHA256,".repeat(20))),
            ),
            (format!("{begin}a\n-b\n{END}"), ProvenanceError::Dash { line: 5 }),
            (format!("{begin}a\n\u{1b}[2J\n{END}"), ProvenanceError::Control { line: 5, code: 27 }),
            (format!("{begin}a\rb\n{END}"), ProvenanceError::Control { line: 4, code: 13 }),
            (format!("{begin}a\u{85}\n{END}"), ProvenanceError::Control { line: 4, code: 0x85 }),
            (format!("{begin}a\0\n{END}"), ProvenanceError::Control { line: 4, code: 0 }),
            (begin.clone(), ProvenanceError::Truncated),
            (BEGIN.to_owned(), ProvenanceError::Truncated),
            (format!("{begin}a\n-----BEGIN PGP SIGNATURE-----\n\nAQID\n"), ProvenanceError::Truncated),
            (
                format!("{begin}a\n-----BEGIN PGP SIGNATURE-----\n\nA\n\n-"),
                ProvenanceError::Armor { line: 8 },
            ),
            (format!("{begin}a\n-\n{END}"), ProvenanceError::Dash { line: 5 }),
        ] {
            assert_eq!(parse(&text), Err(error), "{text:?}");
        }
        assert_eq!(Cleartext::parse(b"\xff"), Err(ProvenanceError::NotUnicode));
        let large = vec![b'\n'; super::super::Provenance::MAX_BYTES + 1];
        assert_eq!(Cleartext::parse(&large), Err(ProvenanceError::TooLarge { bytes: large.len() }));
    }

    #[test]
    fn what_is_written_is_read_again() {
        for text in ["a\n- b\n-----BEGIN PGP SIGNATURE-----\n", "x", "", "\n\n", "a\n-\n--"] {
            let read = parse(&write(text, "SHA512", &[1, 2])).unwrap();
            assert_eq!((read.text(), read.hashes(), read.signatures()), (text, &["SHA512"][..], &[1, 2][..]));
            assert_eq!(canonical(text), text.replace('\n', "\r\n"));
        }
        assert_eq!(canonical("a \t\r\nb  "), "a\r\nb");
        assert!(
            write("- a  \n", "SHA256", &[])
                .starts_with(&format!("{BEGIN}\nHash: SHA256\n\n- - a\n\n-----BEGIN"))
        );
    }
}
