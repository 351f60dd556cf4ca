//! Deflate's alphabets (RFC 1951, section 3.2.5).

/// The symbol that ends a block.
pub(super) const END: usize = 256;

/// Symbols for literals, the end and lengths.
pub(super) const LITERALS: usize = 286;

/// Symbols for distances.
pub(super) const DISTANCES: usize = 30;

/// The first symbol for a length.
pub(super) const FIRST_LENGTH: usize = 257;

/// What a symbol stands for: `1 << extra` values from `first`, told apart by as many bits behind it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span {
    pub(super) extra: u8,
    pub(super) first: u16,
}

/// By symbol less [`FIRST_LENGTH`].
pub(super) const LENGTH_SPANS: [Span; 29] = {
    let mut spans = spans(3, 8);
    // The longest, which is the most frequent of its span, has a symbol of its own.
    spans[28] = Span { extra: 0, first: 258 };
    spans
};

/// By symbol.
pub(super) const DISTANCE_SPANS: [Span; DISTANCES] = spans(1, 4);

/// The symbol of a length from 3 to 258, less [`FIRST_LENGTH`].
#[inline]
pub(super) fn length_symbol(length: usize) -> usize {
    usize::from(LENGTH_SYMBOLS[length.wrapping_sub(3) % 256])
}

/// The symbol of a distance from 1 to 32,768.
#[inline]
pub(super) fn distance_symbol(distance: usize) -> usize {
    let less = distance.wrapping_sub(1);
    usize::from(if less < 256 { NEAR_SYMBOLS[less] } else { FAR_SYMBOLS[less / 128 % 256] })
}

const LENGTH_SYMBOLS: [u8; 256] = {
    let mut symbols = symbols(&LENGTH_SPANS, 3, 1);
    symbols[255] = 28;
    symbols
};
const NEAR_SYMBOLS: [u8; 256] = symbols(&DISTANCE_SPANS, 1, 1);
/// From 257 on, 128 distances at a time have one symbol.
const FAR_SYMBOLS: [u8; 256] = symbols(&DISTANCE_SPANS, 1, 128);

/// The first `plain` spans hold one value each; then the extra bits grow by one with every `plain / 2`.
const fn spans<const N: usize>(mut first: u16, plain: usize) -> [Span; N] {
    let mut spans = [Span { extra: 0, first: 0 }; N];
    let mut at = 0;
    while at < N {
        let extra = if at < plain { 0 } else { (at / (plain / 2)) as u8 - 1 };
        spans[at] = Span { extra, first };
        first = first.wrapping_add(1 << extra);
        at += 1;
    }
    spans
}

/// The spans of `first`, `first + step`, and so on.
const fn symbols<const N: usize>(spans: &[Span; N], first: u32, step: u32) -> [u8; 256] {
    let mut symbols = [0; 256];
    let mut at = 0;
    let mut span = 0;
    while at < 256 {
        while span + 1 < N && spans[span + 1].first as u32 <= first + at as u32 * step {
            span += 1;
        }
        symbols[at] = span as u8;
        at += 1;
    }
    symbols
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn symbols_are_those_of_the_specification() {
        // Rows of the RFC's two tables.
        for (length, symbol, extra) in [
            (3, 257, 0),
            (10, 264, 0),
            (11, 265, 1),
            (18, 268, 1),
            (67, 277, 4),
            (115, 280, 4),
            (131, 281, 5),
            (257, 284, 5),
            (258, 285, 0),
        ] {
            assert_eq!(FIRST_LENGTH + length_symbol(length), symbol, "{length}");
            assert_eq!(LENGTH_SPANS[symbol - FIRST_LENGTH].extra, extra, "{length}");
        }
        for (distance, symbol, extra) in [
            (1, 0, 0),
            (4, 3, 0),
            (5, 4, 1),
            (256, 15, 6),
            (257, 16, 7),
            (1024, 19, 8),
            (1025, 20, 9),
            (24_577, 29, 13),
        ] {
            assert_eq!(
                (distance_symbol(distance), DISTANCE_SPANS[symbol].extra),
                (symbol, extra),
                "{distance}"
            );
        }
    }

    #[test]
    fn every_value_is_in_its_span() {
        let fits = |value: usize, span: Span| {
            let first = usize::from(span.first);
            (first..first + (1 << span.extra)).contains(&value)
        };
        assert!((3..=258).all(|length| fits(length, LENGTH_SPANS[length_symbol(length)])));
        assert!((1..=32_768).all(|distance| fits(distance, DISTANCE_SPANS[distance_symbol(distance)])));
    }
}
