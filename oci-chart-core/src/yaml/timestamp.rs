//! Which texts Go's `time.Parse` takes for one of go-yaml's four timestamp layouts.

/// Whether go-yaml reads the text as a timestamp. It stays text all the same, but has to be quoted when written.
pub(super) fn is_timestamp(text: &str) -> bool {
    let bytes = text.as_bytes();
    let digits = bytes.iter().take_while(|b| b.is_ascii_digit()).count();
    if digits != 4 || bytes.get(4) != Some(&b'-') {
        return false;
    }
    let Some((date, rest)) = date(text) else { return false };
    date && match rest.as_bytes().first() {
        None => true,
        Some(b'T' | b't') => rest.get(1..).and_then(clock).is_some_and(is_zone),
        // A layout's blank matches any number of blanks.
        Some(b' ') => clock(rest.trim_start_matches(' ')).is_some_and(str::is_empty),
        Some(_) => false,
    }
}

/// `2006-1-2`: whether the day exists, and what follows.
fn date(text: &str) -> Option<(bool, &str)> {
    let (year, rest) = text.split_at_checked(4)?;
    let year: u32 = year.parse().ok()?;
    let (month, rest) = short_number(rest.strip_prefix('-')?)?;
    let (day, rest) = short_number(rest.strip_prefix('-')?)?;
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let days = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 => 28 + u32::from(leap),
        _ => 0,
    };
    Some(((1..=days).contains(&day), rest))
}

/// `15:4:5.999999999`: what follows a valid time of day.
fn clock(text: &str) -> Option<&str> {
    let (hour, rest) = short_number(text)?;
    let (minute, rest) = short_number(rest.strip_prefix(':')?)?;
    let (second, rest) = short_number(rest.strip_prefix(':')?)?;
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    // A fraction may follow, with a comma as well; without digits it does not belong to the time.
    let fraction =
        rest.strip_prefix(['.', ',']).map(|digits| digits.trim_start_matches(|c: char| c.is_ascii_digit()));
    match (fraction, rest.as_bytes().get(1)) {
        (Some(after), Some(digit)) if digit.is_ascii_digit() => Some(after),
        _ => Some(rest),
    }
}

/// `Z07:00`.
fn is_zone(text: &str) -> bool {
    if text == "Z" {
        return true;
    }
    let two = |part: Option<&str>| {
        part.filter(|p| p.bytes().all(|b| b.is_ascii_digit())).and_then(|p| p.parse::<u32>().ok())
    };
    text.len() == 6
        && text.starts_with(['+', '-'])
        && text.get(3..4) == Some(":")
        // Go lets 24 hours and 60 minutes pass.
        && two(text.get(1..3)).is_some_and(|hours| hours <= 24)
        && two(text.get(4..6)).is_some_and(|minutes| minutes <= 60)
}

/// One digit, or two.
fn short_number(text: &str) -> Option<(u32, &str)> {
    let digits = text.bytes().take(2).take_while(u8::is_ascii_digit).count();
    let (number, rest) = text.split_at_checked(digits)?;
    Some((number.parse().ok()?, rest))
}

#[cfg(test)]
mod tests {
    use super::is_timestamp;

    #[test]
    fn what_go_takes_for_a_timestamp() {
        for text in [
            "2021-01-01",
            "2021-1-1",
            "2024-02-29",
            "2001-12-14T21:59:43.10-05:00",
            "2001-12-14t21:59:43,1Z",
            "2001-12-14   1:2:3",
            "2001-12-14 21:59:43.123456789012",
            "2001-12-14T21:59:43+24:60",
        ] {
            assert!(is_timestamp(text), "{text}");
        }
        for text in [
            "2023-02-29",
            "2021-13-01",
            "2021-00-01",
            "2021-01-001",
            "21-01-01",
            "2001-12-14 21:59:43.10 -5",
            "2001-12-14T21:59:43",
            "2001-12-14T24:00:00Z",
            "2001-12-14 21:59:43Z",
            "2001-12-14 ",
            "2001-12-14T21:59:43.Z",
            "2001-12-14T21:59:43z",
        ] {
            assert!(!is_timestamp(text), "{text}");
        }
    }
}
