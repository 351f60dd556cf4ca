//! Whatever a server asks is read without a fault, and what was understood prints as something that is understood the same.

use oci_chart_core::auth::Challenge;

pub(crate) fn check(bytes: &[u8]) {
    let challenges = Challenge::parse(bytes);
    let printed: Vec<_> = challenges.iter().map(ToString::to_string).collect();
    assert_eq!(Challenge::parse(printed.join(", ").as_bytes()), challenges, "{printed:?}");
    for challenge in &challenges {
        assert_eq!(challenge.scheme(), challenge.scheme().to_ascii_lowercase());
    }
}
