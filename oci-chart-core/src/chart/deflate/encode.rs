//! Tokens as deflate's blocks (RFC 1951, section 3.2.3).

use super::{
    alphabet::{
        DISTANCE_SPANS, DISTANCES, END, FIRST_LENGTH, LENGTH_SPANS, LITERALS, distance_symbol, length_symbol,
    },
    bits::Bits,
    codes,
    header::Header,
    tokens::{Part, Token},
};

/// The longest code of a literal, length or distance.
const LIMIT: usize = 15;

/// The most bytes of a stored block.
const STORED: usize = 65_535;

/// The fixed code has two symbols more, which never occur.
const FIXED: usize = LITERALS + 2;

/// The tokens of `part`, which stand for `input`, in whichever form is the shortest.
pub(super) fn encode(bits: &mut Bits<'_>, part: &Part, tokens: &[Token], input: &[u8], last: bool) {
    let mut counts = part.literals;
    counts[END] += 1;
    let (literals, distances) = (codes::lengths(&counts, LIMIT), codes::lengths(&part.distances, LIMIT));
    let header = Header::new(&literals, &distances);
    let own = header.bits() + size(&counts, &literals) + size(&part.distances, &distances);
    let fixed = size(&counts, &FIXED_LITERALS) + size(&part.distances, &FIXED_DISTANCES);
    if stored_size(bits, input.len()) <= own.min(fixed) + extra(part) {
        return store_all(bits, input, last);
    }
    bits.put(last.into(), 1);
    if fixed <= own {
        bits.put(1, 2);
        Codes::new(&FIXED_LITERALS, &FIXED_DISTANCES).write(bits, tokens);
    } else {
        bits.put(2, 2);
        header.write(bits);
        Codes::new(&literals, &distances).write(bits, tokens);
    }
}

/// A block of bytes as they are, at most [`STORED`]. An empty one ends on a byte's boundary what is to be continued.
pub(super) fn store(bits: &mut Bits<'_>, input: &[u8], last: bool) {
    let length = input.len() as u16;
    bits.put(last.into(), 3);
    bits.put_bytes(&length.to_le_bytes());
    bits.put_bytes(&(!length).to_le_bytes());
    bits.put_bytes(input);
}

fn store_all(bits: &mut Bits<'_>, input: &[u8], last: bool) {
    let mut pieces = input.chunks(STORED).peekable();
    while let Some(piece) = pieces.next() {
        store(bits, piece, last && pieces.peek().is_none());
    }
}

/// Bits that [`store_all`] takes. Only the first block begins within a byte.
fn stored_size(bits: &Bits<'_>, bytes: usize) -> u64 {
    match bytes.div_ceil(STORED) as u64 {
        // Nothing can only be written as codes.
        0 => u64::MAX,
        blocks => 3 + u64::from((bits.short_of_a_byte() + 5) % 8) + 32 + (blocks - 1) * 40 + 8 * bytes as u64,
    }
}

fn size<const N: usize, const M: usize>(counts: &[u32; N], lengths: &[u8; M]) -> u64 {
    counts.iter().zip(lengths).map(|(&count, &length)| u64::from(count) * u64::from(length)).sum()
}

fn extra(part: &Part) -> u64 {
    let (_, lengths) = part.literals.split_at(FIRST_LENGTH);
    let lengths = lengths.iter().zip(&LENGTH_SPANS);
    let distances = part.distances.iter().zip(&DISTANCE_SPANS);
    lengths.chain(distances).map(|(&count, span)| u64::from(count) * u64::from(span.extra)).sum()
}

const FIXED_DISTANCES: [u8; DISTANCES] = [5; DISTANCES];
const FIXED_LITERALS: [u8; FIXED] = {
    let mut lengths = [8; FIXED];
    let mut symbol = 144;
    while symbol < 280 {
        lengths[symbol] = if symbol < 256 { 9 } else { 7 };
        symbol += 1;
    }
    lengths
};

/// What is written for each literal, length and distance: the code, and behind it for lengths the extra bits.
struct Codes {
    literals: [Code; 256],
    lengths: [Code; 256],
    distances: [(Code, u16); DISTANCES],
    end: Code,
}

#[derive(Clone, Copy)]
struct Code {
    bits: u32,
    count: u8,
}

impl Codes {
    fn new<const N: usize>(literals: &[u8; N], distances: &[u8; DISTANCES]) -> Self {
        let (codes, far) = (codes::codes(literals), codes::codes(distances));
        let code = |symbol: usize| match (codes.get(symbol), literals.get(symbol)) {
            (Some(&bits), Some(&count)) => Code { bits: bits.into(), count },
            _ => Code { bits: 0, count: 0 },
        };
        Self {
            literals: std::array::from_fn(code),
            lengths: std::array::from_fn(|less| {
                let symbol = length_symbol(less + 3);
                let (Code { bits, count }, span) = (code(FIRST_LENGTH + symbol), LENGTH_SPANS[symbol]);
                let extra = less as u32 + 3 - u32::from(span.first);
                Code { bits: bits | extra << count, count: count + span.extra }
            }),
            distances: std::array::from_fn(|symbol| {
                let code = Code { bits: far[symbol].into(), count: distances[symbol] };
                (code, DISTANCE_SPANS[symbol].first)
            }),
            end: code(END),
        }
    }

    fn write(&self, bits: &mut Bits<'_>, tokens: &[Token]) {
        for token in tokens {
            let (length, value) = (token.length(), token.value());
            if length == 0 {
                put(bits, self.literals[usize::from(value % 256)]);
            } else {
                put(bits, self.lengths[(length - 3) % 256]);
                let symbol = distance_symbol(value.into());
                let (code, first) = self.distances[symbol];
                let extra = u32::from(value - first) << code.count;
                put(bits, Code { bits: code.bits | extra, count: code.count + DISTANCE_SPANS[symbol].extra });
            }
        }
        put(bits, self.end);
    }
}

#[inline]
fn put(bits: &mut Bits<'_>, code: Code) {
    bits.put(code.bits, code.count.into());
}
