//! Whatever Flux or the policy-controller is told to verify: what comes of it is a policy like any other, and a regular expression that is taken for a
//! pattern takes nothing from it that it would not take itself, but for empty runs.

use std::iter;

use oci_chart_core::trust::{Pattern, Policy};
use regex_lite::Regex;
use serde_json::json;

const ISSUER: &str = "https://issuer.example";

/// What stars are put in for.
const RUNS: [&str; 8] = ["", "a", ".", "a/b", "x@y/", "//", "é", "a\nb"];

pub(crate) fn check(bytes: &[u8]) {
    let secrets: [&[u8]; 1] =
        [br#"{"kind":"Secret","metadata":{"name":"s"},"stringData":{"trusted_root.json":"{}"}}"#];
    for policy in [Policy::from_flux(bytes, &secrets), Policy::from_cluster_image_policy(bytes, &secrets)] {
        let Ok(policy) = policy else { continue };
        assert_eq!(Policy::from_json(&policy.to_json()).expect("a policy"), policy);
    }
    let Ok(expression) = std::str::from_utf8(bytes) else { return };
    let flux = json!({"spec": {"verify": {"matchOIDCIdentity": [{"issuer": format!("^{ISSUER}$"), "subject": expression}]}}});
    let controller = json!({"kind": "ClusterImagePolicy", "spec": {"authorities": [
        {"keyless": {"identities": [{"issuer": ISSUER, "subjectRegExp": expression}]}},
    ]}});
    let flux = subject(Policy::from_flux(flux.to_string().as_bytes(), &[]).ok());
    let controller = subject(Policy::from_cluster_image_policy(controller.to_string().as_bytes(), &[]).ok());
    // The controller takes no empty text for an expression, nor is one a pattern.
    assert_eq!(flux, controller, "{expression:?}");
    if let Some(pattern) = flux {
        hold(expression, &pattern);
    }
}

fn subject(policy: Option<Policy>) -> Option<Pattern> {
    let Some(Policy::Keyless(policy)) = policy else { return None };
    policy.identities.into_iter().next().map(|identity| identity.subject)
}

/// Holds a pattern against the expression that it came of.
fn hold(expression: &str, pattern: &Pattern) {
    // In Go these two are letters; in Rust, edges of words.
    if expression.contains("\\<") || expression.contains("\\>") {
        return;
    }
    // Of what is taken, a `+` stands behind a run alone.
    let read = |text: &str| Regex::new(text).unwrap_or_else(|error| panic!("{text:?}: {error}"));
    let (strict, loose) = (read(expression), read(&expression.replace(".+", ".*").replace("[^/]+", "[^/]*")));
    let shown = pattern.to_string();
    let pieces: Vec<&str> = match pattern.as_exact() {
        Some(exact) => vec![exact],
        None => shown.split('*').collect(),
    };
    for run in RUNS {
        let text = pieces.join(run);
        // The text as it is, without a letter, and with one more.
        let edges = || text.char_indices().map(|(at, letter)| (at, at + letter.len_utf8())).take(200);
        let shorter = edges().map(|(from, to)| format!("{}{}", &text[..from], &text[to..]));
        let longer = edges().map(|(_, to)| format!("{}x{}", &text[..to], &text[to..]));
        for text in iter::once(text.clone()).chain(shorter).chain(longer) {
            if pattern.matches(&text) {
                assert!(loose.is_match(&text), "{pattern} takes {text:?}, and {expression:?} does not");
            }
        }
        if !run.is_empty() && pattern.matches(&text) {
            assert!(strict.is_match(&text), "{pattern} takes {text:?}, and {expression:?} does not");
        }
    }
}
