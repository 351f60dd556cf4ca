//! Times as archives and annotations hold them: whole seconds, UTC, and never "now".

use std::{ffi::OsStr, fmt, str::FromStr, time::SystemTime};

use crate::error::{Error, ErrorKind, Reason, Result};

/// Whole seconds since 1970-01-01T00:00:00Z, up to the end of the year 9999. Shown as RFC 3339 in UTC.
///
/// # Examples
///
/// ```
/// use oci_chart_core::chart::Timestamp;
///
/// let commit: Timestamp = "1700000000".parse()?;
/// assert_eq!(commit.to_string(), "2023-11-14T22:13:20Z");
/// assert_eq!("2023-11-14T23:13:20+01:00".parse(), Ok(commit));
/// # Ok::<(), oci_chart_core::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(u64);

impl Timestamp {
    /// Stamps packages whose caller names no time: 1980-01-01T00:00:00Z, which every archive format can hold.
    pub const FIXED: Self = Self(315_532_800);

    const MAX: u64 = 253_402_300_799;

    /// A time of `seconds` since 1970.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`], [`Reason::BadTime`], after the year 9999.
    pub fn from_unix(seconds: u64) -> Result<Self> {
        if seconds <= Self::MAX { Ok(Self(seconds)) } else { Err(ParseTimestampError::Range.into()) }
    }

    /// Seconds since 1970.
    pub const fn unix(self) -> u64 {
        self.0
    }

    /// What the environment variable `SOURCE_DATE_EPOCH` says (<https://reproducible-builds.org/specs/source-date-epoch/>),
    /// if it is set.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`], [`Reason::BadTime`], for a value that is no decimal number.
    pub fn from_environment() -> Result<Option<Self>> {
        std::env::var_os("SOURCE_DATE_EPOCH").map(|value| from_variable(&value)).transpose()
    }
}

impl TryFrom<SystemTime> for Timestamp {
    type Error = Error;

    /// Fractions of a second are cut off.
    fn try_from(time: SystemTime) -> Result<Self> {
        let since = time.duration_since(SystemTime::UNIX_EPOCH).map_err(|_| ParseTimestampError::Range)?;
        Self::from_unix(since.as_secs())
    }
}

impl FromStr for Timestamp {
    type Err = ParseTimestampError;

    /// Reads a decimal number of seconds or an RFC 3339 time of any zone; fractions of a second are cut off.
    fn from_str(text: &str) -> Result<Self, ParseTimestampError> {
        let seconds = if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
            text.parse().map_err(|_| ParseTimestampError::Range)?
        } else {
            let (seconds, _) = parse_rfc3339(text).ok_or(ParseTimestampError::Form)?;
            u64::try_from(seconds).map_err(|_| ParseTimestampError::Range)?
        };
        if seconds <= Self::MAX { Ok(Self(seconds)) } else { Err(ParseTimestampError::Range) }
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = civil(self.0 / 86_400);
        let second = self.0 % 86_400;
        let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
    }
}

/// Why a text is no time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ParseTimestampError {
    /// Neither a decimal number nor RFC 3339.
    Form,
    /// Before 1970 or after 9999.
    Range,
}

impl fmt::Display for ParseTimestampError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Form => "a time is a number of seconds since 1970 or has the form 2006-01-02T15:04:05Z",
            Self::Range => "a time lies between the years 1970 and 9999",
        })
    }
}

impl std::error::Error for ParseTimestampError {}

impl From<ParseTimestampError> for Error {
    fn from(error: ParseTimestampError) -> Self {
        Self::new(ErrorKind::InvalidInput, error.to_string())
            .with_reason(Reason::BadTime)
            .with_hint("give the time of the commit, for example from `git log -1 --format=%ct`")
    }
}

