//! Documents that are not Helm's: repository lists, Kubernetes objects, Artifact Hub files.

use serde::de::DeserializeOwned;

use crate::error::{Error, ErrorKind, Reason, Result};

/// Reads a document that is not Helm's into a type, by the rules of `serde_yaml` (YAML 1.2 in spirit: `yes` is text).
///
/// # Errors
///
/// [`ErrorKind::LimitExceeded`] above `max_bytes`; [`ErrorKind::InvalidInput`] for anything that is not YAML, not of the type, or
/// that uses aliases so that it grows out of proportion.
pub fn from_foreign<T: DeserializeOwned>(bytes: &[u8], max_bytes: usize) -> Result<T> {
    if bytes.len() > max_bytes {
        return Err(Error::new(ErrorKind::LimitExceeded, format!("a YAML text above {max_bytes} bytes"))
            .with_reason(Reason::DocumentTooLarge));
    }
    serde_yaml::from_slice(bytes)
        .map_err(|e| Error::new(ErrorKind::InvalidInput, "not a usable YAML document").with_source(e))
}
