//! gzip files member by member (RFC 1952), with every field of their headers, right and wrong.

use std::io::Write;

use flate2::{Compression, Crc, write::DeflateEncoder};

use crate::support::{
    rng::Rng,
    tarball::{Entry, tar},
};

const HEADER_CHECKSUM: u8 = 1 << 1;
const EXTRA: u8 = 1 << 2;
const NAME: u8 = 1 << 3;
const COMMENT: u8 = 1 << 4;

/// A chart's archive in members, and what is odd about them.
pub(super) fn package(rng: &mut Rng) -> (Vec<String>, Vec<u8>) {
    let chart = Entry::file("foo/Chart.yaml", "apiVersion: v2\nname: foo\nversion: 1.0.0\n");
    let values = Entry::file("foo/values.yaml", vec![b'a'; rng.below(3000)]);
    // Without an end Helm reads on, to the trailers and beyond.
    let data = tar(&[chart, values], if rng.chance(50) { 2 } else { 0 });
    let (mut notes, mut package, mut rest) = (Vec::new(), Vec::new(), &data[..]);
    loop {
        let (part, behind) =
            rest.split_at(if rng.chance(60) { rest.len() } else { rng.below(rest.len() + 1) });
        member(rng, part, &mut notes, &mut package);
        rest = behind;
        if rest.is_empty() {
            break;
        }
    }
    match rng.below(12) {
        0 => package.truncate(rng.below(package.len())),
        1 => package.truncate(package.len() - 1 - rng.below(9)),
        2 => package.extend([0; 3]),
        3 => package.extend(&b"\x1f\x8b\x08\0junk"[..rng.below(9)]),
        _ => return (notes, package),
    }
    notes.push("the end changed".to_owned());
    (notes, package)
}

fn member(rng: &mut Rng, content: &[u8], notes: &mut Vec<String>, out: &mut Vec<u8>) {
    let begin = out.len();
    // Text, and three bits without a meaning.
    let mut flags = if rng.chance(20) { rng.below(256) as u8 & !(NAME | COMMENT) } else { 0 };
    flags |= rng.below(32) as u8 & rng.below(32) as u8;
    out.extend([0x1f, 0x8b, 8, flags]);
    out.extend((0..6).map(|_| rng.below(256) as u8));
    if flags & EXTRA != 0 {
        let length = [0, 1, 40, 600][rng.below(4)];
        out.extend(u16::to_le_bytes(length));
        out.extend((0..length).map(|_| rng.below(256) as u8));
    }
    for flag in [NAME, COMMENT] {
        if flags & flag != 0 {
            // Go holds 512 bytes of it, with the zero at its end.
            let length =
                [0, 5, 200, 510, 511, 512, 513][if rng.chance(70) { rng.below(3) } else { rng.below(7) }];
            out.extend((0..length).map(|_| 1 + rng.below(255) as u8));
            out.push(0);
            notes.push(format!("text of {length}"));
        }
    }
    if flags & HEADER_CHECKSUM != 0 {
        let wrong = u32::from(rng.chance(15)) << rng.below(16);
        out.extend(&(sum(&out[begin..]) ^ wrong).to_le_bytes()[..2]);
        notes.push(format!("header checksum, wrong by {wrong}"));
    }
    let mut deflate = DeflateEncoder::new(&mut *out, Compression::new(rng.below(10) as u32));
    deflate.write_all(content).unwrap();
    deflate.finish().unwrap();
    let wrong = [0, 0, 0, 0, 0, 0, 0, 1, 1 << 40, 1 << 63][rng.below(10)];
    let trailer = u64::from(sum(content)) | (content.len() as u64) << 32;
    out.extend((trailer ^ wrong).to_le_bytes());
    notes.push(format!("flags {flags:#x}, {} bytes, trailer wrong by {wrong}", content.len()));
}

fn sum(bytes: &[u8]) -> u32 {
    let mut crc = Crc::new();
    crc.update(bytes);
    crc.sum()
}
