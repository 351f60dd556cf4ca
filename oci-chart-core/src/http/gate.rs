use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{failure::Place, options::HostOptions, retry::Waits};
use crate::context::{Context, Event};

/// Waits shorter than this are not told: nobody would see them.
const WORTH_TELLING: Duration = Duration::from_millis(100);

/// Keeps to how much each host is to be asked at once and in a second, and leaves hosts alone that asked for it.
#[derive(Default)]
pub(super) struct Gates {
    hosts: Mutex<HashMap<String, Arc<Gate>>>,
    /// Whether any host asked to be left alone; while none did, who has no rules passes without a look.
    held: AtomicBool,
}

/// The right to have a request under way.
pub(super) type Permit = Option<OwnedSemaphorePermit>;

struct Gate {
    /// Reading and writing apart: an upload whose bytes are just being downloaded from the same host would wait for itself.
    reads: Option<Arc<Semaphore>>,
    writes: Option<Arc<Semaphore>>,
    pace: Option<Duration>,
    next: Mutex<Option<Instant>>,
}

impl Gates {
    /// Waits for the turn of the request at `place`.
    pub(super) async fn pass(&self, place: &Place, waits: &Waits) -> Permit {
        let options = place.setting.host(&place.url).filter(|options| Gate::is_needed(options));
        if options.is_none() && !self.held.load(Ordering::Relaxed) {
            return None;
        }
        let gate = self.gate(place, options);
        let semaphore = if place.method.is_safe() { &gate.reads } else { &gate.writes };
        let permit = match semaphore {
            // Never closed.
            Some(semaphore) => Arc::clone(semaphore).acquire_owned().await.ok(),
            None => None,
        };
        let wait = gate.turn(waits.now());
        if !wait.is_zero() {
            let cx = Context::current();
            if wait >= WORTH_TELLING && cx.has_listener() {
                cx.emit(Event::Waiting {
                    what: format!("{} {}", place.method, place.shown()),
                    why: "the host is not to be asked more often, or asked to be left alone".to_owned(),
                    attempt: 0,
                    wait,
                });
            }
            waits.sleep(wait).await;
        }
        permit
    }

    /// Leaves the host of `place` alone until `then`.
    pub(super) fn hold(&self, place: &Place, then: Instant) {
        let options = place.setting.host(&place.url);
        self.gate(place, options).hold(then);
        self.held.store(true, Ordering::Relaxed);
    }

    fn gate(&self, place: &Place, options: Option<&HostOptions>) -> Arc<Gate> {
        let url = &place.url;
        let port = url.port_or_known_default().unwrap_or_default();
        let key = format!("{}:{port}", url.host_str().unwrap_or_default());
        let mut hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(hosts.entry(key).or_insert_with(|| Arc::new(Gate::new(options))))
    }
}

impl Gate {
    fn is_needed(options: &HostOptions) -> bool {
        options.concurrency.is_some() || options.requests_per_second.is_some()
    }

    fn new(options: Option<&HostOptions>) -> Self {
        let concurrency = options.and_then(|options| options.concurrency);
        let semaphore = || {
            let permits = concurrency?.clamp(1, Semaphore::MAX_PERMITS);
            Some(Arc::new(Semaphore::new(permits)))
        };
        let rate = options.and_then(|options| options.requests_per_second).filter(|rate| *rate > 0.0);
        let pace = rate.and_then(|rate| Duration::try_from_secs_f64(1.0 / rate).ok());
        Self { reads: semaphore(), writes: semaphore(), pace, next: Mutex::default() }
    }

    /// Gives no turn before `then`.
    fn hold(&self, then: Instant) {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        if next.is_none_or(|next| next < then) {
            *next = Some(then);
        }
    }

    /// How long until the turn that is taken hereby.
    fn turn(&self, now: Instant) -> Duration {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let turn = next.map_or(now, |next| next.max(now));
        if let Some(pace) = self.pace {
            *next = turn.checked_add(pace);
        }
        turn.saturating_duration_since(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_are_evenly_spaced_and_none_is_saved_up() {
        let options = HostOptions::default().with_requests_per_second(4.0);
        let (gate, now) = (Gate::new(Some(&options)), Instant::now());
        let turns: Vec<_> = (0..3).map(|_| gate.turn(now).as_millis()).collect();
        assert_eq!(turns, [0, 250, 500]);
        let later = now + Duration::from_secs(10);
        assert_eq!([gate.turn(later).as_millis(), gate.turn(later).as_millis()], [0, 250]);
        for rate in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            let gate = Gate::new(Some(&HostOptions::default().with_requests_per_second(rate)));
            gate.turn(now);
            assert!(gate.turn(now).is_zero(), "{rate}");
        }
    }

    #[test]
    fn of_two_who_ask_to_be_left_alone_the_longer_counts() {
        let (gate, now) = (Gate::new(None), Instant::now());
        for seconds in [30, 5] {
            gate.hold(now + Duration::from_secs(seconds));
        }
        assert_eq!(gate.turn(now), Duration::from_secs(30));
        assert!(gate.turn(now + Duration::from_secs(31)).is_zero());
    }
}
