//! No bytes make the reader of certificates panic, and what it shows is bounded.

use oci_chart_core::fuzzing;

pub(crate) fn check(bytes: &[u8]) {
    if let Some((names, _)) = fuzzing::certificate(bytes) {
        assert!(names.len() <= 20 && names.iter().map(String::len).sum::<usize>() <= bytes.len() * 8);
    }
}
