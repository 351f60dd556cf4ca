//! Signature Version 4 of AWS ("Create a signed AWS API request", IAM User Guide), for requests whose body is in memory.

use reqwest::Url;
use ring::hmac;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::AwsKeys;

/// What is signed. Header names are in lower case and sorted, `host` and `x-amz-date` are among them.
pub(super) struct Signed<'a> {
    pub(super) method: &'a str,
    pub(super) url: &'a Url,
    pub(super) headers: &'a [(&'a str, &'a str)],
    pub(super) body: &'a [u8],
    /// `20260131T235959Z`
    pub(super) time: &'a str,
    pub(super) region: &'a str,
    pub(super) service: &'a str,
}

/// The value of `Authorization`.
pub(super) fn authorization(request: &Signed<'_>, keys: &AwsKeys) -> String {
    let day = request.time.get(..8).unwrap_or_default();
    let scope = format!("{day}/{}/{}/aws4_request", request.region, request.service);
    let names: Vec<_> = request.headers.iter().map(|(name, _)| *name).collect();
    let names = names.join(";");
    let canonical = Zeroizing::new(canonical(request, &names));
    let text = format!(
        "AWS4-HMAC-SHA256\n{}\n{scope}\n{}",
        request.time,
        hex(&Sha256::digest(canonical.as_bytes()))
    );
    let first = Zeroizing::new(format!("AWS4{}", keys.secret_access_key.expose()));
    let key = [day, request.region, request.service, "aws4_request"]
        .iter()
        .fold(hmac::Key::new(hmac::HMAC_SHA256, first.as_bytes()), |key, part| {
            hmac::Key::new(hmac::HMAC_SHA256, hmac::sign(&key, part.as_bytes()).as_ref())
        });
    let signature = hex(hmac::sign(&key, text.as_bytes()).as_ref());
    format!(
        "AWS4-HMAC-SHA256 Credential={}/{scope}, SignedHeaders={names}, Signature={signature}",
        keys.access_key_id
    )
}

/// `20260131T235959Z` of seconds since 1970.
pub(super) fn timestamp(seconds: u64) -> String {
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    let (hour, minute, second) = (rest / 3600, rest / 60 % 60, rest % 60);
    // Counted in eras of 400 years that begin in March, so that leap days come last everywhere.
    let days = days + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    format!("{year:04}{month:02}{day:02}T{hour:02}{minute:02}{second:02}Z")
}

fn canonical(request: &Signed<'_>, names: &str) -> String {
    let mut text = format!("{}\n{}\n{}\n", request.method, path(request.url.path()), query(request.url));
    for (name, value) in request.headers {
        let words: Vec<_> = value.split_ascii_whitespace().collect();
        text += &format!("{name}:{}\n", words.join(" "));
    }
    text += &format!("\n{names}\n{}", hex(&Sha256::digest(request.body)));
    text
}

/// The path without empty parts, every byte of it encoded once more.
fn path(path: &str) -> String {
    let parts: Vec<_> = path.split('/').filter(|part| !part.is_empty()).collect();
    let mut text = String::from("/");
    text += &parts.join("/");
    if path.ends_with('/') && !parts.is_empty() {
        text.push('/');
    }
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' | b'/' => {
                encoded.push(byte.into());
            }
            _ => encoded += &format!("%{byte:02X}"),
        }
    }
    encoded
}

/// The query's pairs, sorted; they are encoded already.
fn query(url: &Url) -> String {
    let mut pairs: Vec<_> = url
        .query()
        .unwrap_or_default()
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .collect();
    pairs.sort_unstable();
    let pairs: Vec<_> = pairs.iter().map(|(name, value)| format!("{name}={value}")).collect();
    pairs.join("&")
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::wire::rfc3339;

    #[test]
    fn times() {
        assert_eq!(timestamp(0), "19700101T000000Z");
        assert_eq!(timestamp(1_709_251_199), "20240229T235959Z");
        for n in 0..2000 {
            let seconds = n * 7_777_777;
            let text = timestamp(seconds);
            let long = format!(
                "{}-{}-{}T{}:{}:{}Z",
                &text[..4],
                &text[4..6],
                &text[6..8],
                &text[9..11],
                &text[11..13],
                &text[13..15]
            );
            assert_eq!(rfc3339(&long), Some(i64::try_from(seconds).unwrap()), "{text}");
        }
    }

    #[test]
    fn the_example_of_the_documentation() {
        // "get-vanilla-query-order-key-case" of AWS's signature test suite.
        let url = Url::parse("https://example.amazonaws.com/?Param2=value2&Param1=value1").unwrap();
        let request = Signed {
            method: "GET",
            url: &url,
            headers: &[("host", "example.amazonaws.com"), ("x-amz-date", "20150830T123600Z")],
            body: b"",
            time: "20150830T123600Z",
            region: "us-east-1",
            service: "service",
        };
        let keys = AwsKeys::new("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY");
        assert_eq!(
            authorization(&request, &keys),
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, \
             SignedHeaders=host;x-amz-date, Signature=b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"
        );
    }

    #[test]
    fn paths_are_tidied_and_encoded_twice() {
        for (given, expected) in
            [("", "/"), ("/", "/"), ("//a//b/", "/a/b/"), ("/a%20b", "/a%2520b"), ("/~x/ü", "/~x/%C3%BC")]
        {
            assert_eq!(path(given), expected, "{given}");
        }
    }
}
