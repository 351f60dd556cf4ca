use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use reqwest::{Method, StatusCode};

use super::{Body, clock::Dice, options::RetryOptions};
use crate::{
    context::{Context, Event},
    error::{Error, ErrorKind, Reason, Result},
};

/// Whether the client may send a request again by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Repeat {
    /// Saying it twice is saying it once.
    Always,
    /// Only where the server refused it, or no connection came about: done twice it would be another thing, or fail.
    Refused,
    /// The caller knows what to do instead.
    Never,
}

impl Repeat {
    /// What is safe to assume of a request: an upload is opened by a POST without a body, of which a second one does no harm.
    pub(super) fn of(method: &Method, body: &Body) -> Self {
        match (method, body) {
            (&Method::GET | &Method::HEAD | &Method::POST, Body::Empty) => Self::Always,
            (&Method::DELETE, Body::Empty) => Self::Refused,
            _ => Self::Never,
        }
    }

    pub(super) fn covers(self, error: &Error) -> bool {
        match self {
            Self::Always => true,
            Self::Refused => error.get("status").is_some() || error.reason() == Some(Reason::ConnectTimeout),
            Self::Never => false,
        }
    }
}

/// Answers that another try may turn into others.
pub(super) fn is_transient(status: StatusCode) -> bool {
    matches!(status.as_u16(), 408 | 429 | 499 | 500 | 502 | 503 | 504 | 522)
}

/// The waits of one client.
pub(crate) struct Waits {
    options: RetryOptions,
    dice: Dice,
}

impl Waits {
    pub(super) fn new(options: RetryOptions) -> Self {
        let dice = Dice::new(options.seed);
        Self { options, dice }
    }

    pub(super) fn now(&self) -> Instant {
        self.options.clock.now()
    }

    pub(super) async fn sleep(&self, wait: Duration) {
        self.options.clock.sleep(wait).await;
    }
}

/// The tries of one step that may be done again: a request, or a caller's sequence of them. Made before the first.
///
/// ```text
/// let mut retry = http.retry();
/// loop {
///     match step().await {
///         Err(error) => retry.again(error).await?,
///         done => return done,
///     }
/// }
/// ```
pub(crate) struct Retry {
    waits: Arc<Waits>,
    failed: u32,
    begun: Instant,
    deadline: Option<Instant>,
}

impl Retry {
    pub(super) fn new(waits: Arc<Waits>) -> Self {
        let begun = waits.now();
        Self { waits, failed: 0, begun, deadline: None }
    }

    /// Begins no try after `deadline`.
    #[must_use]
    pub(super) fn until(mut self, deadline: Option<Instant>) -> Self {
        self.deadline = deadline;
        self
    }

    /// Says that something was achieved: the count of tries and their time begin anew.
    pub(crate) fn progress(&mut self) {
        self.failed = 0;
        self.begun = self.waits.now();
    }

    /// Whether one more failure is the last.
    pub(super) fn is_exhausted(&self) -> bool {
        self.failed.saturating_add(1) >= self.waits.options.attempts
    }

    /// How often it was tried, the try under way included.
    pub(super) fn attempt(&self) -> u32 {
        self.failed.saturating_add(1)
    }

    /// Comes back when it is time for another try after `error`; gives `error` back when there is to be none.
    ///
    /// # Errors
    ///
    /// `error`, with how often it was tried.
    pub(crate) async fn again(&mut self, error: Error) -> Result<()> {
        if !is_passing(&error) {
            return Err(error);
        }
        let exhausted = self.is_exhausted();
        self.failed = self.failed.saturating_add(1);
        let attempt = self.failed;
        let told = |error: Error| {
            if attempt > 1 { error.with_context("attempts", attempt) } else { error }
        };
        if exhausted {
            return Err(told(error));
        }
        let wait = match error.retry_after() {
            Some(asked) if asked > self.waits.options.most_retry_after => {
                return Err(told(error).with_hint(format!(
                    "the server asks to wait {} seconds, which is longer than `RetryOptions::most_retry_after` allows; try again then",
                    asked.as_secs()
                )));
            }
            Some(asked) => asked.saturating_add(self.waits.dice.share(self.waits.options.first_wait)),
            // Most likely a kept connection that the other side had just closed (RFC 9112, 9.3.1).
            None if self.failed == 1 && error.reason() == Some(Reason::ConnectionCut) => Duration::ZERO,
            None => self.backoff(),
        };
        if !self.is_in_time(wait) {
            return Err(told(error));
        }
        if !wait.is_zero() {
            let cx = Context::current();
            if cx.has_listener() {
                let part = |key| error.get(key).unwrap_or_default();
                cx.emit(Event::Waiting {
                    what: format!("{} {}", part("method"), part("url")).trim().to_owned(),
                    why: error.message().to_owned(),
                    attempt: self.failed,
                    wait,
                });
            }
            self.waits.sleep(wait).await;
        }
        Ok(())
    }

