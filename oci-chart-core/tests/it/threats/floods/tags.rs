use oci_chart_core::name::Tag;

use super::Flood;

/// Of ranges of versions under verification: the newest is chosen from what the registry lists.
pub(super) const OF_TAGS: &[Flood] = &[
    (
        "endless pages of versions",
        |forge| forge.registry.tag_pages(|page| Some((0..1000).map(|n| format!("1.{page}.{n}")).collect())),
        "limit-exceeded",
        Some("tags"),
        102,
    ),
    (
        "endless pages of what are no tags",
        |forge| forge.registry.tag_pages(|_| Some(vec!["-".to_owned(); 1000])),
        "protocol",
        None,
        102,
    ),
    (
        "a page of a million short tags",
        |forge| {
            forge.registry.tag_pages(|page| (page == 0).then(|| vec!["1".to_owned(); 1_040_000]));
        },
        "limit-exceeded",
        Some("tags"),
        2,
    ),
    (
        "a page of a million names that are none",
        |forge| {
            forge.registry.tag_pages(|page| (page == 0).then(|| vec![String::new(); 1_390_000]));
        },
        "not-found",
        None,
        2,
    ),
    (
        "a page larger than an answer may be",
        |forge| {
            forge.registry.tag_pages(|page| (page == 0).then(|| vec!["1".to_owned(); 1_050_000]));
        },
        "limit-exceeded",
        Some("answer_bytes"),
        2,
    ),
    (
        "as many versions as are listed, of the longest kind",
        |forge| forge.registry.tag_pages(|page| (page < 100).then(|| longest(page, 1))),
        "not-found",
        None,
        100 + 2,
    ),
    (
        "as many versions as are listed, none of which is asked for",
        |forge| forge.registry.tag_pages(|page| (page < 100).then(|| longest(page, 2))),
        "not-found",
        None,
        100 + 1,
    ),
    (
        "as many tags as are listed, none of which is a version",
        |forge| {
            forge.registry.tag_pages(|page| {
                let tag = |n| format!("v{:.127}", long(&format!("1.{page}.{n}-")));
                (page < 100).then(|| (0..1000).map(tag).collect())
            });
        },
        "not-found",
        None,
        100 + 1,
    ),
];

/// A thousand versions, each as long as a tag may be.
fn longest(page: u64, major: u64) -> Vec<String> {
    (0..1000).map(|n| long(&format!("{major}.{page}.{n}_"))).collect()
}

fn long(text: &str) -> String {
    format!("{text:x<length$}", length = Tag::MAX_LEN)
}
