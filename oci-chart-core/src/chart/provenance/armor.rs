//! ASCII armor (RFC 9580, section 6): base64 between two lines.

use base64::{Engine as _, engine::general_purpose::STANDARD};

/// Lines and their numbers, from 1, without line ends and blanks at their ends.
pub(crate) type Lines<'a> = std::iter::Enumerate<std::str::Split<'a, char>>;

/// Why an armored block cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The line that is wrong, from 1.
    Line(usize),
    /// There is no end.
    Truncated,
}

pub(crate) fn lines(text: &str) -> Lines<'_> {
    text.split('\n').enumerate()
}

/// The next line, with blanks, tabs and a carriage return at its end removed.
pub(crate) fn next<'a>(lines: &mut Lines<'a>) -> Option<(usize, &'a str)> {
    lines.next().map(|(number, line)| (number + 1, line.trim_end_matches([' ', '\t', '\r'])))
}

/// Reads what follows the line `-----BEGIN label-----`, through the line that ends it.
///
/// The checksum is not held against the bytes: RFC 9580 forbids to refuse a block for it, and a signature protects better.
pub(crate) fn decode(lines: &mut Lines<'_>, label: &str) -> Result<Vec<u8>, Fault> {
    loop {
        let (number, line) = next(lines).ok_or(Fault::Truncated)?;
        match line.split_once(": ") {
            _ if line.is_empty() => break,
            Some((key, _)) if KNOWN_HEADERS.contains(&key) => {}
            // GnuPG writes `Comment:` for an empty one.
            None if line.strip_suffix(':').is_some_and(|key| KNOWN_HEADERS.contains(&key)) => {}
            _ => return Err(Fault::Line(number)),
        }
    }
    let mut body = String::new();
    let mut last = 0;
    loop {
        let (number, line) = next(lines).ok_or(Fault::Truncated)?;
        if let Some(end) = line.strip_prefix("-----END ") {
            if end.strip_suffix("-----") != Some(label) {
                return Err(Fault::Line(number));
            }
            break;
        }
        if let Some(sum) = line.strip_prefix('=').filter(|sum| sum.len() == 4) {
            STANDARD.decode(sum).map_err(|_| Fault::Line(number))?;
            let (number, line) = next(lines).ok_or(Fault::Truncated)?;
            if line.strip_prefix("-----END ").and_then(|end| end.strip_suffix("-----")) != Some(label) {
                return Err(Fault::Line(number));
            }
            break;
        }
        if line.is_empty() || line.len() > LONGEST_LINE {
            let ends_here = line.is_empty() && lines.clone().next().is_none();
            return Err(if ends_here { Fault::Truncated } else { Fault::Line(number) });
        }
        body.push_str(line);
        last = number;
    }
    STANDARD.decode(&body).map_err(|_| Fault::Line(last))
}

/// Headers that some writers add; none of them means anything.
const KNOWN_HEADERS: [&str; 5] = ["Version", "Comment", "MessageID", "Hash", "Charset"];

/// RFC 9580 allows 76 characters; some writers do not break at all.
const LONGEST_LINE: usize = 1 << 20;

/// Writes `bytes` as a block, with the checksum that older readers ask for, and a line break at its end.
pub(crate) fn encode(bytes: &[u8], label: &str) -> String {
    let mut out = format!("-----BEGIN {label}-----\n\n");
    let body = STANDARD.encode(bytes);
    let mut rest = body.as_str();
    while !rest.is_empty() {
        let (line, behind) = rest.split_at(rest.len().min(64));
        out.push_str(line);
        out.push('\n');
        rest = behind;
    }
    let [_, sum @ ..] = crc24(bytes).to_be_bytes();
    out.push('=');
    out.push_str(&STANDARD.encode(sum));
    out.push_str(&format!("\n-----END {label}-----\n"));
    out
}

/// RFC 9580, section 6.1.1.
fn crc24(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x00b7_04ce, |sum, byte| {
        (0..8).fold(sum ^ (u32::from(*byte) << 16), |sum, _| {
            let shifted = sum << 1;
            if shifted & 0x0100_0000 == 0 { shifted } else { (shifted ^ 0x0186_4cfb) & 0x00ff_ffff }
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<u8>, Fault> {
        decode(&mut lines(text), "X")
    }

    #[test]
    fn blocks_are_read_as_their_writers_write_them() {
        for text in [
            "\nAQID\n-----END X-----",
            "Version: GnuPG v1\nComment: none\nComment:\n\nAQ\nID\n=abcd\n-----END X-----\n",
            " \t\r\nAQID  \r\n-----END X-----\r\n",
        ] {
            assert_eq!(read(text), Ok(vec![1, 2, 3]), "{text:?}");
        }
        assert_eq!(read("\n-----END X-----"), Ok(vec![]));
    }

    #[test]
    fn damage_is_found_in_its_line() {
        for (text, fault) in [
            ("", Fault::Truncated),
            ("\nAQID", Fault::Truncated),
            ("\nAQID\n", Fault::Truncated),
            ("Other: header\n\nAQID\n-----END X-----", Fault::Line(1)),
            ("AQID\n-----END X-----", Fault::Line(1)),
            ("\nAQ!D\n-----END X-----", Fault::Line(2)),
            ("\nAQI\n-----END X-----", Fault::Line(2)),
            ("\nAQID\n\n-----END X-----", Fault::Line(3)),
            ("\nAQID\n-----END Y-----", Fault::Line(3)),
            ("\nAQID\n=ab!d\n-----END X-----", Fault::Line(3)),
            ("\nAQID\n=abcd\nAQID\n-----END X-----", Fault::Line(4)),
            ("\nAQID\n=abcd", Fault::Truncated),
        ] {
            assert_eq!(read(text), Err(fault), "{text:?}");
        }
    }

    #[test]
    fn what_is_written_is_read_again() {
        for length in [0, 1, 47, 48, 49, 500] {
            let bytes: Vec<u8> = (0..length).map(|n| (n * 7) as u8).collect();
            let text = encode(&bytes, "X");
            assert!(text.lines().all(|line| line.len() <= 64));
            assert_eq!(read(text.strip_prefix("-----BEGIN X-----\n").unwrap()), Ok(bytes));
        }
        // The example of every CRC catalogue.
        assert_eq!(crc24(b"123456789"), 0x0021_cf02);
    }
}
