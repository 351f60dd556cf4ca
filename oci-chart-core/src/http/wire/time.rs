use std::time::{SystemTime, UNIX_EPOCH};

const SECONDS_OF_A_YEAR: u64 = 31_556_952;

/// Seconds since 1970 of an HTTP date (RFC 9110, 5.6.7): of the form that senders must use, `Sun, 06 Nov 1994 08:49:37 GMT`, or of one of those
/// that only receivers still know, `Sunday, 06-Nov-94 08:49:37 GMT` and `Sun Nov  6 08:49:37 1994`.
pub(crate) fn http_date(text: &str) -> Option<i64> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).ok()?.as_secs();
    date_seen_in(text, 1970 + i64::try_from(now / SECONDS_OF_A_YEAR).ok()?)
}

/// `this_year` tells the century of a year with two digits.
fn date_seen_in(text: &str, this_year: i64) -> Option<i64> {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let [day, month, year, time] = match text.trim().split_once(", ") {
        Some((_, rest)) => {
            let (date, time) = rest.strip_suffix(" GMT")?.rsplit_once(' ')?;
            let [day, month, year] = exactly(date.split(['-', ' ']))?;
            [day, month, year, time]
        }
        None => {
            let [_, month, day, time, year] = exactly(text.split_ascii_whitespace())?;
            [day, month, year, time]
        }
    };
    let month = MONTHS.iter().position(|name| *name == month)?;
    let written = year.parse().ok()?;
    let year = if year.len() == 2 { with_century(written, this_year) } else { written };
    at(year, i64::try_from(month).ok()? + 1, day.parse().ok()?, time)
}

/// The parts, if there are as many as expected.
fn exactly<'a, const N: usize>(mut parts: impl Iterator<Item = &'a str>) -> Option<[&'a str; N]> {
    let mut found = [""; N];
    for place in &mut found {
        *place = parts.next()?;
    }
    parts.next().is_none().then_some(found)
}

/// What would be more than 50 years ahead was in the century before.
fn with_century(two_digits: i64, this_year: i64) -> i64 {
    let year = this_year - this_year.rem_euclid(100) + two_digits;
    if year > this_year + 50 { year - 100 } else { year }
}

/// Seconds since 1970 of an RFC 3339 time: `1994-11-06T08:49:37.5Z`, `1994-11-06T09:49:37+01:00`.
pub(crate) fn rfc3339(text: &str) -> Option<i64> {
    let (date, time) = text.trim().split_once(['T', 't', ' '])?;
    let mut parts = date.splitn(3, '-').map(|part| part.parse::<i64>().ok());
    let (year, month, day) = (parts.next()??, parts.next()??, parts.next()??);
    let zone = time.find(['Z', 'z', '+', '-'])?;
    let (time, zone) = time.split_at_checked(zone)?;
    let offset = match zone.split_at_checked(1)? {
        ("+", zone) => minutes(zone)?,
        ("-", zone) => -minutes(zone)?,
        _ => 0,
    };
    Some(at(year, month, day, time.split('.').next()?)? - offset * 60)
}

fn minutes(zone: &str) -> Option<i64> {
    let (hours, minutes) = zone.split_once(':')?;
    Some(hours.parse::<i64>().ok()?.checked_mul(60)?.checked_add(minutes.parse().ok()?)?)
        .filter(|minutes| *minutes < 1440)
}

fn at(year: i64, month: i64, day: i64, time: &str) -> Option<i64> {
    let mut parts = time.splitn(3, ':').map(|part| part.parse::<i64>().ok());
    let (hour, minute, second) = (parts.next()??, parts.next()??, parts.next()??);
    let sane = (1..=9999).contains(&year)
        && (1..=12).contains(&month)
        && (1..=31).contains(&day)
        && (0..24).contains(&hour)
        && (0..60).contains(&minute)
        && (0..=60).contains(&second);
    sane.then(|| days(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second)
}

/// Days since 1970-01-01 in the Gregorian calendar, counted from March so that the leap day comes last.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let leaps = year / 4 - year / 100 + year / 400;
    year * 365 + leaps + (month * 153 + 2) / 5 + day - 719_469
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_times() {
        for (text, expected) in [
            ("Thu, 01 Jan 1970 00:00:00 GMT", Some(0)),
            ("Sun, 06 Nov 1994 08:49:37 GMT", Some(784_111_777)),
            ("Thu, 29 Feb 2024 23:59:59 GMT", Some(1_709_251_199)),
            ("Sun, 06 Nov 1994 08:49:37 CET", None),
            ("Sunday, 06-Nov-94 08:49:37 GMT", Some(784_111_777)),
            ("Sun Nov  6 08:49:37 1994", Some(784_111_777)),
            ("Wed Nov 16 08:49:37 1994", Some(784_975_777)),
            ("Sunday, 06-Nov-94 08:49:37", None),
            ("Sunday, 06-Nov-94-1 08:49:37 GMT", None),
            ("Sun Nov  6 08:49:37 1994 GMT", None),
            ("Sun Nov  6 08:49:37", None),
            ("Sun, 06 anF 1994 08:49:37 GMT", None),
            ("", None),
        ] {
            assert_eq!(http_date(text), expected, "{text}");
        }
        for (digits, this_year, expected) in [
            ("76", 2026, 2076),
            ("77", 2026, 1977),
            ("00", 2026, 2000),
            ("01", 2099, 2001),
            ("49", 2000, 2049),
        ] {
            let text = format!("Monday, 01-Jan-{digits} 00:00:00 GMT");
            let written = format!("Mon, 01 Jan {expected} 00:00:00 GMT");
            assert_eq!(date_seen_in(&text, this_year), http_date(&written), "{digits} in {this_year}");
        }
        for (text, expected) in [
            ("1970-01-01T00:00:00Z", Some(0)),
            ("1994-11-06T08:49:37.123456789Z", Some(784_111_777)),
            ("1994-11-06T09:49:37+01:00", Some(784_111_777)),
            ("1994-11-06T07:19:37-01:30", Some(784_111_777)),
            ("1994-11-06", None),
            ("1994-13-06T00:00:00Z", None),
            ("99999999999999999999-01-01T00:00:00Z", None),
            ("1994-11-06T00:00:00+99999999999:00", None),
        ] {
            assert_eq!(rfc3339(text), expected, "{text}");
        }
    }
}
