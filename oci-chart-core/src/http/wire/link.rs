/// The target of the `rel="next"` link in a `Link` header value (RFC 8288), as it stands there: mostly relative.
pub(crate) fn next_page(header: &str) -> Option<&str> {
    let mut rest = header;
    loop {
        rest = rest.trim_start_matches([',', ' ', '\t']);
        let (target, after) = rest.strip_prefix('<')?.split_once('>')?;
        let end = end_of_link(after);
        let (parameters, next) = after.split_at_checked(end)?;
        if parameters.split(';').any(is_next) {
            return Some(target.trim());
        }
        rest = next;
    }
}

/// Where the comma stands that ends this link: the first one outside quotes.
fn end_of_link(text: &str) -> usize {
    let mut quoted = false;
    text.find(|c| {
        quoted ^= c == '"';
        c == ',' && !quoted
    })
    .unwrap_or(text.len())
}

fn is_next(parameter: &str) -> bool {
    parameter.split_once('=').is_some_and(|(key, value)| {
        key.trim().eq_ignore_ascii_case("rel")
            && value
                .trim()
                .trim_matches('"')
                .split_ascii_whitespace()
                .any(|rel| rel.eq_ignore_ascii_case("next"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_page_is_found() {
        for (header, expected) in [
            (r#"</v2/a/tags/list?last=b&n=2>; rel="next""#, Some("/v2/a/tags/list?last=b&n=2")),
            ("<https://h/x>;rel=next", Some("https://h/x")),
            (r#"<?n=1>; title="a, b"; REL="prev Next""#, Some("?n=1")),
            (r#"</p>; rel="prev", </n>; rel="next""#, Some("/n")),
            (r#"</a,b>; rel="next""#, Some("/a,b")),
            (r#"</p>; rel="prev""#, None),
            (r#"</p>; rel="nextish""#, None),
            ("</p>", None),
            ("/p; rel=next", None),
            ("<", None),
            ("", None),
        ] {
            assert_eq!(next_page(header), expected, "{header}");
        }
    }
}
