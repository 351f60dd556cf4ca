/// What a certificate (X.509, RFC 5280) says about whom and until when. Read to be shown to people, never to trust: that is decided
/// elsewhere, by the whole of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Certificate {
    /// Whom it is for, by common name or else organisation.
    pub(crate) subject: Option<String>,
    /// Who signed it.
    pub(crate) issuer: Option<String>,
    /// Since when it holds, in seconds since 1970.
    pub(crate) from: i64,
    /// Until when.
    pub(crate) until: i64,
    /// The names and addresses that it is for.
    pub(crate) names: Vec<String>,
}

const INTEGER: u8 = 0x02;
const OID: u8 = 0x06;
const OCTETS: u8 = 0x04;
const SEQUENCE: u8 = 0x30;
const VERSION: u8 = 0xa0;
const EXTENSIONS: u8 = 0xa3;
const UTC_TIME: u8 = 0x17;
const DNS_NAME: u8 = 0x82;
const ADDRESS: u8 = 0x87;

/// `id-ce-subjectAltName`
const ALTERNATIVE_NAMES: &[u8] = &[0x55, 0x1d, 0x11];
/// `id-at-organizationName`, `id-at-commonName`: the last that is there counts.
const NAME_PARTS: [&[u8]; 2] = [&[0x55, 0x04, 0x0a], &[0x55, 0x04, 0x03]];
/// Certificates of large sites have hundreds of names; nobody reads them all.
const MOST_NAMES: usize = 20;

impl Certificate {
    /// Reads a certificate in DER; `None` where it is none.
    pub(crate) fn read(der: &[u8]) -> Option<Self> {
        let mut body = Der(Der(Der(der).expect(SEQUENCE)?).expect(SEQUENCE)?);
        body.skip(VERSION);
        body.expect(INTEGER)?;
        body.expect(SEQUENCE)?;
        let issuer = name(body.expect(SEQUENCE)?);
        let mut validity = Der(body.expect(SEQUENCE)?);
        let (from, until) = (time(validity.next()?)?, time(validity.next()?)?);
        let subject = name(body.expect(SEQUENCE)?);
        let mut names = Vec::new();
        while let Some((tag, content)) = body.next() {
            if tag == EXTENSIONS {
                names = alternative_names(content).unwrap_or_default();
            }
        }
        Some(Self { subject, issuer, from, until, names })
    }
}

/// The best of a distinguished name.
fn name(content: &[u8]) -> Option<String> {
    let mut found: [Option<String>; NAME_PARTS.len()] = Default::default();
    let mut sets = Der(content);
    while let Some((_, set)) = sets.next() {
        let mut pair = Der(Der(set).expect(SEQUENCE)?);
        let kind = pair.expect(OID)?;
        let (_, text) = pair.next()?;
        for (slot, wanted) in found.iter_mut().zip(NAME_PARTS) {
            if kind == wanted {
                *slot = Some(shown(text));
            }
        }
    }
    found.into_iter().rev().flatten().find(|text| !text.is_empty())
}

fn alternative_names(content: &[u8]) -> Option<Vec<String>> {
    let mut names = Vec::new();
    let mut extensions = Der(Der(content).expect(SEQUENCE)?);
    while let Some((_, extension)) = extensions.next() {
        let mut parts = Der(extension);
        if parts.expect(OID)? != ALTERNATIVE_NAMES {
            continue;
        }
        // Behind a flag, perhaps.
        let octets = std::iter::from_fn(|| parts.next()).find(|(tag, _)| *tag == OCTETS)?.1;
        let mut list = Der(Der(octets).expect(SEQUENCE)?);
        while let Some((tag, value)) = list.next().filter(|_| names.len() < MOST_NAMES) {
            match tag {
                DNS_NAME => names.push(shown(value)),
                ADDRESS => names.extend(address(value)),
                _ => {}
            }
        }
    }
    Some(names)
}

fn address(octets: &[u8]) -> Option<String> {
    let four = <[u8; 4]>::try_from(octets).ok().map(|octets| std::net::Ipv4Addr::from(octets).to_string());
    four.or_else(|| Some(std::net::Ipv6Addr::from(<[u8; 16]>::try_from(octets).ok()?).to_string()))
}

