//! A raw HTTP client: one request per connection, nothing decoded that a test wants to see.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use sha2::{Digest as _, Sha256, Sha512};

/// The media type of most manifests in these tests.
pub(crate) const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

/// An answer as it came; a connection that broke keeps what it had.
#[derive(Debug, Default)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    /// The body ended before its announced length, or with an error.
    pub(crate) broken: bool,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    pub(crate) fn location(&self) -> &str {
        self.header("location").unwrap_or_else(|| panic!("no location in {self:?}"))
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The code of the first error.
    pub(crate) fn code(&self) -> String {
        let value: serde_json::Value = serde_json::from_slice(&self.body).unwrap_or_default();
        value["errors"][0]["code"].as_str().unwrap_or_default().to_owned()
    }
}

/// A request under construction.
pub(crate) struct Ask<'a> {
    method: &'a str,
    target: String,
    headers: Vec<(&'a str, String)>,
    body: Vec<u8>,
}

pub(crate) fn ask<'a>(method: &'a str, target: impl Into<String>) -> Ask<'a> {
    Ask { method, target: target.into(), headers: Vec::new(), body: Vec::new() }
}

impl<'a> Ask<'a> {
    pub(crate) fn header(mut self, name: &'a str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub(crate) fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// Sends to `127.0.0.1:PORT`, or to the host of an absolute target.
    pub(crate) fn send(self, host: &str) -> Answer {
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
    let Some(end) = raw.windows(4).position(|window| window == b"\r\n\r\n") else {
        return Answer { broken: true, ..Answer::default() };
    };
    let head = String::from_utf8_lossy(&raw[..end]).into_owned();
    let mut lines = head.split("\r\n");
    let status = lines.next().and_then(|line| line.split(' ').nth(1)).and_then(|text| text.parse().ok());
    let headers: Vec<_> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let mut answer =
        Answer { status: status.unwrap_or(0), headers, body: raw[end + 4..].to_vec(), broken: !ended };
    if answer.header("transfer-encoding") == Some("chunked") {
        let (body, whole) = unchunk(&answer.body);
        answer.body = body;
        answer.broken |= !whole;
    } else if let Some(length) = answer.header("content-length").and_then(|text| text.parse::<usize>().ok()) {
        answer.broken |= !head_only && answer.body.len() != length;
    }
    answer
}

fn unchunk(mut raw: &[u8]) -> (Vec<u8>, bool) {
    let mut body = Vec::new();
    while let Some(line) = raw.windows(2).position(|window| window == b"\r\n") {
        let size =
            std::str::from_utf8(&raw[..line]).ok().and_then(|text| usize::from_str_radix(text, 16).ok());
        let (Some(size), rest) = (size, &raw[line + 2..]) else { break };
        if size == 0 {
            return (body, true);
        }
        if rest.len() < size + 2 {
            break;
        }
        body.extend_from_slice(&rest[..size]);
        raw = &rest[size + 2..];
    }
    (body, false)
}

pub(crate) fn sha256(bytes: &[u8]) -> String {
    format!("sha256:{}", hex(&Sha256::digest(bytes)))
}

pub(crate) fn sha512(bytes: &[u8]) -> String {
    format!("sha512:{}", hex(&Sha512::digest(bytes)))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// `location` with one more query parameter.
pub(crate) fn with(location: &str, parameter: &str) -> String {
    format!("{location}{}{parameter}", if location.contains('?') { '&' } else { '?' })
}

/// Uploads a blob with POST and PUT and returns its digest.
pub(crate) fn push_blob(host: &str, repository: &str, content: &[u8]) -> String {
    let digest = sha256(content);
    let begun = ask("POST", format!("/v2/{repository}/blobs/uploads/")).send(host);
    let done = ask("PUT", with(begun.location(), &format!("digest={digest}"))).body(content).send(host);
    assert_eq!((begun.status, done.status), (202, 201), "{done:?}");
    digest
}

/// An image manifest over one config and one layer that are in the repository already.
pub(crate) fn manifest(config: &[u8], layer: &[u8], extra: &str) -> Vec<u8> {
    format!(
        concat!(
            r#"{{"schemaVersion":2,"mediaType":"{}","config":{{"mediaType":"application/vnd.test.config","#,
            r#""digest":"{}","size":{}}},"layers":[{{"mediaType":"application/vnd.test.layer","#,
            r#""digest":"{}","size":{}}}]{}}}"#
        ),
        MANIFEST,
        sha256(config),
        config.len(),
        sha256(layer),
        layer.len(),
        extra,
    )
    .into_bytes()
}

/// Pushes config, layer and a manifest over them, and returns the manifest.
pub(crate) fn push_image(host: &str, repository: &str, tag: &str, layer: &[u8], extra: &str) -> Vec<u8> {
    push_blob(host, repository, b"{}");
    push_blob(host, repository, layer);
    let bytes = manifest(b"{}", layer, extra);
    let put = ask("PUT", format!("/v2/{repository}/manifests/{tag}"))
        .header("content-type", MANIFEST)
        .body(bytes.clone())
        .send(host);
    assert_eq!(put.status, 201, "{put:?}");
    bytes
}
