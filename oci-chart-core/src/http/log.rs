use std::{fmt, panic::AssertUnwindSafe, sync::Arc, time::Duration};

use crate::redact::RedactedUrl;

/// One request as it went out, with what came of it: for people who look for a fault. Nothing in it is secret, and each try and each redirect
/// is one.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct LoggedRequest {
    /// The method.
    pub method: String,
    /// Where it went.
    pub url: RedactedUrl,
    /// The status of the answer, where one came.
    pub status: Option<u16>,
    /// What happened instead.
    pub error: Option<String>,
    /// Which try it was, counted from 1.
    pub attempt: u32,
    /// How long it took until the answer began, its wait for its turn included.
    pub time: Duration,
}

impl fmt::Display for LoggedRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} ", self.method, self.url)?;
        match (self.status, &self.error) {
            (Some(status), _) => write!(f, "{status}")?,
            (None, Some(error)) => f.write_str(error)?,
            (None, None) => f.write_str("nothing")?,
        }
        write!(f, " after {} ms", self.time.as_millis())?;
        if self.attempt > 1 { write!(f, ", try {}", self.attempt) } else { Ok(()) }
    }
}

/// Takes requests as they are done. Called from the tasks that work, so it must not block.
///
/// A closure is one:
///
/// ```
/// use oci_chart_core::store::{ConnectionOptions, LoggedRequest};
///
/// let options = ConnectionOptions::default().with_log(|request: &LoggedRequest| eprintln!("{request}"));
/// ```
pub trait RequestLog: Send + Sync {
    /// Takes one request.
    fn request(&self, request: &LoggedRequest);
}

impl<F: Fn(&LoggedRequest) + Send + Sync> RequestLog for F {
    fn request(&self, request: &LoggedRequest) {
        self(request);
    }
}

/// Where requests are told, if anywhere.
#[derive(Clone, Default)]
pub(super) struct Log(Option<Shared>);

/// A listener that panicked takes nothing of ours with it: it is only ever told.
type Shared = Arc<AssertUnwindSafe<Box<dyn RequestLog>>>;

impl Log {
    pub(super) fn new(log: impl RequestLog + 'static) -> Self {
        Self(Some(Arc::new(AssertUnwindSafe(Box::new(log)))))
    }

    pub(super) fn tell(&self, request: impl FnOnce() -> LoggedRequest) {
        if let Some(log) = &self.0 {
            log.request(&request());
        }
    }
}

impl fmt::Debug for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Log(on)" } else { "Log(off)" })
    }
}
