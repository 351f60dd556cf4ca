//! Earlier places where the coming bytes already stood.

use std::ops::Range;

use super::window::{WINDOW, load4, load8};

/// The longest match of deflate.
pub(super) const LONGEST: usize = 258;

/// How far back a match may reach. Deflate allows one more, but the chain's entry for that byte is the one just overwritten.
const REACH: usize = WINDOW - 1;

/// Three bytes from further back cost more than the literals they replace.
const NEAR: usize = 4 << 10;

/// A table holds a position plus this, so that an empty entry is out of reach at first.
const BIAS: usize = WINDOW;

const TABLE_BITS: u32 = 15;
const THREE_BITS: u32 = 13;

/// The positions seen so far, found by the bytes that stand there.
///
/// Chains are by six bytes: charts are full of runs of four, indentation above all, and a chain of those is long and leads
/// nowhere. For shorter matches the latest place is the best, since nothing counts but its distance.
#[derive(Debug)]
pub(super) struct Finder {
    three: Box<[u16; 1 << THREE_BITS]>,
    four: Box<[u16; 1 << TABLE_BITS]>,
    six: Box<[u16; 1 << TABLE_BITS]>,
    /// By position, modulo the window: how far back the chain of six goes on, which may be out of reach.
    back: Box<[u16; WINDOW]>,
    used: bool,
}

/// Bytes that stand again `distance` further on. Without any, both are zero.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Match {
    pub(super) length: usize,
    pub(super) distance: usize,
}

/// How much a search may cost.
#[derive(Debug, Clone, Copy)]
pub(super) struct Effort {
    /// Links of the chain.
    pub(super) depth: u32,
    /// A length that is not worth beating.
    pub(super) enough: usize,
}

impl Default for Finder {
    fn default() -> Self {
        Self { three: zeros(), four: zeros(), six: zeros(), back: zeros(), used: false }
    }
}

impl Finder {
    /// Forgets everything. Chains begin in the tables, so they need no clearing.
    pub(super) fn clear(&mut self) {
        // New memory is clear, and much of it stays untouched by a small chart.
        if std::mem::replace(&mut self.used, true) {
            self.three.fill(0);
            self.four.fill(0);
            self.six.fill(0);
        }
    }

    /// Remembers positions that nothing is searched for. For three bytes that is not worth its time.
    #[inline]
    pub(super) fn pass(&mut self, bytes: &[u8], positions: Range<usize>) {
        let eights = bytes.get(positions.start..).unwrap_or_default().windows(8);
        for (at, eight) in positions.zip(eights) {
            let here = load8(eight, 0);
            self.enter_four(at, here);
            self.enter_six(at, here);
        }
    }

    /// Remembers the position, and finds the longest match there of more than `least` and at most `most` bytes; of two that are as
    /// long the nearer. `bytes` goes on for [`PAD`](super::window::PAD) bytes behind the last one that a match may cover.
    #[inline]
    pub(super) fn longest(
        &mut self,
        bytes: &[u8],
        at: usize,
        least: usize,
        most: usize,
        effort: Effort,
    ) -> Match {
        let here = load8(bytes, at);
        let (three, four, six) =
            (self.enter_three(at, here), self.enter_four(at, here), self.enter_six(at, here));
        if most < 4 {
            return Match::default();
        }
        let mut best = Match::default();
        if least < 4 {
            best = short(bytes, at, most, four, if least < 3 { three } else { 0 });
        }
        let mut longest = best.length.max(least).max(3);
        if longest >= effort.enough.min(most) {
            return best;
        }
        let reach = REACH.min(at);
        let mut there = at.wrapping_sub(six);
        // Few candidates are longer than the best so far: whether one can be shows where the best ends.
        let mut ends = bytes.get(longest - 3..).unwrap_or_default();
        let mut end = load4(ends, at);
        for _ in 0..effort.depth {
            if !is_within(at.wrapping_sub(there), reach) {
                break;
            }
            if load4(ends, there) == end {
                let length = common(bytes, there, at, most);
                if length > longest {
                    best = Match { length, distance: at - there };
                    longest = length;
                    if length >= effort.enough.min(most) {
                        break;
                    }
                    ends = bytes.get(length - 3..).unwrap_or_default();
                    end = load4(ends, at);
                }
            }
            there = there.wrapping_sub(self.back[there % WINDOW].into());
        }
        best
    }

    #[inline]
    fn enter_three(&mut self, at: usize, here: u64) -> usize {
        enter(&mut self.three[hash(here << 40, THREE_BITS)], at)
    }

    #[inline]
    fn enter_four(&mut self, at: usize, here: u64) -> usize {
        enter(&mut self.four[hash(here << 32, TABLE_BITS)], at)
    }