/// Seconds since 1970 and nanoseconds of an RFC 3339 time.
pub(crate) fn parse_rfc3339(text: &str) -> Option<(i64, u32)> {
    let (date, rest) = text.split_at_checked(10)?;
    let [year, month, day] = numbers(date, b'-', [4, 2, 2])?;
    let (time, rest) = rest.strip_prefix(['T', 't'])?.split_at_checked(8)?;
    let [hour, minute, second] = numbers(time, b':', [2, 2, 2])?;
    if !(1..=12).contains(&month) || !(1..=month_days(year, month)).contains(&day) {
        return None;
    }
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let (nanos, zone) = fraction(rest)?;
    let local = days(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second;
    Some((local - offset(zone)?, nanos))
}

/// Seconds to the nearest, halves up, as Go's tar writer rounds.
pub(crate) fn nearest_second(seconds: i64, nanos: u32) -> i64 {
    seconds.saturating_add(i64::from(nanos >= 500_000_000))
}

/// A file's time in seconds to the nearest; times before 1970 are negative.
pub(crate) fn nearest_unix(time: SystemTime) -> i64 {
    let (seconds, nanos) = match time.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(after) => (i64::try_from(after.as_secs()).unwrap_or(i64::MAX), after.subsec_nanos()),
        Err(error) => {
            let before = error.duration();
            let seconds = -i64::try_from(before.as_secs()).unwrap_or(i64::MAX);
            match before.subsec_nanos() {
                0 => (seconds, 0),
                nanos => (seconds.saturating_sub(1), 1_000_000_000 - nanos),
            }
        }
    };
    nearest_second(seconds, nanos)
}

fn from_variable(value: &OsStr) -> Result<Timestamp> {
    let digits = value.to_str().filter(|text| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()));
    digits
        .ok_or(ParseTimestampError::Form)
        .and_then(str::parse)
        .map_err(|error| Error::from(error).with_context("SOURCE_DATE_EPOCH", value.display()))
}

/// The numbers of `text`, each of so many digits, with `separator` between them.
fn numbers(text: &str, separator: u8, widths: [usize; 3]) -> Option<[i64; 3]> {
    let mut parts = text.as_bytes().split(|byte| *byte == separator);
    let mut values = [0; 3];
    for (value, width) in values.iter_mut().zip(widths) {
        let digits = parts.next()?;
        if digits.len() != width {
            return None;
        }
        for digit in digits {
            if !digit.is_ascii_digit() {
                return None;
            }
            *value = *value * 10 + i64::from(digit - b'0');
        }
    }
    parts.next().is_none().then_some(values)
}

/// Nanoseconds of a leading `.123`, and what follows it.
fn fraction(text: &str) -> Option<(u32, &str)> {
    let Some(digits) = text.strip_prefix('.') else { return Some((0, text)) };
    let end = digits.find(|c: char| !c.is_ascii_digit())?;
    let (digits, rest) = digits.split_at_checked(end)?;
    if digits.is_empty() {
        return None;
    }
    let padded = digits.bytes().map(|digit| u32::from(digit - b'0')).chain(std::iter::repeat(0)).take(9);
    Some((padded.fold(0, |nanos, digit| nanos * 10 + digit), rest))
}

/// Seconds east of UTC.
fn offset(zone: &str) -> Option<i64> {
    if zone == "Z" || zone == "z" {
        return Some(0);
    }
    let (sign, time) = match zone.split_at_checked(1)? {
        ("+", time) => (1, time),
        ("-", time) => (-1, time),
        _ => return None,
    };
    let (hours, minutes) = time.split_once(':')?;
    let two =
        |text: &str| (text.len() == 2 && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse());
    let (hours, minutes): (i64, i64) = (two(hours)?.ok()?, two(minutes)?.ok()?);
    (hours < 24 && minutes < 60).then_some(sign * (hours * 3600 + minutes * 60))
}

