//! What registries put on the wire, read without a socket: pure functions over header values and small bodies.
//!
//! Everything here is lenient in what it reads, bounded in what it keeps, and total: no input makes it fail in another
//! way than by its return type.

mod certificate;
mod challenge;
mod error_body;
mod link;
mod location;
mod media;
mod range;
mod retry_after;
mod time;
mod upload;
mod warning;

pub(crate) use certificate::Certificate;
pub use challenge::Challenge;
pub(crate) use error_body::ErrorBody;
pub(crate) use link::next_page;
pub(crate) use location::{same_origin_location, with_digest};
pub(crate) use media::essence;
pub(crate) use range::ContentRange;
pub(crate) use retry_after::retry_after;
pub(crate) use time::{http_date, rfc3339};
pub(crate) use upload::{least_chunk, received};
pub(crate) use warning::warnings;

#[cfg(test)]
mod tests {
    use super::*;

    /// Every reader over every prefix and thousands of changes of what registries send.
    #[test]
    fn no_header_and_no_body_is_too_odd_to_be_read() {
        let seeds: [&[u8]; 8] = [
            br#"Bearer realm="https://a/t",service="s",scope="repository:a/b:pull,push", Basic realm=x"#,
            br#"</v2/a/tags/list?last=b&n=2>; rel="next", <x>; rel=prev"#,
            br#"299 - "old \"registry\"" "Sun, 06 Nov 1994 08:49:37 GMT", 299 - "more""#,
            b"bytes=0-99",
            b"bytes 5-9/100",
            b"Sun, 06 Nov 1994 08:49:37 GMT",
            "{\"errors\":[{\"code\":\"A\",\"message\":\"é\",\"detail\":{\"x\":[1]}}]}".as_bytes(),
            b"https://h:443/v2/a/blobs/uploads/1?_state=a%2Fb%3D&x=",
        ];
        let read = |bytes: &[u8]| {
            let text = String::from_utf8_lossy(bytes);
            let _ = (Challenge::parse(bytes), next_page(&text), warnings(&text), received(&text));
            let _ = (least_chunk(&text), ContentRange::parse(&text), retry_after(&text, Some(&text)));
            let _ = (http_date(&text), rfc3339(&text), essence(&text));
            let body = ErrorBody::parse(bytes);
            let _ = (body.codes(), body.says(&["a", "b"]), body.has("A"));
            let _ = same_origin_location(&reqwest::Url::parse("https://h/v2/").unwrap(), &text);
        };
        let mut random = 1u64;
        let mut next = |below: usize| {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (random >> 33) as usize % below
        };
        for seed in seeds {
            (0..=seed.len()).for_each(|length| read(&seed[..length]));
            for _ in 0..2000 {
                let mut changed = seed.to_vec();
                for _ in 0..=next(4) {
                    let (at, byte) = (next(changed.len()), next(256) as u8);
                    if next(2) == 0 { changed[at] = byte } else { changed.insert(at, byte) }
                }
                read(&changed);
            }
        }
    }
}
