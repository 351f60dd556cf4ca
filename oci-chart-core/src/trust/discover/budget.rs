use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

use crate::{
    error::{Error, ErrorKind, Result},
    limits::Limits,
};

/// What one check may fetch, and how long.
pub(super) struct Budget {
    total: u64,
    left: AtomicU64,
    patience: Duration,
    started: Instant,
}

impl Budget {
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            total: limits.verify_bytes,
            left: AtomicU64::new(limits.verify_bytes),
            patience: limits.verify_time,
            started: Instant::now(),
        }
    }

    /// Takes room for so many bytes.
    pub(super) fn charge(&self, bytes: u64) -> Result<()> {
        let taken =
            self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(bytes));
        match taken {
            Ok(_) => Ok(()),
            Err(_) => Err(Error::limit("verify_bytes", self.total, "the signatures together are too large")),
        }
    }

    /// Fails once the time is over.
    pub(super) fn check_time(&self) -> Result<()> {
        if self.started.elapsed() <= self.patience {
            return Ok(());
        }
        let error = Error::limit(
            "verify_time",
            format!("{:?}", self.patience),
            "looking for signatures takes too long",
        );
        Err(error.with_kind(ErrorKind::LimitExceeded).with_retryable(true))
    }
}