fn month_days(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from 1970-01-01 to a date of the Gregorian calendar. Years are counted from March, so that the leap day is last.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    // 306 days lie between the first of March of the year 0 and its end; 719 468 between that March and 1970.
    year * 365 + leap_days + (month * 306 + 5) / 10 + day - 1 - 719_468
}

/// The date `days` after 1970-01-01.
fn civil(days: u64) -> (i64, i64, i64) {
    let wanted = i64::try_from(days).unwrap_or(i64::MAX);
    // The guess is at most one year too late.
    let mut year = 1970 + wanted / 365;
    while self::days(year, 1, 1) > wanted {
        year -= 1;
    }
    let mut left = wanted - self::days(year, 1, 1);
    let mut month = 1;
    while left >= month_days(year, month) {
        left -= month_days(year, month);
        month += 1;
    }
    (year, month, left + 1)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn known_times_are_shown_and_read() {
        for (unix, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (315_532_800, "1980-01-01T00:00:00Z"),
            (951_827_696, "2000-02-29T12:34:56Z"),
            (1_700_000_000, "2023-11-14T22:13:20Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
            (Timestamp::MAX, "9999-12-31T23:59:59Z"),
        ] {
            assert_eq!(Timestamp(unix).to_string(), text);
            assert_eq!(text.parse(), Ok(Timestamp(unix)));
        }
    }

    #[test]
    fn every_day_of_four_centuries_comes_back() {
        let mut last = (1969, 12, 31);
        for day in 0..146_097 {
            let date = civil(day);
            assert!(date > last && date.2 <= month_days(date.0, date.1), "{day}: {date:?}");
            assert_eq!(days(date.0, date.1, date.2), day as i64);
            last = date;
        }
    }

    #[test]
    fn zones_and_fractions() {
        assert_eq!(parse_rfc3339("2026-11-21T03:43:25.314393931+01:00"), Some((1_795_229_005, 314_393_931)));
        assert_eq!(parse_rfc3339("1969-12-31T23:59:59.5Z"), Some((-1, 500_000_000)));
        assert_eq!(parse_rfc3339("1970-01-01T00:00:00-00:30"), Some((1800, 0)));
        for bad in [
            "",
            "2026-11-21",
            "2026-11-21 03:43:25Z",
            "2026-11-21T03:43:25",
            "2026-11-21T03:43:25.Z",
            "2026-11-21T03:43:25.1",
            "2026-11-31T03:43:25Z",
            "2026-13-01T03:43:25Z",
            "2025-02-29T03:43:25Z",
            "2026-11-21T24:00:00Z",
            "2026-11-21T03:43:25+1:00",
            "2026-11-21T03:43:25+01:+1",
            "2026-11-21T03:43:25ü",
        ] {
            assert_eq!(parse_rfc3339(bad), None, "{bad}");
        }
    }

    #[test]
    fn rounding_is_to_the_nearest_with_halves_up() {
        let at = |seconds, nanos| nearest_unix(SystemTime::UNIX_EPOCH + Duration::new(seconds, nanos));
        assert_eq!((at(58, 650_000_000), at(58, 500_000_000), at(58, 499_999_999)), (59, 59, 58));
        let before = |millis| nearest_unix(SystemTime::UNIX_EPOCH - Duration::from_millis(millis));
        assert_eq!((before(500), before(501), before(2000)), (0, -1, -2));
    }

    #[test]
    fn the_variable_is_a_decimal_number() {
        assert_eq!(from_variable(OsStr::new("1700000000")).unwrap().unix(), 1_700_000_000);
        for bad in ["", " 1", "+1", "-1", "1.5", "0x10", "2023-11-14T22:13:20Z", "99999999999999999999"] {
            let error = from_variable(OsStr::new(bad)).unwrap_err();
            assert_eq!(
                (error.kind(), error.reason()),
                (ErrorKind::InvalidInput, Some(Reason::BadTime)),
                "{bad}"
            );
            assert_eq!(error.get("SOURCE_DATE_EPOCH"), Some(bad));
        }
    }
}