    #[inline]
    fn enter_six(&mut self, at: usize, here: u64) -> usize {
        let distance = enter(&mut self.six[hash(here << 16, TABLE_BITS)], at);
        self.back[at % WINDOW] = distance as u16;
        distance
    }
}

/// Puts the position into a table's entry, and tells how far back the one before was.
///
/// Positions are kept modulo 2^16, so a distance may be wrong by that: it is a place to look at, and what counts is what stands there.
#[inline]
fn enter(entry: &mut u16, at: usize) -> usize {
    let now = (at + BIAS) as u16;
    usize::from(now.wrapping_sub(std::mem::replace(entry, now)))
}

/// A match at the latest place of the same four bytes, or else of three.
#[inline]
fn short(bytes: &[u8], at: usize, most: usize, four: usize, three: usize) -> Match {
    if is_within(four, REACH.min(at)) && load4(bytes, at - four) == load4(bytes, at) {
        return Match { length: common(bytes, at - four, at, most), distance: four };
    }
    if is_within(three, NEAR.min(at)) && (load4(bytes, at - three) ^ load4(bytes, at)) << 8 == 0 {
        return Match { length: 3, distance: three };
    }
    Match::default()
}

#[inline]
fn is_within(distance: usize, reach: usize) -> bool {
    distance.wrapping_sub(1) < reach
}

/// The upper bits of the number times an odd constant near the golden ratio's share of 2^64.
#[inline]
fn hash(bytes: u64, bits: u32) -> usize {
    (bytes.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (64 - bits)) as usize
}

/// How many bytes are the same at both places, at most `most`.
#[inline]
fn common(bytes: &[u8], there: usize, here: usize, most: usize) -> usize {
    let (there, here) = (bytes.get(there..).unwrap_or_default(), bytes.get(here..).unwrap_or_default());
    let mut length = 0;
    for (a, b) in there.chunks_exact(8).zip(here.chunks_exact(8)) {
        let other = load8(a, 0) ^ load8(b, 0);
        if other != 0 {
            return (length + other.trailing_zeros() as usize / 8).min(most);
        }
        length += 8;
        if length >= most {
            break;
        }
    }
    length.min(most)
}

fn zeros<T: Copy + Default, const N: usize>() -> Box<[T; N]> {
    // By way of the heap: half of these would be much for a thread's stack.
    vec![T::default(); N].try_into().unwrap_or_else(|_| Box::new([T::default(); N]))
}

#[cfg(test)]
mod tests {
    use super::*;

    const EFFORT: Effort = Effort { depth: 100, enough: LONGEST };

    /// The match at the end of `before` for what follows.
    fn found(before: &[u8], following: &[u8]) -> Match {
        let bytes = [before, following, &[0; 8]].concat();
        let mut finder = Finder::default();
        for at in 0..before.len() {
            finder.longest(&bytes, at, 0, LONGEST.min(bytes.len() - 8 - at), EFFORT);
        }
        finder.longest(&bytes, before.len(), 0, following.len().min(LONGEST), EFFORT)
    }

    #[test]
    fn the_longest_is_found_and_of_equals_the_nearest() {
        assert_eq!(found(b"abcdefgh-abcdefg-abcdef", b"abcdefgh"), Match { length: 8, distance: 23 });
        assert_eq!(found(b"abcdefg-abcdefg-", b"abcdefg"), Match { length: 7, distance: 8 });
        assert_eq!(found(b"abcd-abc-", b"abcd"), Match { length: 4, distance: 9 });
        assert_eq!(found(b"abc-", b"abcd"), Match { length: 3, distance: 4 });
        assert_eq!(found(b"ab-", b"abcd"), Match::default());
        assert_eq!(found(b"x", &[b'x'; 300]), Match { length: LONGEST, distance: 1 });
    }

    #[test]
    fn nothing_is_found_beyond_the_window() {
        for (far, length) in [(REACH, 8), (REACH + 1, 0)] {
            let mut before = b"abcdefgh".to_vec();
            before.resize(far, b'-');
            assert_eq!(found(&before, b"abcdefgh").length, length, "{far}");
        }
        let mut before = b"abc".to_vec();
        before.resize(NEAR + 1, b'-');
        assert_eq!(found(&before, b"abcd").length, 0);
    }

    #[test]
    fn the_end_of_the_input_ends_a_match() {
        assert_eq!(found(b"aaaaaaaaaaaa", b"aaaaa").length, 5);
        assert_eq!(found(b"\0\0\0\0\0\0\0\0\0\0\0\0", b"\0\0\0\0").length, 4);
    }
}
