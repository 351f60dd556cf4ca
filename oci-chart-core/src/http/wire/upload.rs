/// How many bytes of an upload a registry has, by its `Range` header: `0-99`, with both ends counted, and from some with the unit that the
/// spec leaves out. `0-0` means one byte or none: there is no other way to write none, so none it is.
pub(crate) fn received(range: &str) -> Option<u64> {
    let text = range.trim();
    let text = text.strip_prefix("bytes").map_or(text, |rest| rest.trim_start_matches(['=', ' ']));
    let (first, last) = text.split_once('-')?;
    match (number(first)?, number(last)?) {
        (0, 0) => Some(0),
        (0, last) => last.checked_add(1),
        _ => None,
    }
}

/// The value of `OCI-Chunk-Min-Length`, in bytes.
pub(crate) fn least_chunk(value: &str) -> Option<u64> {
    number(value.trim())
}

fn number(text: &str) -> Option<u64> {
    // `parse` would take a sign.
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_of_uploads() {
        for (range, expected) in [
            ("0-99", Some(100)),
            (" 0-1 ", Some(2)),
            ("0-0", Some(0)),
            ("bytes=0-9", Some(10)),
            ("bytes 0-9", Some(10)),
            ("5-9", None),
            ("0-18446744073709551615", None),
            ("0-99999999999999999999", None),
            ("0--1", None),
            ("+0-1", None),
            ("0", None),
            ("-", None),
            ("", None),
        ] {
            assert_eq!(received(range), expected, "{range}");
        }
        assert_eq!([least_chunk(" 1024 "), least_chunk("-1"), least_chunk("")], [Some(1024), None, None]);
    }
}
