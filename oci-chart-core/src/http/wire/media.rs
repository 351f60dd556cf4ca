/// The media type of a `Content-Type` value in lower case, without its parameters.
pub(crate) fn essence(content_type: &str) -> String {
    content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_dropped() {
        assert_eq!(essence("application/JSON; charset=utf-8"), "application/json");
        assert_eq!(essence(" text/plain "), "text/plain");
        assert_eq!(essence(""), "");
    }
}
