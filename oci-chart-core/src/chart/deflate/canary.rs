use std::sync::OnceLock;

use super::block::deflate;
use crate::{
    digest::Digest,
    error::{Error, ErrorKind, Reason, Result},
};

/// What [`probe`] compresses to.
const EXPECTED: &str = "sha256:f899afa44d77a072126769e833a46b0c43f5efc7c1e0058204ab56fa18216079";

/// flate2's backend is one for the whole program: any crate that enables another one switches ours. Its packages would load
/// everywhere, but have other digests, so that is an error. Looked at once per process.
pub(super) fn check() -> Result<()> {
    static FAMILIAR: OnceLock<bool> = OnceLock::new();
    if *FAMILIAR.get_or_init(|| probe().is_some_and(|digest| digest.to_string() == EXPECTED)) {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Unsupported, "this program's deflate makes other bytes than oci-chart's packages have")
        .with_reason(Reason::ForeignDeflate)
        .with_hint("another crate enables a C backend of flate2 (`cargo tree -e features -i flate2`): only zlib-rs gives the same package everywhere"))
}

/// The digest of a small text, compressed as a block is. A compressor's memory is most of what this costs, so there is one.
fn probe() -> Option<Digest> {
    let mut text = [0; 4096];
    fill(&mut text);
    let (prime, rest) = text.split_at(1024);
    // glibc gives large memory back at once until as much has come and gone before; so the chart's own compressor finds this
    // one's, and the system need not clear it again: a tenth of what packaging a small chart costs.
    drop(std::hint::black_box(Vec::<u8>::with_capacity(400 << 10)));
    Some(Digest::of(deflate(prime, rest, true, &mut Vec::new()).ok()?))
}

/// Short and long repetitions at all distances, so that every choice a compressor has is met.
fn fill(text: &mut [u8; 4096]) {
    let mut state = 7u32;
    let mut at = 0;
    while at < text.len() {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let (length, distance) = ((state >> 28) as usize, (state >> 12) as usize & 0x7ff);
        for _ in 0..=length {
            if at == text.len() {
                return;
            }
            text[at] = if distance < at && length > 1 {
                text[at - distance - 1]
            } else {
                b'a' + (state >> 27) as u8
            };
            at += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_deflate_of_this_build_is_ours() {
        assert_eq!(probe().unwrap().to_string(), EXPECTED);
    }
}
