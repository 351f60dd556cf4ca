//! The packets of an OpenPGP stream (RFC 9580, section 4), cut out without a look inside, and what has to be known of a signature before
//! it is parsed.

/// Packet types that matter here.
pub(super) mod tag {
    pub(in super::super) const SIGNATURE: u8 = 2;
    pub(in super::super) const SECRET_KEY: u8 = 5;
    pub(in super::super) const PUBLIC_KEY: u8 = 6;
    pub(in super::super) const SECRET_SUBKEY: u8 = 7;
    pub(in super::super) const USER_ID: u8 = 13;
    pub(in super::super) const PUBLIC_SUBKEY: u8 = 14;
    pub(in super::super) const USER_ATTRIBUTE: u8 = 17;
}

/// One packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Packet<'a> {
    pub(super) tag: u8,
    pub(super) body: &'a [u8],
}

/// The stream is broken at this byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Broken {
    pub(super) offset: usize,
}

/// Reads packets one after the other. Keys and signatures come whole: a packet in pieces or without an end is broken.
#[derive(Debug, Clone)]
pub(super) struct Packets<'a> {
    bytes: &'a [u8],
    offset: usize,
}

impl<'a> Packets<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, offset: 0 }
    }

    fn packet(&self, rest: &'a [u8]) -> Option<(Packet<'a>, usize)> {
        let (first, behind) = rest.split_first()?;
        let (tag, length, header) = match first {
            0xc0.. => {
                let (length, bytes) = new_length(behind)?;
                (first & 0x3f, length, 1 + bytes)
            }
            0x80.. => {
                let bytes = match first & 3 {
                    0 => 1,
                    1 => 2,
                    2 => 4,
                    _ => return None,
                };
                let length =
                    behind.get(..bytes)?.iter().fold(0_usize, |sum, byte| (sum << 8) | usize::from(*byte));
                ((first >> 2) & 0x0f, length, 1 + bytes)
            }
            _ => return None,
        };
        let end = header.checked_add(length)?;
        Some((Packet { tag, body: rest.get(header..end)? }, end))
    }
}

impl<'a> Iterator for Packets<'a> {
    type Item = Result<Packet<'a>, Broken>;

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.bytes.get(self.offset..).filter(|rest| !rest.is_empty())?;
        let Some((packet, length)) = self.packet(rest) else {
            let offset = self.offset;
            self.offset = self.bytes.len();
            return Some(Err(Broken { offset }));
        };
        self.offset += length;
        Some(Ok(packet))
    }
}

/// A length of the new format, and how many bytes it takes.
fn new_length(bytes: &[u8]) -> Option<(usize, usize)> {
    match bytes {
        [one @ 0..192, ..] => Some((usize::from(*one), 1)),
        [one @ 192..224, two, ..] => Some((((usize::from(*one) - 192) << 8) + usize::from(*two) + 192, 2)),
        [255, rest @ ..] => {
            let bytes: [u8; 4] = rest.get(..4)?.try_into().ok()?;
            Some((usize::try_from(u32::from_be_bytes(bytes)).ok()?, 5))
        }
        _ => None,
    }
}

/// The longest signature packet that is parsed. Both subpacket areas together have at most 128 KiB in version 4.
const LONGEST_SIGNATURE: usize = 160 << 10;

/// Whether the body of a signature packet can be parsed: a signature may hold another one, but that holds none, so that its reader
/// does not descend as deep as a stranger likes.
pub(super) fn is_flat(signature: &[u8]) -> bool {
    signature.len() <= LONGEST_SIGNATURE
        && embedded(signature).is_some_and(|inner| {
            inner.iter().all(|inner| embedded(inner).is_some_and(|deeper| deeper.is_empty()))
        })
}

/// The type of a signature, read off its first bytes; also of one that cannot be parsed.
pub(super) fn signature_type(signature: &[u8]) -> Option<u8> {
    match signature {
        [2 | 3, _, kind, ..] | [4..=255, kind, ..] => Some(*kind),
        _ => None,
    }
}

