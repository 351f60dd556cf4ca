//! A raw HTTP client that knows nothing of registries: one request per connection, nothing decoded that a test wants to
//! see. What it does naively shows that a quirk of a registry bites.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// An answer as it came; a connection that broke keeps what it had.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Answer {
    /// Status; 0 where no head came.
    pub status: u16,
    /// Header fields in their order, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body, without the framing of chunks.
    pub body: Vec<u8>,
    /// The body ended before its announced length, or with an error.
    pub broken: bool,
}

impl Answer {
    /// The first value of a header field.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The `Location`.
    ///
    /// # Panics
    /// Where there is none.
    #[must_use]
    #[allow(clippy::panic, reason = "that is how the test ends that asks for it")]
    pub fn location(&self) -> &str {
        self.header("location").unwrap_or_else(|| panic!("no location in {self:?}"))
    }

    /// The body as text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The code of the first error in a body of the form that the specification gives; empty where there is none.
    #[must_use]
    pub fn code(&self) -> String {
        let value: serde_json::Value = serde_json::from_slice(&self.body).unwrap_or_default();
        let code = value.pointer("/errors/0/code").and_then(|code| code.as_str());
        code.unwrap_or_default().to_owned()
    }
}

/// A request under construction.
#[derive(Debug)]
pub struct Ask<'a> {
    method: &'a str,
    target: String,
    headers: Vec<(&'a str, String)>,
    body: Vec<u8>,
}

/// A request with this method for a path, or for an `http://` URL.
#[must_use]
pub fn ask<'a>(method: &'a str, target: impl Into<String>) -> Ask<'a> {
    Ask { method, target: target.into(), headers: Vec::new(), body: Vec::new() }
}

/// What `Authorization` says for a user.
#[must_use]
pub fn basic(user: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{user}:{password}")))
}

impl<'a> Ask<'a> {
    /// Adds a header field.
    #[must_use]
    pub fn header(mut self, name: &'a str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// Adds `Authorization` of a user.
    #[must_use]
    pub fn login(self, user: &str, password: &str) -> Self {
        self.header("authorization", basic(user, password))
    }

    /// Sends this body.
    #[must_use]
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// Sends to `127.0.0.1:PORT`, or to the host of an absolute target.
    pub fn send(self, host: &str) -> Answer {
        self.try_send(host).unwrap_or_else(|_| Answer { broken: true, ..Answer::default() })
    }

    fn try_send(self, host: &str) -> io::Result<Answer> {
        let (host, target) = match self.target.strip_prefix("http://").and_then(|rest| rest.split_once('/')) {
            Some((host, path)) => (host.to_owned(), format!("/{path}")),
            None => (host.to_owned(), self.target),
        };
        let mut stream = TcpStream::connect(&host)?;
        stream.set_read_timeout(Some(Duration::from_secs(20)))?;
        let mut head = format!("{} {target} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n", self.method);
        if !self.body.is_empty() || matches!(self.method, "POST" | "PUT" | "PATCH") {
            head += &format!("content-length: {}\r\n", self.body.len());
        }
        for (name, value) in self.headers {
            head += &format!("{name}: {value}\r\n");
        }
        stream.write_all(format!("{head}\r\n").as_bytes())?;
        // A server that hangs up early is told by what it answered.
        let _ = stream.write_all(&self.body);
        let mut raw = Vec::new();
        let ended = stream.read_to_end(&mut raw).is_ok();
        Ok(parse(&raw, ended, self.method == "HEAD"))
    }
}

fn parse(raw: &[u8], ended: bool, head_only: bool) -> Answer {
    let end = raw.windows(4).position(|window| window == b"\r\n\r\n");
    let Some((head, body)) = end.and_then(|end| Some((raw.get(..end)?, raw.get(end + 4..)?))) else {
        return Answer { broken: true, ..Answer::default() };
    };
    let head = String::from_utf8_lossy(head).into_owned();
    let mut lines = head.split("\r\n");
    let status = lines.next().and_then(|line| line.split(' ').nth(1)).and_then(|text| text.parse().ok());
    let headers: Vec<_> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let mut answer = Answer { status: status.unwrap_or(0), headers, body: body.to_vec(), broken: !ended };
    if answer.header("transfer-encoding") == Some("chunked") {
        let (body, whole) = unchunk(&answer.body);
        answer.body = body;
        answer.broken |= !whole;
    } else if let Some(length) = answer.header("content-length").and_then(|text| text.parse::<usize>().ok()) {
        answer.broken |= !head_only && answer.body.len() != length;
    }
    answer
}

/// The content of chunks, and whether it came to its end.
fn unchunk(mut raw: &[u8]) -> (Vec<u8>, bool) {
    let mut body = Vec::new();
    while let Some(end) = raw.windows(2).position(|window| window == b"\r\n") {
        let (line, rest) = raw.split_at(end);
        let size = std::str::from_utf8(line).ok().and_then(|text| usize::from_str_radix(text, 16).ok());
        match (size, size.and_then(|size| rest.get(2..size + 2)), size.and_then(|size| rest.get(size + 4..)))
        {
            (Some(0), ..) => return (body, true),
            (_, Some(chunk), Some(after)) => {
                body.extend_from_slice(chunk);
                raw = after;
            }
            _ => break,
        }
    }
    (body, false)
}
