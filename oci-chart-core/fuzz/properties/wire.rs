//! Whatever a registry puts on the wire is read without a fault, and what was understood keeps its promises.

use std::time::Duration;

use oci_chart_core::fuzzing;

pub(crate) fn check(bytes: &[u8]) {
    let (codes, understood) = fuzzing::error_body(bytes);
    assert!(understood || codes.is_empty());
    let text = String::from_utf8_lossy(bytes);
    let (first, second) = text.split_once('\n').unwrap_or((&text, ""));
    if let Some(next) = fuzzing::next_page(first) {
        assert!(first.contains(next) && !next.contains('>'), "{next}");
    }
    if let Some((from, to, whole)) = fuzzing::content_range(first) {
        assert!(from <= to && whole.is_none_or(|whole| to < whole), "{first}");
        let whole_text = whole.map_or("*".to_owned(), |whole| whole.to_string());
        assert_eq!(
            fuzzing::content_range(&format!("bytes {from}-{to}/{whole_text}")),
            Some((from, to, whole))
        );
    }
    if let Some(bytes @ 1..) = fuzzing::received(first) {
        assert_eq!(fuzzing::received(&format!("0-{}", bytes - 1)), Some(bytes));
    }
    if let Some(least) = fuzzing::least_chunk(first) {
        assert_eq!(fuzzing::least_chunk(&least.to_string()), Some(least));
    }
    let _ = fuzzing::retry_after(first, Some(second));
    if let Ok(seconds @ 0..=86_400) = first.trim().parse::<u64>() {
        assert_eq!(fuzzing::retry_after(first, None), Some(Duration::from_secs(seconds)));
    }
    let _ = fuzzing::times(first);
    for warning in fuzzing::warnings(first) {
        assert!(!warning.is_empty());
    }
    let essence = fuzzing::essence(first);
    assert_eq!(fuzzing::essence(&essence), essence);
    if let Some(url) = fuzzing::location(first) {
        assert_eq!((url.scheme(), url.host_str(), url.port()), ("https", Some("registry.example"), None));
    }
    let _ = fuzzing::token(&text);
}
