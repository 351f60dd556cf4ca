//! The request log: what came in, what went out, over which connection, and how much of it at the same time.

mod exchange;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use hyper::HeaderMap;
use hyper::header::{AUTHORIZATION, COOKIE, PROXY_AUTHORIZATION};

pub use self::exchange::{Class, Exchange, Origin};

/// The log of one registry. Cheap to clone; clones share the entries.
#[derive(Clone, Debug)]
pub struct Log(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    start: Instant,
    entries: Mutex<Vec<Arc<Entry>>>,
    gauge: Mutex<Gauge>,
    connections: AtomicU64,
}

#[derive(Debug, Default)]
struct Gauge {
    now: usize,
    peak: usize,
}

impl Log {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Shared {
            start: Instant::now(),
            entries: Mutex::default(),
            gauge: Mutex::default(),
            connections: AtomicU64::new(0),
        }))
    }

    /// All exchanges so far, in order of arrival.
    #[must_use]
    pub fn entries(&self) -> Vec<Exchange> {
        locked(&self.0.entries).iter().map(|entry| entry.snapshot()).collect()
    }

    /// All exchanges so far; the log is empty afterwards, and connection and concurrency counts start again.
    pub fn take(&self) -> Vec<Exchange> {
        let entries = std::mem::take(&mut *locked(&self.0.entries));
        let mut gauge = locked(&self.0.gauge);
        gauge.peak = gauge.now;
        self.0.connections.store(0, Ordering::SeqCst);
        entries.iter().map(|entry| entry.snapshot()).collect()
    }

    /// Exchanges that satisfy `wanted`.
    pub fn count(&self, wanted: impl Fn(&Exchange) -> bool) -> usize {
        self.entries().iter().filter(|exchange| wanted(exchange)).count()
    }

    /// Exchanges of one class.
    #[must_use]
    pub fn count_class(&self, class: Class) -> usize {
        self.count(|exchange| exchange.class == class)
    }

    /// Exchanges as [`Exchange::line`]s.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        self.entries().iter().map(Exchange::line).collect()
    }

    /// TCP connections accepted, on all listeners, since the start or the last [`Log::take`].
    #[must_use]
    pub fn connections(&self) -> u64 {
        self.0.connections.load(Ordering::SeqCst)
    }

    /// The largest number of requests under way at one moment. A request ends when the last byte of its answer is
    /// handed to the connection, hence before the client can have seen it.
    #[must_use]
    pub fn max_concurrent(&self) -> usize {
        locked(&self.0.gauge).peak
    }

    /// The longest chain of exchanges in which each began after the one before was answered. This is the number of
    /// round trips that a client could not overlap, provided that answers are slow enough to tell:
    /// see [`Builder::latency`](crate::Builder::latency).
    #[must_use]
    pub fn depth(&self) -> usize {
        let mut spans: Vec<_> =
            self.entries().iter().filter_map(|e| e.answered.map(|answered| (answered, e.started))).collect();
        spans.sort_unstable();
        let mut last = None;
        let mut depth = 0;
        for (answered, started) in spans {
            if last.is_none_or(|last| started >= last) {
                depth += 1;
                last = Some(answered);
            }
        }
        depth
    }

    /// Numbers a new connection. Numbers are never given twice, [`Log::take`] resets the count alone.
    pub(crate) fn connected(&self, total: &AtomicU64) -> u64 {
        self.0.connections.fetch_add(1, Ordering::SeqCst);
        total.fetch_add(1, Ordering::SeqCst) + 1
    }

    pub(crate) fn begin(&self, exchange: &Begin<'_>) -> Arc<Entry> {
        let headers = exchange.headers.iter().map(|(name, value)| {
            let secret = [AUTHORIZATION, PROXY_AUTHORIZATION, COOKIE].contains(name);
            let value = if secret { "[hidden]".into() } else { String::from_utf8_lossy(value.as_bytes()) };
            (name.as_str().to_owned(), value.into_owned())
        });
        let known = Exchange {
            origin: exchange.origin,
            connection: exchange.connection,
            class: exchange.class,
            method: exchange.method.to_owned(),
            target: exchange.target.to_owned(),
            status: None,
            bytes_in: 0,
            bytes_out: 0,
            authorization: scheme(exchange.headers),
            headers: headers.collect(),
            started: self.0.start.elapsed(),
            answered: None,
            faulted: false,
        };
        let entry = Arc::new(Entry { log: self.clone(), state: Mutex::new((known, true)) });
        let mut gauge = locked(&self.0.gauge);
        gauge.now += 1;
        gauge.peak = gauge.peak.max(gauge.now);
        locked(&self.0.entries).push(Arc::clone(&entry));
        entry
    }
}

/// What is known of an exchange when it begins.
pub(crate) struct Begin<'a> {
    pub(crate) origin: Origin,
    pub(crate) connection: u64,
    pub(crate) class: Class,
    pub(crate) method: &'a str,
    pub(crate) target: &'a str,
    pub(crate) headers: &'a HeaderMap,
}

/// An exchange under way: the log's half of a request.
#[derive(Debug)]
pub(crate) struct Entry {
    log: Log,
    /// The exchange, and whether it is still counted as under way.
    state: Mutex<(Exchange, bool)>,
}

impl Entry {
    pub(crate) fn received(&self, bytes: usize) {
        locked(&self.state).0.bytes_in += bytes as u64;
    }

    pub(crate) fn sent(&self, bytes: usize) {
        locked(&self.state).0.bytes_out += bytes as u64;
    }

    pub(crate) fn faulted(&self) {
        locked(&self.state).0.faulted = true;
    }

    pub(crate) fn answered(&self, status: u16) {
        let mut state = locked(&self.state);
        state.0.status = Some(status);
        state.0.answered = Some(self.log.0.start.elapsed());
    }

    /// Takes the exchange out of the concurrency count; more than once does no harm.
    pub(crate) fn end(&self) {
        if std::mem::take(&mut locked(&self.state).1) {
            locked(&self.log.0.gauge).now -= 1;
        }
    }

    fn snapshot(&self) -> Exchange {
        locked(&self.state).0.clone()
    }
}

fn scheme(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(AUTHORIZATION)?;
    let text = String::from_utf8_lossy(value.as_bytes());
    Some(text.split_whitespace().next().unwrap_or_default().to_owned())
}

/// A panic in one test's closure must not hide the log from the next assertion.
pub(crate) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
