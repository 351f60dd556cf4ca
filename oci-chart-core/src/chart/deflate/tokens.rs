//! Input as literals and matches.

use super::{
    alphabet::{DISTANCES, FIRST_LENGTH, LITERALS, distance_symbol, length_symbol},
    matches::{Effort, Finder, LONGEST, Match},
};

/// Found by trying: with less the packages of the corpus are larger than Go's gzip makes them.
const EFFORT: Effort = Effort { depth: 28, enough: 110 };

/// Once a match is found: how hard to look for a better one at the next bytes, and how many bits better it must be.
const LOOKS: [(Effort, u32); 2] = [(Effort { depth: 14, ..EFFORT }, 2), (Effort { depth: 7, ..EFFORT }, 6)];

/// Tokens of a [`Part`]: few enough to see where the input changes its character, many enough to have one.
const PART: usize = 1024;

/// A literal, or a match.
#[derive(Debug, Clone, Copy)]
pub(super) struct Token(u32);

impl Token {
    fn literal(byte: u8) -> Self {
        Self(byte.into())
    }

    fn matching(found: Match) -> Self {
        // A length needs 9 bits and a distance 16.
        Self((found.length as u32) << 16 | found.distance as u32)
    }

    /// Zero for a literal.
    #[inline]
    pub(super) fn length(self) -> usize {
        (self.0 >> 16) as usize
    }

    /// A match's distance, or the literal.
    #[inline]
    pub(super) fn value(self) -> u16 {
        self.0 as u16
    }
}

/// Tokens in a row: how many, for how many bytes, and how often each symbol is among them.
#[derive(Debug, Clone)]
pub(super) struct Part {
    pub(super) tokens: usize,
    pub(super) bytes: usize,
    pub(super) literals: [u32; LITERALS],
    pub(super) distances: [u32; DISTANCES],
}

impl Default for Part {
    fn default() -> Self {
        Self { tokens: 0, bytes: 0, literals: [0; LITERALS], distances: [0; DISTANCES] }
    }
}

/// All tokens of an input, in parts.
#[derive(Debug, Default)]
pub(super) struct Tokens {
    pub(super) all: Vec<Token>,
    pub(super) parts: Vec<Part>,
    open: Part,
}

impl Tokens {
    /// Takes `bytes[from..end]` apart, with matches that may reach back before `from`.
    pub(super) fn parse(&mut self, finder: &mut Finder, bytes: &[u8], from: usize, end: usize) {
        self.all.clear();
        self.parts.clear();
        finder.clear();
        finder.pass(bytes, 0..from);
        let mut at = from;
        while at < end {
            at = self.next(finder, bytes, at, end);
        }
        self.parts.push(std::mem::take(&mut self.open));
    }

    /// A literal; or a match, perhaps behind literals, where one further on was better. Returns where it ends.
    #[inline]
    fn next(&mut self, finder: &mut Finder, bytes: &[u8], mut at: usize, end: usize) -> usize {
        let mut found = finder.longest(bytes, at, 0, LONGEST.min(end - at), EFFORT);
        if found.length == 0 {
            self.literal(bytes[at]);
            return at + 1;
        }
        let mut ahead = 1;
        while let Some((effort, price)) = LOOKS.get(ahead - 1)
            && found.length < EFFORT.enough
            && at + ahead < end
        {
            let most = LONGEST.min(end - at - ahead);
            let later = finder.longest(bytes, at + ahead, found.length - 1, most, *effort);
            if is_better(later, found, *price) {
                bytes[at..at + ahead].iter().for_each(|byte| self.literal(*byte));
                (at, found, ahead) = (at + ahead, later, 1);
            } else {
                ahead += 1;
            }
        }
        finder.pass(bytes, at + ahead..at + found.length);
        self.matching(found);
        at + found.length
    }

    #[inline]
    fn literal(&mut self, byte: u8) {
        self.open.literals[usize::from(byte)] += 1;
        self.push(Token::literal(byte), 1);
    }

    #[inline]
    fn matching(&mut self, found: Match) {
        self.open.literals[FIRST_LENGTH + length_symbol(found.length)] += 1;
        self.open.distances[distance_symbol(found.distance)] += 1;
        self.push(Token::matching(found), found.length);
    }

    #[inline]
    fn push(&mut self, token: Token, bytes: usize) {
        self.all.push(token);
        self.open.tokens += 1;
        self.open.bytes += bytes;
        if self.open.tokens == PART {
            self.parts.push(std::mem::take(&mut self.open));
        }
    }
}

/// Whether a match further on is worth the literals before it: each byte of it saves some four bits, and each doubling of its distance costs one.
#[inline]
fn is_better(later: Match, found: Match, price: u32) -> bool {
    later.length >= found.length
        && 4 * (later.length - found.length) as u32 + log2(found.distance) > log2(later.distance) + price
}

#[inline]
fn log2(distance: usize) -> u32 {
    distance.checked_ilog2().unwrap_or_default()
}
