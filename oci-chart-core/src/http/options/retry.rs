use std::{fmt, sync::Arc, time::Duration};

use crate::http::clock::{Clock, SystemClock};

/// When a failed request is sent again, and how long is waited before.
///
/// Sent again is what may be said twice, after an answer 408, 429, 499, 500, 502, 503, 504 or 522, a connection that was cut or reset
/// (over HTTP/2 also one that the server closes with GOAWAY), and a time-out. The wait doubles from try to try, from
/// [`first_wait`](Self::first_wait) up to [`most_wait`](Self::most_wait), and is shortened by a random part of up to half; a cut connection
/// is replaced at once the first time. Where the server names a wait (`Retry-After`, seconds or date), that one is kept. Each wait is told as
/// [`Event::Waiting`](crate::Event), and ends at once when the call is cancelled.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use oci_chart_core::store::{ConnectionOptions, RetryOptions};
///
/// let patient = RetryOptions::default().with_attempts(8).with_most_retry_after(Duration::from_secs(600));
/// let options = ConnectionOptions::default().with_retry(patient);
/// assert_eq!(options.retry.attempts, 8);
/// ```
#[derive(Clone)]
#[non_exhaustive]
pub struct RetryOptions {
    /// How often a request is sent at most, the first time included. Default: 5; 1 is never again.
    pub attempts: u32,
    /// The wait after the first failure. Default: 200 ms.
    pub first_wait: Duration,
    /// The longest wait that is not asked for by the server. Default: 10 seconds.
    pub most_wait: Duration,
    /// The longest wait that the server may ask for; the request fails at once where it asks for more. Default: 1 minute.
    pub most_retry_after: Duration,
    /// After so much time no new try begins, counted from the first, or from the last bytes of a download that goes on. Default: 5 minutes.
    pub most_time: Duration,
    /// Makes the random part of the waits the same each time.
    pub seed: Option<u64>,
    /// The clock of all waits and paces.
    pub clock: Arc<dyn Clock>,
}

impl Default for RetryOptions {
    fn default() -> Self {
        Self {
            attempts: 5,
            first_wait: Duration::from_millis(200),
            most_wait: Duration::from_secs(10),
            most_retry_after: Duration::from_secs(60),
            most_time: Duration::from_secs(300),
            seed: None,
            clock: Arc::new(SystemClock),
        }
    }
}

impl RetryOptions {
    /// Never sends anything again.
    pub fn never() -> Self {
        Self { attempts: 1, ..Self::default() }
    }

    /// Sends a request at most so often, the first time included.
    #[must_use]
    pub fn with_attempts(mut self, attempts: u32) -> Self {
        self.attempts = attempts;
        self
    }

    /// Waits so long after the first failure.
    #[must_use]
    pub fn with_first_wait(mut self, wait: Duration) -> Self {
        self.first_wait = wait;
        self
    }

    /// Never waits longer than that by itself.
    #[must_use]
    pub fn with_most_wait(mut self, wait: Duration) -> Self {
        self.most_wait = wait;
        self
    }

    /// Waits at most so long because the server asks for it.
    #[must_use]
    pub fn with_most_retry_after(mut self, wait: Duration) -> Self {
        self.most_retry_after = wait;
        self
    }

    /// Begins no new try after so much time.
    #[must_use]
    pub fn with_most_time(mut self, time: Duration) -> Self {
        self.most_time = time;
        self
    }

    /// Makes the random part of the waits the same each time.
    #[must_use]
    pub fn with_seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// Waits by `clock`.
    #[must_use]
    pub fn with_clock(mut self, clock: impl Clock + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }
}

impl fmt::Debug for RetryOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RetryOptions")
            .field("attempts", &self.attempts)
            .field("first_wait", &self.first_wait)
            .field("most_wait", &self.most_wait)
            .field("most_retry_after", &self.most_retry_after)
            .field("most_time", &self.most_time)
            .field("seed", &self.seed)
            .finish_non_exhaustive()
    }
}