/// The signatures inside a signature; `None` where its subpackets cannot be told apart.
fn embedded(signature: &[u8]) -> Option<Vec<&[u8]>> {
    let (width, mut rest) = match signature.first()? {
        4 => (2, signature.get(4..)?),
        6 => (4, signature.get(4..)?),
        // Older ones have no subpackets, newer ones are not parsed.
        _ => return Some(Vec::new()),
    };
    let mut found = Vec::new();
    for _ in 0..2 {
        let length = rest.get(..width)?.iter().fold(0_usize, |sum, byte| (sum << 8) | usize::from(*byte));
        let mut area = rest.get(width..width.checked_add(length)?)?;
        rest = rest.get(width + length..)?;
        while !area.is_empty() {
            let (length, bytes) = subpacket_length(area)?;
            let body = area.get(bytes..bytes.checked_add(length)?)?;
            let (kind, inner) = body.split_first()?;
            if kind & 0x7f == EMBEDDED_SIGNATURE {
                found.push(inner);
            }
            area = area.get(bytes + length..)?;
        }
    }
    Some(found)
}

const EMBEDDED_SIGNATURE: u8 = 32;

fn subpacket_length(bytes: &[u8]) -> Option<(usize, usize)> {
    match bytes {
        [one @ 192..=254, two, ..] => Some((((usize::from(*one) - 192) << 8) + usize::from(*two) + 192, 2)),
        _ => new_length(bytes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(bytes: &[u8]) -> Vec<Result<(u8, usize), usize>> {
        Packets::new(bytes)
            .map(|packet| packet.map(|p| (p.tag, p.body.len())).map_err(|b| b.offset))
            .collect()
    }

    #[test]
    fn packets_of_both_formats() {
        let long = [&[0xcd, 192, 8][..], &[0; 200]].concat();
        assert_eq!(all(&long), [Ok((13, 200))]);
        assert_eq!(all(&[0xb4, 1, 7, 0x99, 0, 2, 1, 2, 0xc2, 0]), [Ok((13, 1)), Ok((6, 2)), Ok((2, 0))]);
        assert_eq!(all(&[0xcd, 255, 0, 0, 0, 1, 9]), [Ok((13, 1))]);
        assert_eq!(all(&[0x8a, 0, 0, 0, 1, 9]), [Ok((2, 1))]);
        assert_eq!(all(&[]), []);
    }

    #[test]
    fn broken_streams_end_where_they_break() {
        for bytes in [
            &[0xb4, 2, 7][..],
            &[0xb7, 1],
            &[0xcd, 224, 1],
            &[0x7f],
            &[0xcd, 255, 255, 255, 255, 255],
            &[0x99, 1],
        ] {
            assert_eq!(all(&[&[0xb4, 0], bytes].concat()), [Ok((13, 0)), Err(2)], "{bytes:?}");
        }
    }

    fn signature(hashed: &[u8], unhashed: &[u8]) -> Vec<u8> {
        let length = |area: &[u8]| u16::try_from(area.len()).unwrap().to_be_bytes();
        [&[4, 1, 22, 8], &length(hashed)[..], hashed, &length(unhashed), unhashed, &[0; 8]].concat()
    }

    fn inside(inner: &[u8]) -> Vec<u8> {
        let length = u8::try_from(inner.len() + 1).unwrap();
        assert!(length < 192);
        [&[length, 0x80 | EMBEDDED_SIGNATURE], inner].concat()
    }

    #[test]
    fn signatures_do_not_nest() {
        let plain = signature(&[5, 2, 0, 0, 0, 0], &[]);
        let one = signature(&[], &inside(&plain));
        let two = signature(&inside(&one), &[]);
        assert!(is_flat(&plain) && is_flat(&one) && !is_flat(&two));
        assert!(is_flat(&[3, 5, 0]), "without subpackets");
        for broken in [
            &[][..],
            &[4, 1, 1, 1, 0, 9],
            &signature(&[9, 2], &[]),
            &signature(&[0], &[]),
            &vec![5; 200 << 10],
        ] {
            assert!(!is_flat(broken), "{broken:?}");
        }
    }
}
