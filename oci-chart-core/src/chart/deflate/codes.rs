//! Prefix codes: how long each symbol's is, and what it is.

/// The lengths of an optimal code for symbols that occur so often, with none above `limit`. A symbol that does not occur has none.
///
/// Equal counts go by symbol, so the same counts always give the same code.
pub(super) fn lengths<const N: usize>(counts: &[u32; N], limit: usize) -> [u8; N] {
    let mut lengths = [0; N];
    let mut rare_first: [(u32, u16); N] = [(0, 0); N];
    let mut used = 0;
    for (symbol, &count) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
        rare_first[used] = (count, symbol as u16);
        used += 1;
    }
    let rare_first = &mut rare_first[..used];
    rare_first.sort_unstable();
    let mut symbols = rare_first.iter().map(|&(_, symbol)| usize::from(symbol));
    let leaves = leaves(rare_first, limit);
    for length in (1..=limit).rev() {
        for symbol in symbols.by_ref().take(leaves[length]) {
            lengths[symbol] = length as u8;
        }
    }
    lengths
}

/// The codes of these lengths (RFC 1951, section 3.2.2), each with its first bit lowest, as it is written.
pub(super) fn codes<const N: usize>(lengths: &[u8; N]) -> [u16; N] {
    let mut next = [0u16; 17];
    for &length in lengths.iter().filter(|length| **length > 0) {
        next[usize::from(length % 16) + 1] += 1;
    }
    for length in 1..17 {
        next[length] = next[length].wrapping_add(next[length - 1]) << 1;
    }
    let mut codes = [0; N];
    for (code, &length) in codes.iter_mut().zip(lengths).filter(|(_, length)| **length > 0) {
        let next = &mut next[usize::from(length % 16)];
        *code = next.reverse_bits() >> (16 - length % 16);
        *next = next.wrapping_add(1);
    }
    codes
}

/// How many codes there are of each length, for counts in rising order.
fn leaves(rising: &[(u32, u16)], limit: usize) -> [usize; 16] {
    let mut leaves = [0; 16];
    if let [_] = rising {
        // Half a code, which deflate allows.
        leaves[1] = 1;
        return leaves;
    }
    for depth in depths(rising) {
        leaves[depth.min(limit)] += 1;
    }
    // What had to come up to the limit takes too much room: a leaf higher up, as deep as can be, makes way for one of them beside it.
    let room = 1usize << limit;
    let mut taken: usize = (1..=limit).map(|depth| leaves[depth] << (limit - depth)).sum();
    while taken > room {
        let Some(above) = (1..limit).rev().find(|depth| leaves[*depth] > 0) else { break };
        leaves[above] -= 1;
        leaves[above + 1] += 2;
        leaves[limit] -= 1;
        taken -= 1;
    }
    leaves
}

/// How deep each leaf of Huffman's tree is. Nodes come to be in the order of their weights, so two queues do for a heap.
fn depths(rising: &[(u32, u16)]) -> Vec<usize> {
    let count = rising.len();
    // Leaves first, then inner nodes as they come; for each the node above it.
    let mut above = vec![0; (2 * count).saturating_sub(1)];
    let mut weights: Vec<u64> = Vec::with_capacity(count);
    let mut leaf = 0;
    let mut inner = 0;
    for node in count..above.len() {
        let mut sum = 0;
        for _ in 0..2 {
            let (light, heavy) =
                (rising.get(leaf).map(|leaf| u64::from(leaf.0)), weights.get(inner).copied());
            // A leaf where both weigh the same: that keeps the tree flat.
            if heavy.is_none_or(|heavy| light.is_some_and(|light| light <= heavy)) {
                sum += light.unwrap_or_default();
                above[leaf] = node;
                leaf += 1;
            } else {
                sum += heavy.unwrap_or_default();
                above[count + inner] = node;
                inner += 1;
            }
        }
        weights.push(sum);
    }
    // From the root down, each place takes its depth: what is above it comes behind it.
    for node in (0..above.len()).rev() {
        above[node] = if above[node] == 0 { 0 } else { above[above[node]] + 1 };
    }
    above.truncate(count);
    above
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cost<const N: usize>(counts: &[u32; N], limit: usize) -> u64 {
        let lengths = lengths(counts, limit);
        assert!(lengths.iter().zip(counts).all(|(length, count)| (*length > 0) == (*count > 0)));
        assert!(lengths.iter().all(|length| usize::from(*length) <= limit));
        // Kraft: the code is complete.
        let taken: usize =
            lengths.iter().filter(|length| **length > 0).map(|length| (1 << limit) >> length).sum();
        assert_eq!(taken, 1 << limit);
        counts.iter().zip(lengths).map(|(count, length)| u64::from(*count) * u64::from(length)).sum()
    }

    #[test]
    fn a_code_is_complete_and_optimal() {
        assert_eq!(lengths(&[5, 0, 1, 1, 2], 15), [1, 0, 3, 3, 2]);
        assert_eq!(cost(&[1; 19], 7), 19 * 4 + 3 * 2);
        assert_eq!(lengths(&[0, 7, 0], 15), [0, 1, 0]);
        assert_eq!(lengths(&[0; 3], 15), [0; 3]);
    }

    #[test]
    fn no_code_is_longer_than_the_limit() {
        // Fibonacci's numbers make the deepest tree.
        let mut counts = [1u32; 30];
        for at in 2..30 {
            counts[at] = counts[at - 1] + counts[at - 2];
        }
        let free = cost(&counts, 15);
        assert!(free <= cost(&counts, 10) && cost(&counts, 10) <= cost(&counts, 5));
    }

    #[test]
    fn codes_are_those_of_the_specification() {
        // The example of RFC 1951, section 3.2.2, its bits the other way round.
        let codes = codes(&[3, 3, 3, 3, 3, 2, 4, 4]);
        let reversed = [0b010, 0b110, 0b001, 0b101, 0b011, 0b00, 0b0111, 0b1111];
        assert_eq!(codes, reversed);
    }
}
