//! A constraint judges as its printed form does; a version and its canonical form are equal in precedence.

use oci_chart_core::name::{ChartVersion, VersionReq};

const SAMPLES: [&str; 6] = ["0.0.0", "1.2.3", "1.2.3-rc.1", "2.0.0-alpha", "10.20.30+build", "1.2.9"];

pub(crate) fn check(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let version = ChartVersion::parse(text);
    if let Ok(version) = &version {
        // What is written out in full can be longer than a version may be.
        let full = version.canonical();
        let canonical = ChartVersion::parse(&full);
        assert!(canonical.as_ref().map_or(full.len() > ChartVersion::MAX_LEN, |canonical| {
            version.cmp_precedence(canonical).is_eq()
        }));
        if let Ok(tag) = version.to_tag() {
            assert!(ChartVersion::parse_strict(text).is_err() || tag.to_version().is_some());
        }
    }
    let Ok(range) = VersionReq::parse(text) else { return };
    let printed = range.to_string();
    let Ok(again) = VersionReq::parse(&printed) else {
        assert!(printed.len() > VersionReq::MAX_LEN, "{printed}");
        return;
    };
    let samples = SAMPLES.iter().map(|sample| ChartVersion::parse(sample).expect("a version"));
    for sample in samples.chain(version.ok()) {
        assert_eq!(range.matches(&sample), again.matches(&sample), "{range} on {sample}");
    }
}
