//! The one error of this crate: a flat kind to act on, a stable reason below it, and the story around it.
//!
//! [`ErrorKind`] is the contract that every language binding maps; its numbers never change. [`Reason`] names the cause
//! below the kind where a caller may want to act on it. The message says what failed at this level only;
//! [`std::error::Error::source`] leads to the rest.
//!
#![doc = include_str!("error/table.md")]

mod kind;
mod reason;

use std::{borrow::Cow, error::Error as StdError, fmt, time::Duration};

pub use kind::ErrorKind;
pub use reason::Reason;

/// What every fallible function of this crate returns.
pub type Result<T, E = Error> = std::result::Result<T, E>;

type BoxError = Box<dyn StdError + Send + Sync + 'static>;

/// What went wrong, where, and what to do about it. One pointer wide.
///
/// # Examples
///
/// ```
/// use oci_chart_core::{Error, ErrorKind};
///
/// let error = Error::new(ErrorKind::NotFound, "no version 1.2.3")
///     .with_operation("pull")
///     .with_context("repository", "registry.example/charts/web")
///     .with_hint("list the tags of the repository");
/// assert_eq!(error.kind(), ErrorKind::NotFound);
/// assert_eq!(error.get("repository"), Some("registry.example/charts/web"));
/// assert_eq!(error.to_string(), "pull: no version 1.2.3 (repository: registry.example/charts/web)");
/// ```
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    reason: Option<Reason>,
    operation: Option<&'static str>,
    message: Cow<'static, str>,
    context: Vec<(&'static str, String)>,
    retryable: bool,
    retry_after: Option<Duration>,
    hint: Option<Cow<'static, str>>,
    source: Option<BoxError>,
}

impl Error {
    /// An error of `kind` whose `message` says what failed, in lower case and without a final stop.
    pub fn new(kind: ErrorKind, message: impl Into<Cow<'static, str>>) -> Self {
        Self(Box::new(Inner {
            kind,
            reason: None,
            operation: None,
            message: message.into(),
            context: Vec::new(),
            retryable: false,
            retry_after: None,
            hint: None,
            source: None,
        }))
    }

    /// Names the verb that failed. The innermost name stays: a later one becomes context.
    #[must_use]
    pub fn with_operation(mut self, operation: &'static str) -> Self {
        match self.0.operation {
            None => self.0.operation = Some(operation),
            Some(inner) if inner != operation => {
                if self.get("during").is_none() {
                    self.0.context.push(("during", operation.to_owned()));
                }
            }
            Some(_) => {}
        }
        self
    }

    /// Adds where it failed: a file, a field, a reference. The first value of a key stays.
    #[must_use]
    pub fn with_context(mut self, key: &'static str, value: impl fmt::Display) -> Self {
        if self.get(key).is_none() {
            self.0.context.push((key, value.to_string()));
        }
        self
    }

    /// Adds the stable word for the cause.
    #[must_use]
    pub fn with_reason(mut self, reason: Reason) -> Self {
        self.0.reason = Some(reason);
        self
    }

    /// Adds what a person can do about it.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<Cow<'static, str>>) -> Self {
        self.0.hint = Some(hint.into());
        self
    }

    /// Adds the error underneath.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<BoxError>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// Says whether the same call may succeed later without any change.
    #[must_use]
    pub fn with_retryable(mut self, retryable: bool) -> Self {
        self.0.retryable = retryable;
        self
    }

    /// Says how long the other side asks to be left alone.
    #[must_use]
    pub fn with_retry_after(mut self, wait: Duration) -> Self {
        self.0.retry_after = Some(wait);
        self
    }

    /// The same story under another kind, for a caller that knows better what it means.
    #[must_use]
    pub fn with_kind(mut self, kind: ErrorKind) -> Self {
        self.0.kind = kind;
        self
    }

    /// What to act on.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The cause below the kind, where there is one.
    pub fn reason(&self) -> Option<Reason> {
        self.0.reason
    }

    /// The verb that failed, where one is known.
    pub fn operation(&self) -> Option<&'static str> {
        self.0.operation
    }

    /// What failed, without operation and context.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Where it failed, in the order in which it was learnt.
    pub fn context(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.0.context.iter().map(|(key, value)| (*key, value.as_str()))
    }

    /// One value of the context.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.context().find(|(name, _)| *name == key).map(|(_, value)| value)
    }

    /// What a person can do about it, where that is known; malformed input always has one.
    pub fn hint(&self) -> Option<&str> {
        self.0.hint.as_deref().or(self.0.kind.hint())
    }

    /// Whether the same call may succeed later without any change (a cut connection, a 503).
    pub fn is_retryable(&self) -> bool {
        self.0.retryable
    }

    /// How long the other side asked to be left alone, where it did (`Retry-After`).
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// The error of a cancelled call.
    pub fn cancelled() -> Self {
        Self::new(ErrorKind::Cancelled, "cancelled by the caller")
    }

    /// The error of a bound of [`crate::Limits`] that was passed; `limit` is its field.
    pub fn limit(
        limit: &'static str,
        bound: impl fmt::Display,
        message: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self::new(ErrorKind::LimitExceeded, message)
            .with_context("limit", limit)
            .with_context("bound", bound)
            .with_hint("if the content is to be trusted, raise this limit in `Limits`")
    }

    /// A file operation that failed. Errors of `fs_err` name their path themselves.
    pub fn io(error: std::io::Error) -> Self {
        error.into()
    }
}

