//! A clock that passes only where somebody sleeps: tests of waits take no time, and know how long was waited.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use async_trait::async_trait;
use oci_chart_core::store::{Clock, RetryOptions};

/// Clones are the same clock.
#[derive(Clone)]
pub(crate) struct Dial(Arc<Inner>);

struct Inner {
    begun: Instant,
    waits: Mutex<Vec<Duration>>,
}

impl Default for Dial {
    fn default() -> Self {
        Self(Arc::new(Inner { begun: Instant::now(), waits: Mutex::default() }))
    }
}

impl Dial {
    /// All waits so far.
    pub(crate) fn waits(&self) -> Vec<Duration> {
        self.0.waits.lock().unwrap().clone()
    }

    /// The default retries, by this clock.
    pub(crate) fn retry(&self) -> RetryOptions {
        RetryOptions::default().with_seed(7).with_clock(self.clone())
    }
}

#[async_trait]
impl Clock for Dial {
    fn now(&self) -> Instant {
        self.0.begun + self.0.waits.lock().unwrap().iter().sum::<Duration>()
    }

    async fn sleep(&self, wait: Duration) {
        self.0.waits.lock().unwrap().push(wait);
        tokio::task::yield_now().await;
    }
}
