use std::{borrow::Cow, fmt};

use crate::error::{Error, ErrorKind, Reason};

/// What is wrong with one piece of evidence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Flaw {
    pub(crate) reason: Reason,
    pub(crate) message: Cow<'static, str>,
}

impl Flaw {
    pub(crate) fn new(reason: Reason, message: impl Into<Cow<'static, str>>) -> Self {
        Self { reason, message: message.into() }
    }

    /// Something that cannot be read.
    pub(crate) fn malformed(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Reason::MalformedSignature, message)
    }
}

/// What a stranger wrote, as it may stand in a message: escaped, and cut where it goes on and on.
pub(crate) fn shown(text: &str) -> String {
    let start: String = text.chars().take(100).collect();
    format!("{start:?}")
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Flaw {}

impl From<Flaw> for Error {
    fn from(flaw: Flaw) -> Self {
        let reason = flaw.reason;
        Self::new(ErrorKind::SignatureInvalid, flaw.message).with_reason(reason)
    }
}
