//! Key order: go-yaml's natural sort.

use std::cmp::Ordering;

use super::letters::{is_digit, is_letter};

/// The items sorted by their keys.
///
/// The order is not always consistent (digit runs beyond 64 bits wrap), and go-yaml's outcome is then a matter of chance. This one is
/// decided: a stable merge sort from the order given, which no comparison can upset.
pub(super) fn sorted<'k, T: Copy>(items: &[T], key: impl Fn(&T) -> &'k str) -> Vec<T> {
    let mut from = items.to_vec();
    let mut to = Vec::with_capacity(items.len());
    let mut width = 1;
    while width < from.len() {
        to.clear();
        for pair in from.chunks(width * 2) {
            let (left, right) = pair.split_at(width.min(pair.len()));
            merge(left, right, &mut to, |a, b| is_less(key(a), key(b)));
        }
        std::mem::swap(&mut from, &mut to);
        width *= 2;
    }
    from
}

fn merge<T: Copy>(mut left: &[T], mut right: &[T], to: &mut Vec<T>, less: impl Fn(&T, &T) -> bool) {
    while let ([a, left_rest @ ..], [b, right_rest @ ..]) = (left, right) {
        if less(b, a) {
            to.push(*b);
            right = right_rest;
        } else {
            to.push(*a);
            left = left_rest;
        }
    }
    to.extend_from_slice(left);
    to.extend_from_slice(right);
}

/// Whether `a` goes before `b`: what is no letter before letters, runs of digits by their value.
fn is_less(a: &str, b: &str) -> bool {
    let same: usize = a.chars().zip(b.chars()).take_while(|(x, y)| x == y).map(|(x, _)| x.len_utf8()).sum();
    let (Some(rest_a), Some(rest_b), Some(before)) = (a.get(same..), b.get(same..), a.get(..same)) else {
        return false;
    };
    let (Some(x), Some(y)) = (rest_a.chars().next(), rest_b.chars().next()) else {
        return rest_a.len() < rest_b.len();
    };
    match (is_letter(x), is_letter(y)) {
        (true, true) => return x < y,
        (false, true) => return true,
        (true, false) => return false,
        (false, false) => {}
    }
    // A zero inside a number is no leading zero: 1 in front keeps its place.
    let digits_before = before.chars().rev().take_while(|c| is_digit(*c));
    let start = i64::from((x == '0' || y == '0') && digits_before.into_iter().any(|c| c != '0'));
    let (value_a, length_a) = digits(rest_a, start);
    let (value_b, length_b) = digits(rest_b, start);
    match value_a.cmp(&value_b).then(length_a.cmp(&length_b)) {
        Ordering::Equal => x < y,
        unequal => unequal == Ordering::Less,
    }
}

/// The value of the digits at the start, as far as 64 bits go, and how many there are.
fn digits(text: &str, start: i64) -> (i64, usize) {
    text.chars().take_while(|c| is_digit(*c)).fold((start, 0), |(value, count), c| {
        let digit = i64::from(u32::from(c)) - i64::from(u32::from('0'));
        (value.wrapping_mul(10).wrapping_add(digit), count + 1)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn natural_order() {
        let order = ["-", ".", "_", "~x", "9", "10", "B", "a", "a2", "a10", "b", "ä"];
        let mut shuffled = order.to_vec();
        shuffled.sort_unstable();
        assert_ne!(shuffled, order);
        assert_eq!(sorted(&shuffled, |s| s), order);
    }

    #[test]
    fn zeros_and_lengths() {
        for (less, greater) in
            [("1", "01"), ("a01", "a10"), ("a1", "a1b"), ("x100", "x1000"), ("a", "ab"), ("1.9", "1.10")]
        {
            assert!(is_less(less, greater) && !is_less(greater, less), "{less} < {greater}");
        }
        assert!(!is_less("a", "a"));
    }
}
