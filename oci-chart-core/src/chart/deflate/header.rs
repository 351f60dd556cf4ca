//! How a block describes its codes (RFC 1951, section 3.2.7).

use super::{
    alphabet::{DISTANCES, FIRST_LENGTH, LITERALS},
    bits::Bits,
    codes,
};

/// The order in which the lengths of the lengths' code stand, the rarest last.
const ORDER: [usize; 19] = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

/// The longest code of a length.
const LIMIT: usize = 7;

/// The last length once more, three to six times; zeros, three to ten and eleven to 138.
const AGAIN: u8 = 16;
const ZEROS: u8 = 17;
const MANY_ZEROS: u8 = 18;

/// Lengths of codes as they are written: in runs, in a code of their own.
#[derive(Debug)]
pub(super) struct Header {
    literals: usize,
    distances: usize,
    /// Each with its extra bits.
    runs: Vec<(u8, u8)>,
    lengths: [u8; 19],
    /// How many of them are written.
    kept: usize,
}

impl Header {
    pub(super) fn new(literals: &[u8; LITERALS], distances: &[u8; DISTANCES]) -> Self {
        let (literals, distances) = (used(literals, FIRST_LENGTH), used(distances, 1));
        let runs = runs(&[literals, distances].concat());
        let mut counts = [0; 19];
        runs.iter().for_each(|&(symbol, _)| counts[usize::from(symbol)] += 1);
        let lengths = codes::lengths(&counts, LIMIT);
        let kept = used(&ORDER.map(|symbol| lengths[symbol]), 4).len();
        Self { literals: literals.len(), distances: distances.len(), runs, lengths, kept }
    }

    /// How many [`Header::write`] writes.
    pub(super) fn bits(&self) -> u64 {
        let run =
            |&(symbol, _): &(u8, u8)| u64::from(self.lengths[usize::from(symbol)]) + u64::from(extra(symbol));
        14 + 3 * self.kept as u64 + self.runs.iter().map(run).sum::<u64>()
    }

    pub(super) fn write(&self, bits: &mut Bits<'_>) {
        bits.put((self.literals - FIRST_LENGTH) as u32, 5);
        bits.put(self.distances as u32 - 1, 5);
        bits.put(self.kept as u32 - 4, 4);
        for &symbol in &ORDER[..self.kept] {
            bits.put(self.lengths[symbol].into(), 3);
        }
        let codes = codes::codes(&self.lengths);
        for &(symbol, rest) in &self.runs {
            bits.put(codes[usize::from(symbol)].into(), self.lengths[usize::from(symbol)].into());
            bits.put(rest.into(), extra(symbol));
        }
    }
}

/// Without the zeros at the end, but not fewer than `least`.
fn used(lengths: &[u8], least: usize) -> &[u8] {
    let used = lengths.iter().rposition(|length| *length > 0).map_or(0, |last| last + 1);
    &lengths[..used.max(least)]
}

fn runs(lengths: &[u8]) -> Vec<(u8, u8)> {
    let mut runs = Vec::with_capacity(lengths.len());
    for run in lengths.chunk_by(|one, other| one == other) {
        let mut rest = run;
        if run[0] == 0 {
            rest = shortened(rest, MANY_ZEROS, 11, 138, &mut runs);
            rest = shortened(rest, ZEROS, 3, 10, &mut runs);
        } else {
            runs.push((run[0], 0));
            rest = shortened(&rest[1..], AGAIN, 3, 6, &mut runs);
        }
        runs.extend(rest.iter().map(|&length| (length, 0)));
    }
    runs
}

/// Writes as much of a run as there are `least` left with a symbol that stands for up to `most`, and returns what is left.
fn shortened<'a>(
    mut run: &'a [u8],
    symbol: u8,
    least: usize,
    most: usize,
    runs: &mut Vec<(u8, u8)>,
) -> &'a [u8] {
    while run.len() >= least {
        let (taken, rest) = run.split_at(most.min(run.len()));
        runs.push((symbol, (taken.len() - least) as u8));
        run = rest;
    }
    run
}

fn extra(symbol: u8) -> u32 {
    match symbol {
        AGAIN => 2,
        ZEROS => 3,
        MANY_ZEROS => 7,
        _ => 0,
    }
}
