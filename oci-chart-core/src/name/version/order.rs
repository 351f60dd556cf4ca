//! SemVer precedence of pre-release parts (SemVer 2.0, item 11), as Masterminds semver 3.5.0 has it.

use std::cmp::Ordering;

/// Compares two pre-release parts; the empty one, a release, is the greater.
pub(super) fn prerelease(left: &str, right: &str) -> Ordering {
    match (left.is_empty(), right.is_empty()) {
        (true, true) => Ordering::Equal,
        (true, false) => Ordering::Greater,
        (false, true) => Ordering::Less,
        (false, false) => identifiers(left, right),
    }
}

fn identifiers(left: &str, right: &str) -> Ordering {
    let mut right = right.split('.');
    for mine in left.split('.') {
        let Some(theirs) = right.next() else { return Ordering::Greater };
        let order = identifier(mine, theirs);
        if order.is_ne() {
            return order;
        }
    }
    if right.next().is_some() { Ordering::Less } else { Ordering::Equal }
}

fn identifier(left: &str, right: &str) -> Ordering {
    // As in Masterminds, what does not fit 64 bits is a word.
    match (left.parse::<u64>(), right.parse::<u64>()) {
        (Ok(left), Ok(right)) => left.cmp(&right),
        (Ok(_), Err(_)) => Ordering::Less,
        (Err(_), Ok(_)) => Ordering::Greater,
        (Err(_), Err(_)) => left.cmp(right),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_spec_s_own_example_is_in_order() {
        let ascending = ["alpha", "alpha.1", "alpha.beta", "beta", "beta.2", "beta.11", "rc.1", ""];
        for (n, left) in ascending.iter().enumerate() {
            for (m, right) in ascending.iter().enumerate() {
                assert_eq!(prerelease(left, right), n.cmp(&m), "{left} {right}");
            }
        }
    }

    #[test]
    fn numbers_beyond_64_bits_compare_as_words() {
        assert_eq!(prerelease("99999999999999999999", "100000000000000000000"), Ordering::Greater);
        assert_eq!(prerelease("99999999999999999999", "2"), Ordering::Greater);
        assert_eq!(prerelease("18446744073709551615", "2a"), Ordering::Less);
        assert_eq!(prerelease("18446744073709551616", "0a"), Ordering::Greater);
    }
}
