//! Threads on which work may block.

use std::sync::{Arc, Mutex, PoisonError};

/// What `work` gives, run on one of the runtime's threads for blocking work; none if it panicked, or if the runtime ended first.
///
/// The runtime gets one type of task, whatever the work is: else much of its code would be there once for each.
pub(crate) async fn off_thread<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    let place = Arc::new(Mutex::new(None));
    let result = Arc::clone(&place);
    run(Box::new(move || {
        let done = work();
        *result.lock().unwrap_or_else(PoisonError::into_inner) = Some(done);
    }))
    .await;
    place.lock().unwrap_or_else(PoisonError::into_inner).take()
}

async fn run(work: Box<dyn FnOnce() + Send>) {
    // Whether there is a result says it all.
    let _ = tokio::task::spawn_blocking(work).await;
}