/// `261121072451Z`, or `20501121072451Z` from 2050 on.
fn time((tag, content): (u8, &[u8])) -> Option<i64> {
    let text = std::str::from_utf8(content).ok()?.strip_suffix('Z')?;
    let long = if tag == UTC_TIME {
        let century = if text.get(..2)?.parse::<u32>().ok()? < 50 { "20" } else { "19" };
        format!("{century}{text}")
    } else {
        text.to_owned()
    };
    let part = |range: std::ops::Range<usize>| long.get(range);
    let (date, clock) = (
        format!("{}-{}-{}", part(0..4)?, part(4..6)?, part(6..8)?),
        format!("{}:{}:{}", part(8..10)?, part(10..12)?, part(12..14)?),
    );
    if long.len() != 14 { None } else { super::rfc3339(&format!("{date}T{clock}Z")) }
}

/// Text of strangers, fit for a terminal.
fn shown(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text.get(..256).unwrap_or(text));
    text.chars().filter(|letter| !letter.is_control()).collect()
}

/// What is left of an encoding of values: tag, length, content, one after the other (X.690).
struct Der<'a>(&'a [u8]);

impl<'a> Der<'a> {
    fn next(&mut self) -> Option<(u8, &'a [u8])> {
        let (&tag, rest) = self.0.split_first()?;
        let (&first, mut rest) = rest.split_first()?;
        let mut length = usize::from(first);
        if first & 0x80 != 0 {
            let octets = usize::from(first & 0x7f);
            // Nothing here is longer than what four octets can say.
            let (digits, behind) = rest.split_at_checked(octets).filter(|_| (1..=4).contains(&octets))?;
            length = digits
                .iter()
                .try_fold(0_usize, |all, &octet| all.checked_mul(256)?.checked_add(usize::from(octet)))?;
            rest = behind;
        }
        let (content, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some((tag, content))
    }

    fn expect(&mut self, tag: u8) -> Option<&'a [u8]> {
        let (found, content) = self.next()?;
        (found == tag).then_some(content)
    }

    /// Passes over a value that need not be there.
    fn skip(&mut self, tag: u8) {
        if self.0.first() == Some(&tag) {
            self.next();
        }
    }
}

#[cfg(test)]
mod tests {
    use rustls::pki_types::{CertificateDer, pem::PemObject as _};

    use super::*;

    fn der(pem: &str) -> Vec<u8> {
        CertificateDer::from_pem_slice(pem.as_bytes()).unwrap().to_vec()
    }

    #[test]
    fn a_certificate_tells_whom_it_is_for_and_until_when() {
        let found = Certificate::read(&der(oci_chart_testkit::Tls::CERTIFICATE)).unwrap();
        assert!(found.names.contains(&"localhost".to_owned()), "{found:?}");
        assert!(found.names.contains(&"127.0.0.1".to_owned()), "{found:?}");
        assert!(found.from < found.until && found.issuer.is_some(), "{found:?}");
        let authority = Certificate::read(&der(oci_chart_testkit::Tls::AUTHORITY)).unwrap();
        assert_eq!(authority.subject, found.issuer);
        assert_eq!(authority.subject, authority.issuer);
    }

    #[test]
    fn times_in_both_forms() {
        for (tag, text, expected) in [
            (UTC_TIME, "700101000000Z", Some(0)),
            (UTC_TIME, "240229235959Z", Some(1_709_251_199)),
            (0x18, "20240229235959Z", Some(1_709_251_199)),
            (0x18, "20500101000000Z", Some(2_524_608_000)),
            (UTC_TIME, "240229235959", None),
            (UTC_TIME, "2402292359Z", None),
            (0x18, "99991231235959Z", Some(253_402_300_799)),
            (0x18, "2024022923595é", None),
            (UTC_TIME, "", None),
        ] {
            assert_eq!(time((tag, text.as_bytes())), expected, "{text}");
        }
    }

    #[test]
    fn no_bytes_are_too_strange() {
        let good = der(oci_chart_testkit::Tls::CERTIFICATE);
        for end in 0..good.len() {
            assert_eq!(Certificate::read(&good[..end]), None, "{end}");
        }
        let mut read = 0;
        for place in 0..good.len() {
            for value in [0, 1, 0x7f, 0x80, 0x84, 0xff] {
                let mut bad = good.clone();
                bad[place] = value;
                read += usize::from(Certificate::read(&bad).is_some());
            }
        }
        assert!(read > 0);
    }
}
