//! The floor of a push: HTTP/1.1 by hand over one connection, with the checks that a client owes its user. `push-raw HOST REPOSITORY FILE [stop]`.

use std::{
    env,
    error::Error,
    fmt::Write as _,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
};

use sha2::{Digest as _, Sha256};

const CONFIG: &str = r#"{"name":"bench","version":"1.0.0","apiVersion":"v2"}"#;
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [host, repository, file, rest @ ..] = arguments.as_slice() else {
        return Err("push-raw HOST REPOSITORY FILE [stop]".into());
    };
    let layer = fs_err::read(file)?;
    let (config_digest, layer_digest) = (digest(CONFIG.as_bytes()), digest(&layer));
    let manifest = format!(
        r#"{{"schemaVersion":2,"config":{{"mediaType":"application/vnd.cncf.helm.config.v1+json","digest":"{config_digest}","size":{}}},"layers":[{{"mediaType":"application/vnd.cncf.helm.chart.content.v1.tar+gzip","digest":"{layer_digest}","size":{}}}]}}"#,
        CONFIG.len(),
        layer.len(),
    );
    let manifest_digest = digest(manifest.as_bytes());
    if !rest.is_empty() {
        return Ok(());
    }
    let stream = TcpStream::connect(host)?;
    stream.set_nodelay(true)?;
    let mut connection = Connection { host, stream: BufReader::new(stream) };

    let tag = format!("/v2/{repository}/manifests/1.0.0");
    let accept = format!("Accept: {MANIFEST}\r\n");
    let head = connection.send("HEAD", &tag, &accept, b"")?;
    if head.status != 404 {
        return Err(format!("the tag exists: {}", head.status).into());
    }
    let blobs = [(&config_digest, CONFIG.as_bytes()), (&layer_digest, layer.as_slice())];
    let mut uploads = Vec::new();
    for (digest, _) in blobs {
        let open = format!("/v2/{repository}/blobs/uploads/?mount={digest}&from={repository}");
        let opened = connection.send("POST", &open, "", b"")?;
        match opened.status {
            201 => uploads.push(None),
            202 => uploads.push(Some(location(host, &opened)?)),
            status => return Err(format!("opening an upload: {status}").into()),
        }
    }
    for ((digest, bytes), upload) in blobs.into_iter().zip(uploads) {
        let Some(upload) = upload else { continue };
        let separator = if upload.contains('?') { '&' } else { '?' };
        let target = format!("{upload}{separator}digest={digest}");
        let stored = connection.send("PUT", &target, "Content-Type: application/octet-stream\r\n", bytes)?;
        if stored.status != 201 {
            return Err(format!("upload: {}", stored.status).into());
        }
    }
    let stored =
        connection.send("PUT", &tag, &format!("Content-Type: {MANIFEST}\r\n"), manifest.as_bytes())?;
    let claimed = stored.header("docker-content-digest");
    if stored.status != 201 || claimed.is_some_and(|claimed| claimed != manifest_digest) {
        return Err(format!("manifest: {} {claimed:?}", stored.status).into());
    }
    Ok(())
}

fn digest(bytes: &[u8]) -> String {
    let mut text = String::from("sha256:");
    for byte in Sha256::digest(bytes) {
        // Writing into a string does not fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// The path of an upload, which must be at the same host.
fn location(host: &str, response: &Response) -> Result<String> {
    let location = response.header("location").ok_or("no location")?;
    match location.strip_prefix("http://") {
        None if location.starts_with('/') => Ok(location.to_owned()),
        None => Err("a location of an unknown form".into()),
        Some(rest) => match rest.strip_prefix(host) {
            Some(path) if path.starts_with('/') => Ok(path.to_owned()),
            _ => Err("the location is at another host".into()),
        },
    }
}

struct Connection<'a> {
    host: &'a str,
    stream: BufReader<TcpStream>,
}

struct Response {
    status: u16,
    headers: Vec<(String, String)>,
}

impl Connection<'_> {
    fn send(&mut self, method: &str, target: &str, headers: &str, body: &[u8]) -> Result<Response> {
        let head = format!(
            "{method} {target} HTTP/1.1\r\nHost: {}\r\nUser-Agent: raw/1\r\n{headers}Content-Length: {}\r\n\r\n",
            self.host,
            body.len()
        );
        let stream = self.stream.get_mut();
        stream.write_all(head.as_bytes())?;
        stream.write_all(body)?;
        let response = self.head()?;
        if method != "HEAD" {
            self.body(&response)?;
        }
        Ok(response)
    }

    fn head(&mut self) -> Result<Response> {
        let mut line = String::new();
        self.line(&mut line)?;
        let status =
            line.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3)).ok_or("not HTTP/1.1")?.parse()?;
        let mut headers = Vec::new();
        loop {
            self.line(&mut line)?;
            if line.is_empty() {
                return Ok(Response { status, headers });
            }
            let (name, value) = line.split_once(':').ok_or("not a header")?;
            headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
            if headers.len() > 100 {
                return Err("too many headers".into());
            }
        }
    }

    fn line(&mut self, line: &mut String) -> Result<()> {
        line.clear();
        let count = (&mut self.stream).take(8192).read_line(line)?;
        if !line.ends_with("\r\n") {
            return Err(format!("a line of {count} bytes without an end").into());
        }
        line.truncate(line.len() - 2);
        Ok(())
    }

    fn body(&mut self, response: &Response) -> Result<()> {
        let length: usize = response.header("content-length").map_or(Ok(0), str::parse)?;
        if length > 128 << 10 {
            return Err("the answer is too long".into());
        }
        self.stream.read_exact(&mut vec![0; length])?;
        Ok(())
    }
}

impl Response {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }
}
