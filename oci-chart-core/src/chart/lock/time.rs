//! Times of lock files: RFC 3339 as Go's `time.Time` reads it from JSON and writes it back (Go 1.26: the strict form is for writing
//! only).

use std::{
    fmt,
    str::FromStr,
    time::{Duration, SystemTime},
};

/// A time with its offset from UTC. The default is Go's zero time, midnight of 1 January of the year 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Timestamp {
    year: u16,
    month: u8,
    day: u8,
    hour: u8,
    minute: u8,
    second: u8,
    nanosecond: u32,
    offset_minutes: i16,
}

/// The text is no RFC 3339 time.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NotATime;

impl Timestamp {
    /// Whether it can be written: Go reads offsets of a day and more, and then cannot write them.
    pub(super) fn is_writable(&self) -> bool {
        self.offset_minutes.unsigned_abs() < 24 * 60
    }

    pub(super) fn system_time(&self) -> Option<SystemTime> {
        let days = days_since_1970(i64::from(self.year), i64::from(self.month), i64::from(self.day));
        let minutes = (days * 24 + i64::from(self.hour)) * 60 + i64::from(self.minute);
        let seconds = (minutes - i64::from(self.offset_minutes)) * 60 + i64::from(self.second);
        let since = Duration::new(u64::try_from(seconds).ok()?, self.nanosecond);
        SystemTime::UNIX_EPOCH.checked_add(since)
    }
}

impl Default for Timestamp {
    fn default() -> Self {
        Self { year: 1, month: 1, day: 1, hour: 0, minute: 0, second: 0, nanosecond: 0, offset_minutes: 0 }
    }
}

impl FromStr for Timestamp {
    type Err = NotATime;

    fn from_str(text: &str) -> Result<Self, NotATime> {
        let mut rest = text.as_bytes();
        let year = number(&mut rest, 4)?;
        let month = after(&mut rest, b'-')?;
        let day = after(&mut rest, b'-')?;
        let hour = hour(&mut rest)?;
        let minute = after(&mut rest, b':')?;
        let second = after(&mut rest, b':')?;
        let nanosecond = fraction(&mut rest)?;
        let offset_minutes = offset(rest)?;
        if !(1..=12).contains(&month)
            || !(1..=days_in(year, month)).contains(&day)
            || hour > 23
            || minute > 59
            || second > 59
        {
            return Err(NotATime);
        }
        let small = |value: u16| u8::try_from(value).map_err(|_| NotATime);
        Ok(Self {
            year,
            month: small(month)?,
            day: small(day)?,
            hour: small(hour)?,
            minute: small(minute)?,
            second: small(second)?,
            nanosecond,
            offset_minutes,
        })
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { year, month, day, hour, minute, second, nanosecond, offset_minutes } = self;
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")?;
        if *nanosecond > 0 {
            let digits = format!("{nanosecond:09}");
            write!(f, ".{}", digits.trim_end_matches('0'))?;
        }
        if *offset_minutes == 0 {
            return f.write_str("Z");
        }
        let sign = if *offset_minutes < 0 { '-' } else { '+' };
        let size = offset_minutes.unsigned_abs();
        write!(f, "{sign}{:02}:{:02}", size / 60, size % 60)
    }
}

/// `count` digits.
fn number(rest: &mut &[u8], count: usize) -> Result<u16, NotATime> {
    let (digits, after) = rest.split_at_checked(count).ok_or(NotATime)?;
    *rest = after;
    digits.iter().try_fold(0u16, |sum, digit| match digit {
        b'0'..=b'9' => Ok(sum * 10 + u16::from(digit - b'0')),
        _ => Err(NotATime),
    })
}

/// Two digits after `mark`.
fn after(rest: &mut &[u8], mark: u8) -> Result<u16, NotATime> {
    *rest = rest.strip_prefix(&[mark]).ok_or(NotATime)?;
    number(rest, 2)
}

/// One or two digits after the `T`.
fn hour(rest: &mut &[u8]) -> Result<u16, NotATime> {
    *rest = rest.strip_prefix(b"T").ok_or(NotATime)?;
    let digits = if rest.get(1).is_some_and(u8::is_ascii_digit) { 2 } else { 1 };
    number(rest, digits)
}

