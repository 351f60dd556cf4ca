//! Doors for the fuzz targets to the readers that have no public name: what registries and proxies put on the wire.
//!
//! Built by cargo-fuzz, and for the tests that replay its seeds; no part of the interface.

use std::time::Duration;

use reqwest::Url;

use crate::{auth::Claims, http::wire};

/// The target of a `Link` header's `rel=next`.
pub fn next_page(header: &str) -> Option<&str> {
    wire::next_page(header)
}

/// First byte, last byte and whole length of a `Content-Range`.
pub fn content_range(header: &str) -> Option<(u64, u64, Option<u64>)> {
    wire::ContentRange::parse(header).map(|range| (range.first, range.last, range.whole))
}

/// How much of an upload a `Range` header says is there.
pub fn received(header: &str) -> Option<u64> {
    wire::received(header)
}

/// `OCI-Chunk-Min-Length`
pub fn least_chunk(header: &str) -> Option<u64> {
    wire::least_chunk(header)
}

/// `Retry-After`, beside the answer's `Date`.
pub fn retry_after(header: &str, date: Option<&str>) -> Option<Duration> {
    wire::retry_after(header, date)
}

/// Seconds since 1970 of both forms of time on the wire.
pub fn times(text: &str) -> [Option<i64>; 2] {
    [wire::http_date(text), wire::rfc3339(text)]
}

/// The texts of a `Warning` header.
pub fn warnings(header: &str) -> Vec<String> {
    wire::warnings(header)
}

/// A media type without its parameters.
pub fn essence(header: &str) -> String {
    wire::essence(header)
}

/// Where a `Location` leads from `https://registry.example/v2/`, if that may be followed.
pub fn location(header: &str) -> Option<Url> {
    let from = Url::parse("https://registry.example/v2/").ok()?;
    wire::same_origin_location(&from, header).ok()
}

/// Codes, and whether anything was understood, of a refusal's body.
pub fn error_body(bytes: &[u8]) -> (String, bool) {
    let body = wire::ErrorBody::parse(bytes);
    (body.codes(), !body.errors.is_empty())
}

/// The names of a certificate, and until when it holds.
pub fn certificate(der: &[u8]) -> Option<(Vec<String>, i64)> {
    wire::Certificate::read(der).map(|found| (found.names, found.until))
}

/// Whether a token can be read.
pub fn token(text: &str) -> bool {
    Claims::of(text).is_some()
}

#[cfg(test)]
#[path = "../fuzz/properties/certificate.rs"]
mod certificate_property;
#[cfg(test)]
#[path = "../fuzz/properties/wire.rs"]
mod wire_property;

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{certificate_property, wire_property};

    /// Each seed, every prefix of it, and many changes of a few bytes.
    fn replay(target: &str, check: fn(&[u8])) {
        let mut random = 1u64;
        let mut below = |most: usize| {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (random >> 33) as usize % most
        };
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds").join(target);
        let mut seeds = 0;
        for entry in fs_err::read_dir(folder).unwrap() {
            let seed = fs_err::read(entry.unwrap().path()).unwrap();
            (0..=seed.len()).for_each(|length| check(&seed[..length]));
            for _ in 0..2000 {
                let mut changed = seed.clone();
                for _ in 0..=below(4) {
                    let (at, byte) = (below(changed.len()), below(256) as u8);
                    if below(2) == 0 { changed[at] = byte } else { changed.insert(at, byte) }
                }
                check(&changed);
            }
            seeds += 1;
        }
        assert!(seeds > 1, "{target} has no seeds");
    }

    #[test]
    fn headers_and_bodies() {
        replay("wire", wire_property::check);
    }

    #[test]
    fn certificates() {
        replay("certificate", certificate_property::check);
    }
}
