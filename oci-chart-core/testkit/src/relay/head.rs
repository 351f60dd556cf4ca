//! Heads of HTTP/1.1 messages, kept as they came but for what is changed on purpose (RFC 9112).

use std::io;

use tokio::io::{AsyncBufRead, AsyncBufReadExt as _, AsyncReadExt as _};

/// Longest head in bytes.
const LONGEST: u64 = 64 << 10;

/// First line and header fields.
#[derive(Clone, Debug)]
pub(super) struct Head {
    pub(super) line: String,
    fields: Vec<(String, String)>,
}

/// How the end of a body is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    Length(u64),
    Chunked,
    UntilClose,
}

impl Head {
    pub(super) fn new(line: &str) -> Self {
        Self { line: line.to_owned(), fields: Vec::new() }
    }

    /// The next head; none where the other side is done.
    pub(super) async fn read(from: &mut (impl AsyncBufRead + Unpin)) -> io::Result<Option<Self>> {
        let mut from = from.take(LONGEST);
        let mut head: Option<Self> = None;
        loop {
            let mut line = Vec::new();
            from.read_until(b'\n', &mut line).await?;
            let text = String::from_utf8_lossy(&line).trim_end_matches(['\r', '\n']).to_owned();
            match &mut head {
                None if line.is_empty() => return Ok(None),
                _ if line.last() != Some(&b'\n') => return Err(io::ErrorKind::UnexpectedEof.into()),
                None => head = Some(Self::new(&text)),
                Some(_) if text.is_empty() => return Ok(head),
                Some(head) => {
                    let (name, value) = text.split_once(':').unwrap_or((&text, ""));
                    head.fields.push((name.to_owned(), value.trim().to_owned()));
                }
            }
        }
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        let fields: String = self.fields.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        format!("{}\r\n{fields}\r\n", self.line).into_bytes()
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    pub(super) fn remove(&mut self, name: &str) -> bool {
        let before = self.fields.len();
        self.fields.retain(|(own, _)| !own.eq_ignore_ascii_case(name));
        self.fields.len() < before
    }

    pub(super) fn set(&mut self, name: &str, value: impl std::fmt::Display) {
        self.remove(name);
        self.fields.push((name.to_owned(), format!("{value}")));
    }

    /// The word of the first line at this place, counted from 0.
    pub(super) fn word(&self, place: usize) -> &str {
        self.line.split(' ').nth(place).unwrap_or_default()
    }

    /// Of an answer.
    pub(super) fn status(&self) -> u16 {
        self.word(1).parse().unwrap_or(0)
    }

    pub(super) fn framing(&self) -> Option<Framing> {
        if self.get("transfer-encoding").is_some_and(|value| value.to_ascii_lowercase().contains("chunked")) {
            return Some(Framing::Chunked);
        }
        self.get("content-length")?.parse().ok().map(Framing::Length)
    }

    /// The body of the answer to a request with this method; none where there cannot be one.
    pub(super) fn answer_framing(&self, method: &str) -> Option<Framing> {
        let bodiless = method == "HEAD" || matches!(self.status(), 100..=199 | 204 | 304);
        (!bodiless).then(|| self.framing().unwrap_or(Framing::UntilClose))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn read(text: &str) -> io::Result<Option<Head>> {
        Head::read(&mut text.as_bytes()).await
    }

    #[tokio::test]
    async fn heads_come_out_as_they_went_in() {
        let text = "GET /v2/ HTTP/1.1\r\nHost: x\r\nX-a:  b: c\r\n\r\n";
        let mut head = read(text).await.unwrap().unwrap();
        assert_eq!(head.bytes(), text.replace("  b", " b").into_bytes());
        assert_eq!((head.word(0), head.word(1), head.get("x-A")), ("GET", "/v2/", Some("b: c")));
        head.set("HOST", "y");
        assert!(head.remove("x-a") && !head.remove("x-a"));
        assert_eq!(head.bytes(), b"GET /v2/ HTTP/1.1\r\nHOST: y\r\n\r\n");
        assert!(read("").await.unwrap().is_none());
        assert!(read("GET / HT").await.is_err());
        assert!(read("GET / HTTP/1.1\r\nHost").await.is_err());
    }

    #[tokio::test]
    async fn the_end_of_a_body() {
        for (fields, method, expected) in [
            ("HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n", "GET", Some(Framing::Length(7))),
            ("HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n", "HEAD", None),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n", "GET", Some(Framing::Chunked)),
            ("HTTP/1.1 200 OK\r\n\r\n", "GET", Some(Framing::UntilClose)),
            ("HTTP/1.1 204 No Content\r\n\r\n", "DELETE", None),
        ] {
            assert_eq!(read(fields).await.unwrap().unwrap().answer_framing(method), expected, "{fields}");
        }
    }
}
