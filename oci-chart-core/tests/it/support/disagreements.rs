//! Where we say no and Helm says yes, or the other way round, on purpose.

/// One standing difference between our verdicts and Helm's.
#[derive(Debug)]
pub(crate) struct Disagreement {
    /// The reason of our error.
    pub(crate) reason: &'static str,
    /// The clause or advisory that makes ours right.
    pub(crate) because: &'static str,
}

/// All of them. A test that meets another one fails.
pub(crate) const TABLE: &[Disagreement] = &[
    Disagreement {
        reason: "duplicate-path",
        because: "CWE-436, interpretation conflict: Helm keeps both entries of one path and merges two Chart.yaml, while pax \
                  in POSIX.1-2017 lets the later entry replace the earlier, so what was reviewed is not what runs.",
    },
    Disagreement {
        reason: "link-entry",
        because: "GHSA-557j-xg8c-q2mm and CWE-59: links inside charts have led to code execution. Helm reads a link entry as \
                  an empty file, so its chart is not what tar(1) unpacks.",
    },
    Disagreement {
        reason: "name-unusable",
        because: "CWE-22: in a package of a chart called `/` every entry is absolute, and a backslash in a name separates \
                  directories when Helm reads the package back, which then fails or has other files.",
    },
];

/// The row that allows our refusal for `reason`, where there is one.
pub(crate) fn allowed(reason: &str) -> Option<&'static Disagreement> {
    TABLE.iter().find(|row| row.reason == reason)
}

#[test]
fn few_and_reasoned() {
    assert!(TABLE.len() <= 20);
    for row in TABLE {
        assert!(row.because.len() > 40, "{row:?}");
        assert!(oci_chart_core::Reason::ALL.iter().any(|reason| reason.as_str() == row.reason), "{row:?}");
    }
}
