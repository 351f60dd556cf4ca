use serde::Serialize;

use super::{Evidence, text};

/// Something whose policy was satisfied, and the evidence. Only this module makes one, so a function that takes it has the compiler ask
/// for the check. What comes out of it as JSON (`value` and `evidence`) is a report, and no proof.
///
/// ```compile_fail
/// # use oci_chart_core::trust::{Evidence, Verified};
/// fn forge<T>(value: T, evidence: Evidence) -> Verified<T> {
///     Verified { value, evidence } // private fields
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Verified<T> {
    value: T,
    evidence: Evidence,
}

impl<T> Verified<T> {
    pub(in crate::trust) fn new(value: T, evidence: Evidence) -> Self {
        Self { value, evidence }
    }

    /// What was verified.
    pub fn get(&self) -> &T {
        &self.value
    }

    /// Why it counts as verified.
    pub fn evidence(&self) -> &Evidence {
        &self.evidence
    }

    /// As JSON.
    pub fn to_json(&self) -> String
    where
        T: Serialize,
    {
        text::json(self)
    }

    /// Both, and no proof any more.
    pub fn into_parts(self) -> (T, Evidence) {
        (self.value, self.evidence)
    }
}
