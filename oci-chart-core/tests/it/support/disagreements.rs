//! Where we say no and Helm says yes, or the other way round, on purpose.

use std::{collections::BTreeMap, fmt};

/// One standing difference between our verdicts and Helm's.
#[derive(Debug)]
pub(crate) struct Disagreement {
    pub(crate) id: &'static str,
    /// The clause or advisory that makes ours right.
    pub(crate) because: &'static str,
}

/// All of them. A test that meets another one fails.
pub(crate) const TABLE: &[Disagreement] = &[
    Disagreement {
        id: "duplicate-path",
        because: "CWE-436, interpretation conflict: Helm keeps both entries of one path and merges two Chart.yaml, while pax \
                  in POSIX.1-2017 lets the later entry replace the earlier, so what was reviewed is not what runs.",
    },
    Disagreement {
        id: "link-entry",
        because: "GHSA-557j-xg8c-q2mm and CWE-59: links inside charts have led to code execution. Helm reads a link entry as \
                  an empty file, so its chart is not what tar(1) unpacks.",
    },
    Disagreement {
        id: "sparse-file",
        because: "CWE-409: the size of a sparse file (GNU, type S) has nothing to do with what is in the archive; \
                  POSIX.1-2017 ustar has no such type. Helm reads the few that have no map.",
    },
    Disagreement {
        id: "path-not-unicode",
        because: "POSIX.1-2017 pax: path records are UTF-8; so are JSON (RFC 8259 8.1) and YAML 1.1 (5.1), in which a chart is \
                  described. Helm keeps the bytes and then cannot print them.",
    },
    Disagreement {
        id: "name-unusable",
        because: "CWE-22: in a package of a chart called `/` every entry is absolute, and a backslash in a name separates \
                  directories when Helm reads the package back, which then fails or has other files.",
    },
    Disagreement {
        id: "one-loader",
        because: "CWE-436: of the two loaders of Helm 4, `push` and `show` take the one that asks neither for the API version nor for \
                  infinities, and `pull` takes none, so that they pass on what `package`, `template` and `install` refuse.",
    },
    Disagreement {
        id: "tree-path-unusable",
        because: "CWE-436: Helm packs a file called `..x` or `a\\b`, and its own reader then refuses the package, or finds \
                  another file in it. What cannot be read back is not packed.",
    },
    Disagreement {
        id: "reference-empty-part",
        because: "distribution-spec 1.1, pulling manifests: a tag has at least one character, and a digest is never empty. Helm \
                  takes `host/a:` and `host/a@`, mostly an unset variable, for the newest version.",
    },
    Disagreement {
        id: "reference-digest-dropped",
        because: "image-spec 1.1, digests: algorithm, colon, encoded. Helm drops what is none behind a tag or a second @, \
                  and with it the pin that the writer asked for.",
    },
    Disagreement {
        id: "reference-plus-in-path",
        because: "distribution-spec 1.1, pulling manifests: no + in a repository name. Helm replaces the tag's text wherever it \
                  stands in the reference and goes to another repository.",
    },
    Disagreement {
        id: "reference-host",
        because: "RFC 3986 3.2.2 and RFC 6335 6: no such host or port can be reached, so Helm only fails later.",
    },
    Disagreement {
        id: "reference-url-part",
        because: "distribution-spec 1.1, pulling manifests: a name has no user, query, fragment or percent sign. Helm resolves a \
                  version with them and only fails, or goes elsewhere, when it pulls.",
    },
    Disagreement {
        id: "tag-is-a-tag",
        because: "distribution-spec 1.1, pulling manifests: whatever fits the grammar of a tag can be pulled. Helm reads `latest` and \
                  `1.0.0_x` as constraints and refuses what it pushed itself.",
    },
    Disagreement {
        id: "push-above-host",
        because: "RFC 3986 5.2.4: `..` never removes the authority. Helm makes a host of the next path component and sends the \
                  chart there.",
    },
    Disagreement {
        id: "provenance-form",
        because: "RFC 9580 7: what stands outside the dash-escaped text and its Hash headers is not signed, and CVE-2019-11841 shows what \
                  its readers fall for; YAML 1.1 3.2.1.3: the keys of a mapping are unique. Helm finds a block anywhere and lets the last \
                  key win.",
    },
    Disagreement {
        id: "provenance-weak",
        because: "SHA-1 collisions with a chosen prefix exist since 2020, FIPS 186-5 withdraws DSA, NIST SP 800-131A disallows RSA below \
                  2048 bits, and no signature is older than its key. Helm never asks its library's lists of what to refuse.",
    },
    Disagreement {
        id: "provenance-other-chart",
        because: "CWE-347: the signed metadata is what people read. Helm compares it with nothing, so that a good signature may stand \
                  under another chart's name.",
    },
    Disagreement {
        id: "provenance-renamed",
        because: "The digest says which bytes were signed. Helm goes by a name that it makes from the reference, so that nothing that was \
                  pulled by digest can be verified; its own change 32571 is to accept a digest.",
    },
];

/// The row of that id, where there is one; for our refusals the id is their reason.
pub(crate) fn allowed(id: &str) -> Option<&'static Disagreement> {
    TABLE.iter().find(|row| row.id == id)
}

/// Counts how often each row was needed.
#[derive(Debug, Default)]
pub(crate) struct Tally(BTreeMap<&'static str, usize>);

impl Tally {
    /// Accepts a difference because of row `id`; there must be one.
    pub(crate) fn allow(&mut self, id: &str, case: &dyn fmt::Debug) {
        let row = allowed(id).unwrap_or_else(|| panic!("disagreement without a row {id:?}: {case:?}"));
        *self.0.entry(row.id).or_default() += 1;
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "disagreements allowed: {:?}", self.0)
    }
}

#[test]
fn few_and_reasoned() {
    assert!(TABLE.len() <= 20);
    for row in TABLE {
        assert!(row.because.len() > 40, "{row:?}");
        assert_eq!(TABLE.iter().filter(|other| other.id == row.id).count(), 1, "{row:?}");
    }
}
