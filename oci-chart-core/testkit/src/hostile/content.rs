use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;

use super::{Lie, Listing};
use crate::registry::digest::{Algorithm, Digest};

const INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// The tags on the page of a number.
pub(super) type TagPage = fn(u64) -> Option<Vec<String>>;

/// What is planted, and the lies about it.
#[derive(Debug, Default)]
pub(super) struct Content {
    pub(super) tags: BTreeMap<String, VecDeque<String>>,
    pub(super) lies: BTreeMap<String, Lie>,
    pub(super) listing: Listing,
    pub(super) tag_page: Option<TagPage>,
    stored: BTreeMap<String, (Option<String>, Bytes)>,
    pages: u64,
}

/// An answer before it is sent.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: Bytes,
    /// What the head announces, where it is not the body's length.
    pub(super) announced: Option<u64>,
    /// The last piece of the body comes again and again.
    pub(super) endless: bool,
    /// The body comes byte by byte.
    pub(super) drips: bool,
}

impl Reply {
    pub(super) fn status(status: u16) -> Self {
        let body = format!(r#"{{"errors":[{{"code":"HOSTILE","message":"status {status}"}}]}}"#);
        Self { status, ..Self::of("application/json", body) }
    }

    fn of(content_type: &str, body: impl Into<Bytes>) -> Self {
        let headers = vec![("Content-Type", content_type.to_owned())];
        Self { status: 200, headers, body: body.into(), announced: None, endless: false, drips: false }
    }

    fn with(mut self, name: &'static str, value: String) -> Self {
        self.headers.push((name, value));
        self
    }
}

impl Content {
    pub(super) fn plant(&mut self, media_type: Option<String>, bytes: Bytes) -> String {
        let digest = Digest::of(Algorithm::Sha256, &bytes).to_string();
        self.stored.insert(digest.clone(), (media_type, bytes));
        digest
    }

    pub(super) fn answer(&mut self, target: &str) -> Reply {
        if target == "/v2/" {
            return Reply::of("application/json", "{}");
        }
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let mut parts = path.rsplitn(3, '/');
        let (Some(name), Some(endpoint)) = (parts.next(), parts.next()) else { return Reply::status(404) };
        match endpoint {
            "manifests" if name.contains(':') => self.content(name),
            "manifests" => match self.look(name) {
                Some(digest) => self.content(&digest),
                None => Reply::status(404),
            },
            "blobs" => self.content(name),
            "referrers" => self.list(path),
            "tags" if name == "list" => self.tag_list(path, query),
            _ => Reply::status(404),
        }
    }

    /// Where the tag points at this look.
    fn look(&mut self, tag: &str) -> Option<String> {
        let digests = self.tags.get_mut(tag)?;
        if digests.len() > 1 { digests.pop_front() } else { digests.front().cloned() }
    }

    fn content(&self, digest: &str) -> Reply {
        let Some((media_type, bytes)) = self.stored.get(digest) else { return Reply::status(404) };
        let content_type = media_type.as_deref().unwrap_or("application/octet-stream");
        let honest = Reply::of(content_type, bytes.clone()).with("Docker-Content-Digest", digest.to_owned());
        match self.lies.get(digest) {
            None => honest,
            Some(Lie::Bytes(bytes)) => Reply { body: bytes.clone(), ..honest },
            Some(Lie::Endless) => Reply { endless: true, ..honest },
            Some(Lie::Status(status)) => Reply::status(*status),
            Some(Lie::Drip) => Reply { drips: true, ..honest },
            Some(Lie::Announce(bytes)) => Reply { announced: Some(*bytes), ..honest },
        }
    }

    fn tag_list(&self, path: &str, query: &str) -> Reply {
        let Some(page) = self.tag_page else { return Reply::status(404) };
        if query.contains("last=") {
            return Reply::of("application/json", r#"{"name":"hostile","tags":[]}"#);
        }
        let number = query.strip_prefix("page=").and_then(|number| number.parse().ok()).unwrap_or(0);
        let Some(tags) = page(number) else { return Reply::status(404) };
        let list = format!(r#"{{"name":"hostile","tags":["{}"]}}"#, tags.join("\",\""));
        let reply = Reply::of("application/json", list);
        match page(number + 1) {
            Some(_) => reply.with("Link", next_page(path, number + 1)),
            None => reply,
        }
    }

    fn list(&mut self, path: &str) -> Reply {
        match &self.listing {
            Listing::Absent => Reply::status(404),
            Listing::Entries(entries) => Reply::of(INDEX, index(entries)),
            Listing::EndlessPages(count) => {
                let first = self.pages * *count as u64;
                let entries: Vec<String> = (first..first + *count as u64).map(nowhere).collect();
                self.pages += 1;
                Reply::of(INDEX, index(&entries)).with("Link", next_page(path, self.pages))
            }
            Listing::EndlessPagesOf(entries) => {
                self.pages += 1;
                Reply::of(INDEX, index(entries)).with("Link", next_page(path, self.pages))
            }
            Listing::Status(401) => {
                Reply::status(401).with("WWW-Authenticate", "Basic realm=\"hostile\"".to_owned())
            }
            Listing::Status(status) => Reply::status(*status),
            Listing::Elsewhere(host) => Reply::status(307).with("Location", format!("http://{host}{path}")),
            Listing::Document(content_type, body) => Reply::of(content_type, body.clone()),
            Listing::EndlessBody => {
                let open = format!(r#"{{"schemaVersion":2,"mediaType":"{INDEX}","manifests":["#);
                let flood = (0..64).map(|n| nowhere(n) + ",").collect::<String>();
                Reply { endless: true, ..Reply::of(INDEX, open + &flood) }
            }
        }
    }
}

fn next_page(path: &str, page: u64) -> String {
    format!("<{path}?page={page}>; rel=\"next\"")
}

fn index(entries: &[String]) -> String {
    format!(r#"{{"schemaVersion":2,"mediaType":"{INDEX}","manifests":[{}]}}"#, entries.join(","))
}

/// An entry whose manifest does not exist.
fn nowhere(number: u64) -> String {
    format!(
        r#"{{"mediaType":"application/vnd.oci.image.manifest.v1+json","size":877,"digest":"sha256:{number:064x}","artifactType":"application/vnd.dev.sigstore.bundle.v0.3+json"}}"#
    )
}
