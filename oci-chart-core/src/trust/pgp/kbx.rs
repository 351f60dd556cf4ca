//! GnuPG's key box (`pubring.kbx`), read only: the OpenPGP keys in it (GnuPG 2.2, `kbx/keybox-blob.c`, describes the form).

/// Why a key box cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Broken {
    /// Where the record begins.
    pub(super) offset: usize,
}

/// Whether `bytes` begin as a key box does.
pub(super) fn is_key_box(bytes: &[u8]) -> bool {
    bytes.get(4) == Some(&HEADER) && bytes.get(8..12) == Some(b"KBXf")
}

/// The key blocks of the OpenPGP records, each a stream of packets. Certificates of other kinds and empty records are passed over.
pub(super) fn key_blocks(bytes: &[u8]) -> Result<Vec<&[u8]>, Broken> {
    let mut blocks = Vec::new();
    let mut offset = 0;
    while let Some(rest) = bytes.get(offset..).filter(|rest| !rest.is_empty()) {
        let record = record(rest).ok_or(Broken { offset })?;
        if let [_, _, _, _, OPENPGP, _, flags @ ..] = record
            && number(flags, 0, 2).is_some_and(|flags| flags & EPHEMERAL == 0)
        {
            blocks.push(key_block(record).ok_or(Broken { offset })?);
        }
        offset += record.len();
    }
    Ok(blocks)
}

const HEADER: u8 = 1;
const OPENPGP: u8 = 2;
/// Kept for a short time only, and not part of the ring.
const EPHEMERAL: usize = 2;

/// A record with its length in front.
fn record(rest: &[u8]) -> Option<&[u8]> {
    let length = number(rest, 0, 4).filter(|length| *length >= 5)?;
    rest.get(..length)
}

fn key_block(record: &[u8]) -> Option<&[u8]> {
    let (start, length) = (number(record, 8, 4)?, number(record, 12, 4)?);
    record.get(start..start.checked_add(length)?)
}

fn number(bytes: &[u8], at: usize, width: usize) -> Option<usize> {
    let bytes = bytes.get(at..at + width)?;
    Some(bytes.iter().fold(0, |sum, byte| (sum << 8) | usize::from(*byte)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head() -> Vec<u8> {
        [&[0, 0, 0, 32, HEADER, 1, 0, 2][..], b"KBXf", &[0; 20]].concat()
    }

    fn entry(kind: u8, flags: u8, start: u8, length: u8) -> Vec<u8> {
        let block = b"keys";
        [&[0, 0, 0, 20, kind, 1, 0, flags, 0, 0, 0, start, 0, 0, 0, length][..], block].concat()
    }

    #[test]
    fn keys_are_found_between_other_records() {
        let bytes = [
            head(),
            entry(OPENPGP, 0, 16, 4),
            entry(3, 0, 99, 99),
            entry(OPENPGP, 2, 16, 4),
            vec![0, 0, 0, 6, 0, 0],
            entry(OPENPGP, 1, 17, 2),
        ];
        let bytes = bytes.concat();
        assert!(is_key_box(&bytes));
        assert_eq!(key_blocks(&bytes), Ok(vec![&b"keys"[..], b"ey"]));
    }

    #[test]
    fn broken_records_are_named() {
        for bad in [
            entry(OPENPGP, 0, 17, 4),
            entry(OPENPGP, 0, 255, 255),
            vec![0, 0, 0, 10, OPENPGP, 1, 0, 0, 0, 0],
            vec![0, 0, 0, 4],
            vec![255, 255, 255, 255, OPENPGP],
            vec![0],
        ] {
            assert_eq!(key_blocks(&[head(), bad.clone()].concat()), Err(Broken { offset: 32 }), "{bad:?}");
        }
        assert!(!is_key_box(b"KBXf") && !is_key_box(&[]));
    }
}