impl From<std::io::Error> for Error {
    /// An [`Error`] that travelled inside an I/O error (through a reader) comes out as it went in.
    fn from(error: std::io::Error) -> Self {
        if error.get_ref().is_some_and(|inner| inner.is::<Self>()) {
            if let Some(Ok(inner)) = error.into_inner().map(|inner| inner.downcast::<Self>()) {
                return *inner;
            }
            return Self::new(ErrorKind::Internal, "an I/O error lost its cause");
        }
        let missing = error.kind() == std::io::ErrorKind::NotFound;
        let kind = if missing { ErrorKind::NotFound } else { ErrorKind::Io };
        let message = match error.kind() {
            std::io::ErrorKind::NotFound => "file not found",
            std::io::ErrorKind::PermissionDenied => "permission denied by the operating system",
            std::io::ErrorKind::StorageFull => "no space left on the device",
            _ => "file operation failed",
        };
        // What the system itself said is the cause below, and belongs into the message.
        let text = match StdError::source(&error) {
            Some(cause) => format!("{message}: {error}: {cause}"),
            None => format!("{message}: {error}"),
        };
        Self::new(kind, text).with_source(error)
    }
}

impl From<Error> for std::io::Error {
    /// For readers and writers that can only fail with an I/O error; [`Error::from`] takes it back out.
    fn from(error: Error) -> Self {
        Self::other(error)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(operation) = self.0.operation {
            write!(f, "{operation}: ")?;
        }
        f.write_str(&self.0.message)?;
        for (n, (key, value)) in self.context().enumerate() {
            write!(f, "{}{key}: {value}", if n == 0 { " (" } else { ", " })?;
        }
        if self.0.context.is_empty() { Ok(()) } else { f.write_str(")") }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {self}", self.0.kind.name())?;
        if let Some(reason) = self.0.reason {
            write!(f, "\n  reason: {reason}")?;
        }
        if let Some(hint) = self.hint() {
            write!(f, "\n  hint: {hint}")?;
        }
        let mut cause = self.source();
        while let Some(error) = cause {
            write!(f, "\n  caused by: {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_pointer_wide() {
        assert_eq!(size_of::<Error>(), size_of::<usize>());
    }

    #[test]
    fn an_error_survives_a_trip_through_io() {
        let error = Error::limit("total_bytes", 10, "too large").with_reason(Reason::ArchiveTooLarge);
        let back = Error::from(std::io::Error::from(error));
        assert_eq!(back.kind(), ErrorKind::LimitExceeded);
        assert_eq!(back.reason(), Some(Reason::ArchiveTooLarge));
        assert_eq!(back.get("bound"), Some("10"));
    }

    #[test]
    fn the_innermost_operation_and_context_stay() {
        let error = Error::new(ErrorKind::Io, "cut").with_operation("fetch").with_context("digest", "a");
        let error = error.with_operation("pull").with_context("digest", "b");
        assert_eq!(error.to_string(), "fetch: cut (digest: a, during: pull)");
    }

    #[test]
    fn debug_shows_the_chain_and_the_hint() {
        let error = Error::new(ErrorKind::Network, "no answer")
            .with_source(std::io::Error::other("reset"))
            .with_hint("try again");
        let shown = format!("{error:?}");
        assert!(shown.contains("caused by: reset") && shown.contains("hint: try again"), "{shown}");
    }
}