/// The part after the point or comma, if there is one; below a nanosecond it is cut.
fn fraction(rest: &mut &[u8]) -> Result<u32, NotATime> {
    let Some(digits) = rest.strip_prefix(b".").or_else(|| rest.strip_prefix(b",")) else { return Ok(0) };
    let count = digits.iter().take_while(|digit| digit.is_ascii_digit()).count();
    if count == 0 {
        return Err(NotATime);
    }
    let (digits, after) = digits.split_at_checked(count).ok_or(NotATime)?;
    *rest = after;
    let padded = digits.iter().chain(std::iter::repeat(&b'0')).take(9);
    Ok(padded.fold(0, |sum, digit| sum * 10 + u32::from(digit - b'0')))
}

fn offset(mut rest: &[u8]) -> Result<i16, NotATime> {
    let sign = match rest {
        b"Z" => return Ok(0),
        [b'+', ..] => 1,
        [b'-', ..] => -1,
        _ => return Err(NotATime),
    };
    rest = rest.get(1..).unwrap_or_default();
    let hours = number(&mut rest, 2)?;
    let minutes = after(&mut rest, b':')?;
    if hours > 24 || minutes > 60 || !rest.is_empty() {
        return Err(NotATime);
    }
    let size = i16::try_from(hours * 60 + minutes).map_err(|_| NotATime)?;
    Ok(sign * size)
}

fn days_in(year: u16, month: u16) -> u16 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => 29,
        2 => 28,
        _ => 31,
    }
}

/// Days of the proleptic Gregorian calendar; the year is counted from March, so that the leap day is its last.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let years = if month > 2 { year } else { year - 1 };
    let months = (month + 9) % 12;
    let leap_days = years.div_euclid(4) - years.div_euclid(100) + years.div_euclid(400);
    // From 1 March of the year 0 to 1 January 1970.
    const TO_1970: i64 = 719_468;
    years * 365 + leap_days + (153 * months + 2) / 5 + day - 1 - TO_1970
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_come_back_as_go_prints_them() {
        for (text, printed, seconds) in [
            (
                "2026-11-21T03:43:25.314393931+01:00",
                "2026-11-21T03:43:25.314393931+01:00",
                Some(1_795_229_005),
            ),
            ("2020-01-01T1:00:00,5+01:60", "2020-01-01T01:00:00.5+02:00", Some(1_577_833_200)),
            ("1970-01-01T00:00:00Z", "1970-01-01T00:00:00Z", Some(0)),
            ("2000-02-29T23:59:59.1200-00:00", "2000-02-29T23:59:59.12Z", Some(951_868_799)),
            ("2020-01-01T00:00:00.1234567899999Z", "2020-01-01T00:00:00.123456789Z", Some(1_577_836_800)),
            ("1969-12-31T23:59:59-05:30", "1969-12-31T23:59:59-05:30", Some(19_799)),
            ("0000-01-01T00:00:00Z", "0000-01-01T00:00:00Z", None),
            ("9999-12-31T23:59:59+23:59", "9999-12-31T23:59:59+23:59", Some(253_402_214_459)),
        ] {
            let time: Timestamp = text.parse().unwrap();
            assert_eq!(time.to_string(), printed);
            let since = time.system_time().map(|time| time.duration_since(SystemTime::UNIX_EPOCH).unwrap());
            assert_eq!(since.map(|since| since.as_secs()), seconds, "{text}");
        }
        assert_eq!(Timestamp::default().to_string(), "0001-01-01T00:00:00Z");
    }

    #[test]
    fn what_is_no_time() {
        for text in [
            "",
            "yesterday",
            "2020-01-01",
            "2020-01-01T00:00:00",
            "2020-1-01T00:00:00Z",
            "2020-01-01 00:00:00Z",
            "2020-01-01t00:00:00z",
            "2020-01-01T24:00:00Z",
            "2020-01-01T00:60:00Z",
            "2020-01-01T00:00:60Z",
            "2020-13-01T00:00:00Z",
            "2021-02-29T00:00:00Z",
            "2020-01-00T00:00:00Z",
            "2020-01-01T00:00:00.Z",
            "2020-01-01T00:00:00+25:00",
            "2020-01-01T00:00:00+0100",
            "2020-01-01T00:00:00Zx",
            "+020-01-01T00:00:00Z",
            "1900-02-29T00:00:00Z",
        ] {
            assert_eq!(text.parse::<Timestamp>(), Err(NotATime), "{text}");
        }
    }
}
