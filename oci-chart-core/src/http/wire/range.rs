/// Which bytes an answer 206 brings (RFC 9110, 14.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ContentRange {
    /// The first of them, counted from 0.
    pub(crate) first: u64,
    /// The last of them.
    pub(crate) last: u64,
    /// How many the whole has, where that is said.
    pub(crate) whole: Option<u64>,
}

impl ContentRange {
    /// Reads a `Content-Range`: `bytes 5-9/10`, `bytes 5-9/*`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (unit, rest) = text.trim().split_once(' ')?;
        let (range, whole) = rest.trim().split_once('/')?;
        let (first, last) = range.split_once('-')?;
        let number = |text: &str| {
            let digits = !text.is_empty() && text.bytes().all(|digit| digit.is_ascii_digit());
            digits.then(|| text.parse::<u64>().ok()).flatten()
        };
        let (first, last) = (number(first)?, number(last)?);
        let whole = if whole == "*" { None } else { Some(number(whole)?) };
        let sound =
            unit.eq_ignore_ascii_case("bytes") && first <= last && whole.is_none_or(|whole| last < whole);
        sound.then_some(Self { first, last, whole })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read() {
        let range = |first, last, whole| Some(ContentRange { first, last, whole });
        for (text, expected) in [
            ("bytes 0-0/1", range(0, 0, Some(1))),
            ("Bytes 5-9/10", range(5, 9, Some(10))),
            (" bytes 5-9/* ", range(5, 9, None)),
            ("bytes 5-18446744073709551615/*", range(5, u64::MAX, None)),
            ("bytes 5-10/10", None),
            ("bytes 9-5/10", None),
            ("bytes */10", None),
            ("bytes 5-9", None),
            ("bytes +5-9/10", None),
            ("bytes 5-99999999999999999999/*", None),
            ("items 5-9/10", None),
            ("", None),
        ] {
            assert_eq!(ContentRange::parse(text), expected, "{text}");
        }
    }
}
