use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use super::Host;
use crate::context::{Event, EventSink};

/// Something to be done on the waiting thread.
pub(super) type Question = Box<dyn FnOnce(&mut dyn Host) + Send>;

/// What the tasks of one call have for the thread that waits for it.
///
/// Progress is a latest value per transfer, so a slow listener never holds a transfer up nor lets memory grow. State changes are kept in order;
/// there are a few per transfer.
#[derive(Default)]
pub(super) struct Mailbox {
    inner: Mutex<Inner>,
    filled: Condvar,
}

#[derive(Default)]
struct Inner {
    progress: BTreeMap<u64, u64>,
    events: VecDeque<Event>,
    questions: VecDeque<Question>,
    news: VecDeque<Question>,
    done: bool,
}

/// What was found in the mailbox.
pub(super) struct Letters {
    pub(super) events: Vec<Event>,
    pub(super) questions: VecDeque<Question>,
    pub(super) done: bool,
}

impl Mailbox {
    pub(super) fn ask(&self, question: Question) {
        self.lock().questions.push_back(question);
        self.filled.notify_one();
    }

    /// Something to be heard and not answered.
    #[cfg(feature = "registry")]
    pub(super) fn tell(&self, news: Question) {
        /// How many things a host is told that it has not heard yet; more are lost.
        const MOST_NEWS: usize = 1024;
        let mut inner = self.lock();
        if inner.news.len() < MOST_NEWS {
            inner.news.push_back(news);
            drop(inner);
            self.filled.notify_one();
        }
    }

    /// Says that no more will come.
    pub(super) fn finish(&self) {
        self.lock().done = true;
        self.filled.notify_one();
    }

    /// Waits at most `patience` and takes everything that is there.
    pub(super) fn take(&self, patience: Duration) -> Letters {
        let empty = |inner: &mut Inner| {
            !inner.done
                && inner.progress.is_empty()
                && inner.events.is_empty()
                && inner.questions.is_empty()
                && inner.news.is_empty()
        };
        let waited = self.filled.wait_timeout_while(self.lock(), patience, empty);
        let (mut inner, _) = waited.unwrap_or_else(PoisonError::into_inner);
        let mut events: Vec<Event> = Vec::new();
        let progress = std::mem::take(&mut inner.progress);
        let changes = std::mem::take(&mut inner.events);
        // Progress made before a transfer's end comes before its end.
        events.extend(changes.iter().filter(|event| matches!(event, Event::Started(_))).cloned());
        events.extend(progress.into_iter().map(|(id, bytes)| Event::Progress { id, bytes }));
        events.extend(changes.into_iter().filter(|event| !matches!(event, Event::Started(_))));
        // What happened is told before what is asked.
        let mut questions = std::mem::take(&mut inner.news);
        questions.append(&mut inner.questions);
        Letters { events, questions, done: inner.done }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl EventSink for std::sync::Arc<Mailbox> {
    fn event(&self, event: Event) {
        let mut inner = self.lock();
        match event {
            Event::Progress { id, bytes } => {
                inner.progress.insert(id, bytes);
            }
            event => inner.events.push_back(event),
        }
        drop(inner);
        self.filled.notify_one();
    }
}
