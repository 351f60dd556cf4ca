use std::time::Duration;

use super::http_date;

/// How long a `Retry-After` value (RFC 9110, 10.2.3) asks to wait: seconds, or a date. A date is measured against the
/// server's own `Date`, so that a wrong clock here does no harm; without one it says nothing.
pub(crate) fn retry_after(value: &str, date: Option<&str>) -> Option<Duration> {
    let value = value.trim();
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let wait = http_date(value)?.saturating_sub(http_date(date?)?);
    Some(Duration::from_secs(u64::try_from(wait).unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms() {
        let now = Some("Sun, 06 Nov 1994 08:49:37 GMT");
        for (value, date, seconds) in [
            ("120", None, Some(120)),
            (" 0 ", None, Some(0)),
            ("Sun, 06 Nov 1994 08:50:00 GMT", now, Some(23)),
            ("Sun, 06 Nov 1994 08:00:00 GMT", now, Some(0)),
            ("Sunday, 06-Nov-94 08:50:00 GMT", now, Some(23)),
            ("Sun Nov  6 08:50:00 1994", now, Some(23)),
            ("Sun, 06 Nov 1994 08:50:00 GMT", Some("Sun Nov  6 08:49:37 1994"), Some(23)),
            ("Sun, 06 Nov 1994 08:50:00 GMT", None, None),
            ("-1", now, None),
            ("soon", now, None),
        ] {
            assert_eq!(retry_after(value, date), seconds.map(Duration::from_secs), "{value}");
        }
    }
}
