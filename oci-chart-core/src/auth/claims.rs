use std::time::{Duration, SystemTime};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Deserialize;

/// A token above this is not looked into, in bytes.
const MOST_BYTES: usize = 64 << 10;

/// What a token says of itself, where it is a JWT (RFC 7519). Its signature is not checked: this is what to expect of it, not what to
/// grant.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(crate) struct Claims {
    exp: Option<f64>,
}

impl Claims {
    /// The claims of `token`; `None` for an opaque one.
    pub(crate) fn read(token: &str) -> Option<Self> {
        let mut parts = token.split('.');
        let (_, payload, _) = (parts.next()?, parts.next()?, parts.next()?);
        if token.len() > MOST_BYTES || parts.next().is_some() {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).ok()?;
        serde_json::from_slice(&bytes).ok()
    }

    /// When the token ends.
    pub(crate) fn expires(&self) -> Option<SystemTime> {
        SystemTime::UNIX_EPOCH.checked_add(Duration::try_from_secs_f64(self.exp?).ok()?)
    }
}