    fn backoff(&self) -> Duration {
        let options = &self.waits.options;
        let doublings = self.failed.saturating_sub(1).min(31);
        let whole = options.first_wait.saturating_mul(1 << doublings).min(options.most_wait);
        whole - self.waits.dice.share(whole / 2)
    }

    fn is_in_time(&self, wait: Duration) -> bool {
        let now = self.waits.now();
        let before = |deadline: Option<Instant>| {
            deadline.is_none_or(|deadline| now.checked_add(wait).is_some_and(|then| then < deadline))
        };
        now.saturating_duration_since(self.begun).saturating_add(wait) < self.waits.options.most_time
            && before(self.deadline)
            && before(Context::current().deadline())
    }
}

/// Whether it is worth another try a moment later. A host that nobody knows, or where nobody listens, mostly has another name.
fn is_passing(error: &Error) -> bool {
    error.is_retryable()
        && error.kind() != ErrorKind::Cancelled
        && !matches!(
            error.reason(),
            Some(
                Reason::ConnectionRefused
                    | Reason::NameUnknown
                    | Reason::HostUnreachable
                    | Reason::ProxyUnreachable
                    | Reason::DeadlineExceeded
            )
        )
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use async_trait::async_trait;

    use super::*;
    use crate::{context::CancelToken, http::clock::Clock};

    /// Time passes only where somebody sleeps.
    #[derive(Default)]
    struct Dial(Mutex<Vec<Duration>>, Mutex<Option<Instant>>);

    #[async_trait]
    impl Clock for Dial {
        fn now(&self) -> Instant {
            let begun = *self.1.lock().unwrap().get_or_insert_with(Instant::now);
            begun + self.0.lock().unwrap().iter().sum::<Duration>()
        }

        async fn sleep(&self, wait: Duration) {
            self.0.lock().unwrap().push(wait);
        }
    }

    fn retry(options: RetryOptions) -> (Retry, Arc<Dial>) {
        let dial = Arc::new(Dial::default());
        let options = options.with_seed(1).with_clock(Arc::clone(&dial));
        (Retry::new(Arc::new(Waits::new(options))), dial)
    }

    fn block<T>(task: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(task)
    }

    fn busy() -> Error {
        Error::new(ErrorKind::Unavailable, "busy").with_retryable(true)
    }

    fn cut() -> Error {
        busy().with_reason(Reason::ConnectionCut)
    }

    /// Fails until there is no other try; the waits in milliseconds, and the last error.
    fn give_up(options: RetryOptions, error: impl Fn() -> Error) -> (Vec<u128>, Error) {
        let (mut retry, dial) = retry(options);
        let error = block(async {
            loop {
                if let Err(error) = retry.again(error()).await {
                    return error;
                }
            }
        });
        let waits = dial.0.lock().unwrap().iter().map(Duration::as_millis).collect();
        (waits, error)
    }

    #[test]
    fn waits_double_up_to_a_bound_and_are_spread() {
        let options = || RetryOptions::default().with_attempts(9).with_most_wait(Duration::from_secs(2));
        let (waits, error) = give_up(options(), busy);
        assert_eq!((waits.len(), error.get("attempts")), (8, Some("9")));
        for (wait, whole) in waits.iter().zip([200, 400, 800, 1600, 2000, 2000, 2000, 2000]) {
            assert!((whole / 2..=whole).contains(wait), "{waits:?}");
        }
        assert!(waits.iter().skip(4).any(|wait| *wait < 2000), "those that failed together come back apart");
        assert_eq!(give_up(options(), busy).0, waits, "the same seed");
    }

    #[test]
    fn a_cut_connection_is_replaced_at_once_the_first_time() {
        let (waits, _) = give_up(RetryOptions::default().with_attempts(3), cut);
        assert_eq!(waits.len(), 1, "{waits:?}");
    }

    #[test]
    fn the_server_s_wait_is_kept_unless_it_is_too_long() {
        let asks = |seconds| move || busy().with_retry_after(Duration::from_secs(seconds));
        let (waits, _) = give_up(RetryOptions::default().with_attempts(3), asks(30));
        assert!(waits.len() == 2 && waits.iter().all(|wait| (30_000..=30_200).contains(wait)), "{waits:?}");
        assert!(
            waits.iter().any(|wait| *wait > 30_000),
            "nor do all come back at the same moment: {waits:?}"
        );
        let (waits, error) = give_up(RetryOptions::default(), asks(61));
        assert!(waits.is_empty() && error.hint().unwrap().contains("61 seconds"), "{error:?}");
    }

    #[test]
    fn the_time_of_all_tries_is_bounded() {
        let options = RetryOptions::default().with_attempts(1000).with_most_time(Duration::from_secs(60));
        let (waits, _) = give_up(options, busy);
        let sum = waits.iter().sum::<u128>();
        assert!((50_000..60_000).contains(&sum), "{sum}");
    }

    #[test]
    fn no_wait_reaches_beyond_the_call_s_deadline() {
        let (mut retry, dial) = retry(RetryOptions::default());
        let cx = Context::default().with_deadline(dial.now() + Duration::from_secs(5));
        let error = block(cx.run(async {
            retry.again(busy().with_retry_after(Duration::from_secs(4))).await?;
            retry.again(busy().with_retry_after(Duration::from_secs(4))).await
        }))
        .unwrap_err();
        assert_eq!((error.kind(), dial.0.lock().unwrap().len()), (ErrorKind::Unavailable, 1));
    }

    #[test]
    fn what_will_not_pass_is_not_tried_again() {
        for error in [
            Error::new(ErrorKind::NotFound, "no"),
            cut().with_reason(Reason::ConnectionRefused),
            cut().with_reason(Reason::NameUnknown),
        ] {
            let (mut retry, dial) = retry(RetryOptions::default());
            let kind = error.kind();
            assert_eq!(block(retry.again(error)).unwrap_err().kind(), kind);
            assert!(dial.0.lock().unwrap().is_empty());
        }
        let (waits, error) = give_up(RetryOptions::never(), cut);
        assert!(waits.is_empty() && error.get("attempts").is_none());
    }

    #[test]
    fn progress_begins_the_count_anew() {
        let (mut retry, _) = retry(RetryOptions::default().with_attempts(2));
        block(async {
            for _ in 0..10 {
                retry.again(cut()).await.unwrap();
                retry.progress();
            }
            retry.again(cut()).await.unwrap();
            retry.again(cut()).await.unwrap_err();
        });
    }

    #[test]
    fn waits_are_told() {
        let (mut retry, dial) = retry(RetryOptions::default());
        let (sender, events) = std::sync::mpsc::channel();
        let cx = Context::default().with_events(move |event| sender.send(event).unwrap());
        let error = busy().with_context("method", "GET").with_context("url", "https://h/v2/");
        block(cx.run(retry.again(error))).unwrap();
        let expected = Event::Waiting {
            what: "GET https://h/v2/".into(),
            why: "busy".into(),
            attempt: 1,
            wait: dial.0.lock().unwrap()[0],
        };
        assert_eq!(events.try_iter().collect::<Vec<_>>(), [expected]);
    }

    #[test]
    fn a_cancel_cuts_a_wait_short() {
        let mut retry = Retry::new(Arc::new(Waits::new(RetryOptions::default())));
        let token = CancelToken::new();
        let cx = Context::default().with_cancel(token.clone()).with_events(move |_| token.cancel());
        let begun = Instant::now();
        let error = block(cx.run(retry.again(busy().with_retry_after(Duration::from_secs(50))))).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Cancelled);
        assert!(begun.elapsed() < Duration::from_secs(1));
    }
}
