use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

use crate::{
    error::{Error, Result},
    limits::Limits,
    oci::Descriptor,
    store::Store,
};

/// How much one look at what lies beside a chart may fetch, and how long it may take.
pub(super) struct Budget {
    total: u64,
    left: AtomicU64,
    patience: Duration,
    started: Instant,
    /// Whether what is waited for comes over a network. Nothing else keeps anybody waiting, and works where there are no timers.
    is_remote: bool,
}

impl Budget {
    pub(super) fn new(limits: &Limits, store: &dyn Store) -> Self {
        Self {
            total: limits.verify_bytes,
            left: AtomicU64::new(limits.verify_bytes),
            patience: limits.verify_time,
            started: Instant::now(),
            is_remote: store.traits().address.is_some(),
        }
    }

    /// Takes room for so many bytes.
    pub(super) fn charge(&self, bytes: u64) -> Result<()> {
        let taken =
            self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(bytes));
        match taken {
            Ok(_) => Ok(()),
            Err(_) => Err(Error::limit(
                "verify_bytes",
                self.total,
                "what lies beside the chart is too large together",
            )),
        }
    }

    /// Takes room for a mention of a manifest in a list: about as many bytes as it has there.
    pub(super) fn charge_mention(&self, mention: &Descriptor) -> Result<()> {
        let beside = mention.annotations.iter().map(|(key, value)| key.len() + value.len() + 6);
        let kind = mention.artifact_type.as_ref().map_or(0, |kind| kind.as_str().len());
        self.charge((200 + mention.media_type.as_str().len() + kind + beside.sum::<usize>()) as u64)
    }

    /// Waits for an answer as long as there is time: whoever sends byte by byte is not waited for for ever.
    pub(super) async fn wait<T>(&self, answer: impl Future<Output = Result<T>>) -> Result<T> {
        let Some(left) = self.patience.checked_sub(self.started.elapsed()) else { return Err(self.late()) };
        if !self.is_remote {
            return answer.await;
        }
        tokio::time::timeout(left, answer).await.unwrap_or_else(|_| Err(self.late()))
    }

    fn late(&self) -> Error {
        let patience = format!("{:?}", self.patience);
        Error::limit("verify_time", patience, "looking at what lies beside the chart takes too long")
            .with_retryable(true)
    }
}
