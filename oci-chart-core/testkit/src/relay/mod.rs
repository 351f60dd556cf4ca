//! A relay in front of any server, of ours or not, that makes connections go wrong on the level of bytes.

mod copy;
mod exchange;
mod head;
mod mishap;
mod pump;
mod serve;

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::{broadcast, oneshot};

use self::mishap::Schedule;
pub use self::mishap::{Mishap, Way};
use crate::log::locked;
use crate::script::Script;

/// A running relay on 127.0.0.1: what connects to it is connected to its target. It stops, and its connections end,
/// when this handle is dropped.
///
/// Without [`RelayBuilder::http`] it looks at bytes alone, hence relays TLS as well, and each connection meets at
/// most one [`Mishap`]. With it, a [`Script`] makes chosen exchanges go wrong, as that of a
/// [`Registry`](crate::Registry) does, in front of servers that nobody can tell to misbehave.
///
/// ```
/// use std::io::Read;
/// use std::net::TcpStream;
///
/// use oci_chart_testkit::{Mishap, Registry, Relay};
///
/// # fn main() -> std::io::Result<()> {
/// let registry = Registry::start()?;
/// let relay = Relay::start(registry.host())?;
/// relay.arm(2, Mishap::Refuse);
/// let _good = TcpStream::connect(relay.host())?;
/// let refused = TcpStream::connect(relay.host())?.read(&mut [0]);
/// assert_eq!(refused.unwrap_err().kind(), std::io::ErrorKind::ConnectionReset);
/// assert_eq!((relay.counts().connections, relay.counts().fired), (2, 1));
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Relay {
    shared: Arc<Shared>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// What can be set before a relay starts. Made by [`Relay::builder`].
#[derive(Clone, Debug)]
pub struct RelayBuilder {
    target: String,
    latency: Duration,
    http: bool,
}

/// What went through a relay so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counts {
    /// Connections accepted.
    pub connections: u64,
    /// Connections under way.
    pub open: u64,
    /// Bytes that clients sent and the target got.
    pub up: u64,
    /// Bytes that the target sent and clients got.
    pub down: u64,
    /// Mishaps and scripted faults that happened. One that waited for a byte that never came is none.
    pub fired: u64,
    /// Requests to the other origin (see [`Relay::elsewhere`]) that carried `Authorization`.
    pub leaked: u64,
}

/// What all connections of one relay share.
#[derive(Debug)]
struct Shared {
    target: String,
    latency: Duration,
    url: String,
    elsewhere: Option<String>,
    script: Script,
    schedule: Mutex<Schedule>,
    tally: Tally,
    /// Told to all open connections: end with a reset.
    reset: broadcast::Sender<()>,
}

#[derive(Debug, Default)]
struct Tally {
    connections: AtomicU64,
    open: AtomicU64,
    up: AtomicU64,
    down: AtomicU64,
    fired: AtomicU64,
    leaked: AtomicU64,
}

impl Relay {
    /// A relay to `target`, `HOST:PORT`, that changes nothing until told to.
    ///
    /// # Errors
    /// When no port can be bound on 127.0.0.1 or no thread started. That the target is there is found out by each
    /// connection: where it is not, the connection is reset.
    pub fn start(target: &str) -> io::Result<Self> {
        Self::builder(target).start_blocking()
    }

    /// The switches of a relay to `target`, `HOST:PORT`.
    #[must_use]
    pub fn builder(target: &str) -> RelayBuilder {
        RelayBuilder { target: target.to_owned(), latency: Duration::ZERO, http: false }
    }

    /// `127.0.0.1:PORT`, in the place of the target's address.
    #[must_use]
    pub fn host(&self) -> &str {
        self.url().split_once("://").map_or("", |(_, host)| host)
    }

    /// `http://127.0.0.1:PORT`, without a slash at the end.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.shared.url
    }

    /// `http://localhost:PORT`: another origin with the same target, there with [`RelayBuilder::http`] alone. It stands
    /// for the storage that registries redirect to ([`Fault::Redirect`](crate::Fault::Redirect)): requests with
    /// `Authorization` are counted and refused with 400; the others get the `Authorization` of the request that was
    /// redirected, as if their URL were signed.
    #[must_use]
    pub fn elsewhere(&self) -> &str {
        self.shared.elsewhere.as_deref().unwrap_or_default()
    }

    /// The `nth` connection from now, counted from 1, meets this mishap.
    pub fn arm(&self, nth: u64, mishap: Mishap) {
        let now = self.shared.tally.connections.load(Ordering::SeqCst);
        locked(&self.shared.schedule).add(now + nth, mishap);
    }

    /// Every connection from now on meets this mishap, unless it has one of its own.
    pub fn arm_all(&self, mishap: Mishap) {
        locked(&self.shared.schedule).always = Some(mishap);
    }

    /// Forgets all mishaps that wait for a connection.
    pub fn disarm(&self) {
        *locked(&self.shared.schedule) = Schedule::default();
    }

    /// Mishaps that still wait for a connection of their own.
    #[must_use]
    pub fn waiting(&self) -> usize {
        locked(&self.shared.schedule).len()
    }

    /// Resets all connections that are open, as a box in between does that has forgotten them.
    pub fn reset_open(&self) {
        // Nobody is told where nobody is connected.
        let _ = self.shared.reset.send(());
    }

    /// The fault script, which is looked at with [`RelayBuilder::http`] alone.
    #[must_use]
    pub fn script(&self) -> &Script {
        &self.shared.script
    }

    /// What went through so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        let tally = &self.shared.tally;
        let get = |count: &AtomicU64| count.load(Ordering::SeqCst);
        Counts {
            connections: get(&tally.connections),
            open: get(&tally.open),
            up: get(&tally.up),
            down: get(&tally.down),
            fired: get(&tally.fired) + self.shared.script.fired(),
            leaked: get(&tally.leaked),
        }
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A thread that panicked has already told its story on stderr.
            let _ = thread.join();
        }
    }
}

impl RelayBuilder {
    /// Every byte takes this long in either direction, and a connection one round trip to come about: what a client
    /// sends before that waits. Nothing else is slowed down.
    #[must_use]
    pub const fn latency(mut self, one_way: Duration) -> Self {
        self.latency = one_way;
        self
    }

    /// Reads the exchanges of plain HTTP/1.1 connections, so that the [`Script`] can bend them.
    #[must_use]
    pub const fn http(mut self) -> Self {
        self.http = true;
        self
    }

    /// Starts the relay on its own thread.
    ///
    /// # Errors
    /// As [`Relay::start`].
    pub fn start_blocking(self) -> io::Result<Relay> {
        serve::launch(self)
    }
}
