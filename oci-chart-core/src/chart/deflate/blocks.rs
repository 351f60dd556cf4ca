//! Where one pair of codes ends and the next begins.

use super::{alphabet::END, tokens::Part};

/// What describing a pair of codes takes, in bits: about so much, and for each symbol that occurs.
const CODES: u64 = 300;
const SYMBOL: u64 = 4;

/// Joins neighbours until apart is cheaper everywhere, by what their symbols would take at best.
pub(super) fn join(parts: &mut Vec<Part>) {
    let mut alone: Vec<u64> = parts.iter().map(cost).collect();
    let mut joint: Vec<u64> = parts.windows(2).map(|pair| cost(&sum(&pair[0], &pair[1]))).collect();
    loop {
        let gain = |at: usize| (alone[at] + alone[at + 1]).checked_sub(joint[at]);
        // Of equal gains the last; any would do, but always the same.
        let Some((_, at)) = (0..joint.len()).filter_map(|at| Some((gain(at)?, at))).max() else { return };
        let next = parts.remove(at + 1);
        parts[at] = sum(&parts[at], &next);
        alone.remove(at + 1);
        alone[at] = joint.remove(at);
        for at in at.saturating_sub(1)..=at {
            if let (Some(known), Some(pair)) = (joint.get_mut(at), parts.get(at..at + 2)) {
                *known = cost(&sum(&pair[0], &pair[1]));
            }
        }
    }
}

fn sum(one: &Part, other: &Part) -> Part {
    let mut sum = one.clone();
    sum.tokens += other.tokens;
    sum.bytes += other.bytes;
    sum.literals.iter_mut().zip(&other.literals).for_each(|(sum, count)| *sum += count);
    sum.distances.iter_mut().zip(&other.distances).for_each(|(sum, count)| *sum += count);
    sum
}

/// Bits, without the extra ones, which are the same however parts are joined.
fn cost(part: &Part) -> u64 {
    let mut literals = part.literals;
    literals[END] += 1;
    CODES + entropy(&literals) + entropy(&part.distances)
}

fn entropy(counts: &[u32]) -> u64 {
    let (mut total, mut saved, mut symbols) = (0, 0, 0);
    for &count in counts.iter().filter(|count| **count > 0) {
        total += count;
        saved += u64::from(count) * log2(count);
        symbols += SYMBOL;
    }
    ((u64::from(total) * log2(total.max(1)) - saved) >> FRACTION) + symbols
}

/// Bits behind the point. Whole numbers, since floating ones differ between machines.
const FRACTION: u32 = 12;

/// The logarithm, from below.
fn log2(value: u32) -> u64 {
    let whole = value.ilog2();
    let mantissa = (u64::from(value) << 8 >> whole) as usize % 256;
    (u64::from(whole) << FRACTION) + u64::from(MANTISSAS[mantissa])
}

/// The logarithms of 1 and up to 2, in steps of 1/256.
const MANTISSAS: [u16; 256] = {
    let mut logarithms = [0; 256];
    let mut at = 0;
    while at < 256 {
        // To square a number is to double its logarithm: whenever that passes one, the next bit is set.
        let mut number = (256 + at as u64) << 23;
        let mut bit = 0;
        while bit < FRACTION {
            number = (number * number) >> 31;
            logarithms[at] <<= 1;
            if number >> 32 > 0 {
                number >>= 1;
                logarithms[at] |= 1;
            }
            bit += 1;
        }
        at += 1;
    }
    logarithms
};

#[cfg(test)]
mod tests {
    use super::*;

    fn part(symbols: std::ops::Range<usize>) -> Part {
        let mut part = Part { tokens: 1000, bytes: 1000, ..Part::default() };
        let each = 1000 / symbols.len() as u32;
        symbols.for_each(|symbol| part.literals[symbol] = each);
        part
    }

    #[test]
    fn like_parts_are_joined_and_unlike_ones_are_not() {
        let (letters, others) = (part(97..123), part(160..220));
        let mut parts = vec![letters.clone(), letters.clone(), others.clone(), others, letters];
        join(&mut parts);
        assert_eq!(parts.iter().map(|part| part.bytes).collect::<Vec<_>>(), [2000, 2000, 1000]);
    }

    #[test]
    fn logarithms_are_right_to_the_last_bit() {
        for value in [1, 2, 3, 7, 255, 256, 257, 1000, 65_535, 1 << 20, 294_912] {
            let (ours, exact) = (log2(value) as f64 / 4096.0, f64::from(value).log2());
            assert!(ours <= exact && exact - ours < 0.007, "{value}: {ours} {exact}");
        }
        assert_eq!(log2(1 << 9), 9 << FRACTION);
    }
}
