use std::{
    fmt,
    ops::ControlFlow,
    panic::AssertUnwindSafe,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use futures_util::{FutureExt as _, future::BoxFuture};
use tokio::{runtime, sync::oneshot};

use super::{
    Host, HostHandle,
    host::CURRENT,
    mailbox::{Letters, Mailbox},
};
use crate::{
    context::{Context, Event},
    error::{Error, ErrorKind, Result},
    process::PerProcess,
};

/// How long a caller waits without a sign of life.
const TICK: Duration = Duration::from_millis(50);
/// How long a cancelled task has to clean up before it is dropped: with the tick before it less than the 300 ms that bindings promise.
const GRACE: Duration = Duration::from_millis(200);
/// As much as a program's first thread has: without optimisation, the state of the longest verbs (publish, in a registry that wants a login)
/// does not fit into the usual 2 MiB. Only what is used of it takes memory.
const STACK: usize = 8 << 20;

/// One worker thread that runs calls for threads that wait. Made when it is first needed, and again in a forked child, where the parent's threads do not exist.
///
/// # Examples
///
/// ```
/// use oci_chart_core::blocking::Runtime;
///
/// let runtime = Runtime::default();
/// let answer = runtime.wait(&mut (), |_cx| async { Ok(6 * 7) })?;
/// assert_eq!(answer, 42);
/// # Ok::<(), oci_chart_core::Error>(())
/// ```
#[derive(Default)]
pub struct Runtime(PerProcess<Mutex<Owned>>);

#[derive(Default)]
struct Owned(Option<runtime::Runtime>);

impl Runtime {
    /// Runs the future that `task` makes and waits for it, giving `host` events, ticks and questions meanwhile.
    ///
    /// # Errors
    ///
    /// What the task says; [`ErrorKind::Cancelled`] when the host says `Break` or its token is used (noticed within 50 ms; a task that
    /// does not stop by itself within 200 ms more is dropped); [`ErrorKind::Internal`] if the task panics.
    pub fn wait<T, F>(&self, host: &mut dyn Host, task: impl FnOnce(Context) -> F) -> Result<T>
    where
        F: Future<Output = Result<T>> + Send + 'static,
        T: Send + 'static,
    {
        let place = Arc::new(Mutex::new(None));
        let result = Arc::clone(&place);
        self.run(
            host,
            Box::new(move |cx| {
                let work = task(cx);
                Box::pin(async move {
                    let done = work.await;
                    *result.lock().unwrap_or_else(PoisonError::into_inner) = Some(done);
                })
            }),
        )?;
        let lost = || Err(Error::new(ErrorKind::Internal, "a task ended without a result"));
        place.lock().unwrap_or_else(PoisonError::into_inner).take().unwrap_or_else(lost)
    }

    /// Runs the future that `task` makes until it or the call ends. One function for all verbs, so that all of this is there once.
    fn run<'a>(
        &self,
        host: &mut dyn Host,
        task: Box<dyn FnOnce(Context) -> BoxFuture<'static, ()> + 'a>,
    ) -> Result<()> {
        let mailbox = Arc::new(Mailbox::default());
        let token = host.cancel_token().unwrap_or_default();
        let mut cx = Context::default().with_cancel(token.clone());
        if host.wants_events() {
            cx = cx.with_events(Arc::clone(&mailbox));
        }
        if let Some(time) = host.timeout() {
            cx = cx.with_timeout(time);
        }
        let (sender, mut receiver) = oneshot::channel();
        let future = CURRENT.scope(HostHandle::new(Arc::clone(&mailbox), host), task(cx));
        let post = Arc::clone(&mailbox);
        let handle = self.spawn(async move {
            let ended = AssertUnwindSafe(future).catch_unwind().await;
            // The caller may have given up; then nobody wants to know.
            let _ = sender.send(ended.map_err(|panic| panicked(&*panic)));
            post.finish();
        })?;
        let mut deadline: Option<Instant> = None;
        loop {
            let Letters { mut events, questions, done } = mailbox.take(TICK);
            if events.is_empty() && questions.is_empty() && !done {
                events.push(Event::Tick);
            }
            let mut flow = ControlFlow::Continue(());
            for event in events {
                if flow.is_continue() {
                    flow = host.event(event);
                }
            }
            for question in questions {
                question(host);
            }
            if flow.is_break() {
                token.cancel();
            }
            // Only then: a result that is there already may have come after these letters, and the last events with it.
            if done {
                let lost = |_| Err(Error::new(ErrorKind::Internal, "a task ended without a result"));
                return receiver.try_recv().unwrap_or_else(lost);
            }
            if token.is_cancelled()
                && Instant::now() >= *deadline.get_or_insert_with(|| Instant::now() + GRACE)
            {
                handle.abort();
                return Err(Error::cancelled());
            }
        }
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) -> Result<tokio::task::JoinHandle<()>> {
        let mut owned = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let runtime = match &mut owned.0 {
            Some(runtime) => runtime,
            empty => {
                let runtime = runtime::Builder::new_multi_thread()
                    .worker_threads(1)
                    .thread_name("oci-chart")
                    .thread_stack_size(STACK)
                    .enable_all()
                    .build()
                    .map_err(|error| Error::from(error).with_operation("start the runtime"))?;
                empty.insert(runtime)
            }
        };
        Ok(runtime.spawn(task))
    }
}

impl Drop for Owned {
    fn drop(&mut self) {
        // Not a plain drop: that panics on a thread of another runtime.
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

impl fmt::Debug for Runtime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Runtime")
    }
}

fn panicked(panic: &(dyn std::any::Any + Send)) -> Error {
    let text =
        panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    Error::new(ErrorKind::Internal, "a task panicked")
        .with_context("panic", text.unwrap_or("(no text)"))
        .with_hint("this is a fault of the library or of a callback; please report it")
}

#[cfg(test)]
mod tests {
    use std::sync::OnceLock;

    use super::*;
    use crate::context::CancelToken;

    #[derive(Default)]
    struct Recorder {
        events: Vec<Event>,
        stop_after: Option<usize>,
        token: Option<CancelToken>,
    }

    impl Host for Recorder {
        fn event(&mut self, event: Event) -> ControlFlow<()> {
            self.events.push(event);
            if self.stop_after.is_some_and(|count| self.events.len() >= count) {
                return ControlFlow::Break(());
            }
            ControlFlow::Continue(())
        }

        fn cancel_token(&self) -> Option<CancelToken> {
            self.token.clone()
        }

        fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
            buffer.reverse();
            Ok(buffer.len())
        }
    }

    #[test]
    fn silence_ticks_and_break_stops() {
        let mut host = Recorder { stop_after: Some(2), ..Recorder::default() };
        let result = Runtime::default()
            .wait(&mut host, |cx| async move { cx.run(std::future::pending::<Result<()>>()).await });
        assert_eq!(result.unwrap_err().kind(), ErrorKind::Cancelled);
        assert_eq!(host.events, [Event::Tick, Event::Tick]);
    }

    #[test]
    fn who_wants_no_events_is_given_ticks_alone() {
        struct Deaf(Recorder);

        impl Host for Deaf {
            fn event(&mut self, event: Event) -> ControlFlow<()> {
                self.0.event(event)
            }

            fn wants_events(&self) -> bool {
                false
            }
        }

        let mut host = Deaf(Recorder { stop_after: Some(1), ..Recorder::default() });
        let result = Runtime::default().wait(&mut host, |cx| async move {
            assert!(!cx.has_listener());
            cx.emit(Event::Warning("unheard".into()));
            cx.run(std::future::pending::<Result<()>>()).await
        });
        assert_eq!(result.unwrap_err().kind(), ErrorKind::Cancelled);
        assert_eq!(host.0.events, [Event::Tick]);
    }

    #[test]
    fn a_task_that_ignores_its_token_is_dropped() {
        struct Held(std::sync::mpsc::Sender<()>);
        impl Drop for Held {
            fn drop(&mut self) {
                self.0.send(()).unwrap();
            }
        }
        let (sender, dropped) = std::sync::mpsc::channel();
        let held = Held(sender);
        let runtime = Runtime::default();
        let mut host = Recorder { stop_after: Some(1), ..Recorder::default() };
        let result = runtime.wait(&mut host, |_| async move {
            let _held = held;
            std::future::pending::<Result<()>>().await
        });
        assert_eq!(result.unwrap_err().kind(), ErrorKind::Cancelled);
        dropped.recv_timeout(Duration::from_secs(10)).unwrap();
    }

    #[test]
    fn a_task_that_does_not_look_up_is_not_waited_for() {
        let began = Arc::new(OnceLock::new());
        let started = Arc::clone(&began);
        let mut host = Recorder { stop_after: Some(1), ..Recorder::default() };
        let result = Runtime::default().wait(&mut host, |_| async move {
            started.get_or_init(Instant::now);
            std::thread::sleep(Duration::from_secs(2));
            Ok(())
        });
        assert_eq!(result.unwrap_err().kind(), ErrorKind::Cancelled);
        assert!(began.get().is_none_or(|began| began.elapsed() < Duration::from_secs(1)));
    }

    #[test]
    fn another_thread_stops_the_call() {
        let token = CancelToken::new();
        let mut host = Recorder { token: Some(token.clone()), ..Recorder::default() };
        let other = std::thread::spawn(move || token.cancel());
        let result = Runtime::default()
            .wait(&mut host, |cx| async move { cx.run(std::future::pending::<Result<()>>()).await });
        other.join().unwrap();
        assert_eq!(result.unwrap_err().kind(), ErrorKind::Cancelled);
    }

    #[test]
    fn the_last_events_arrive_before_the_result() {
        let mut host = Recorder::default();
        Runtime::default()
            .wait(&mut host, |cx| async move {
                for bytes in 0..1000 {
                    cx.emit(Event::Progress { id: 1, bytes });
                }
                cx.emit(Event::Finished { id: 1 });
                Ok(())
            })
            .unwrap();
        assert_eq!(host.events.last(), Some(&Event::Finished { id: 1 }));
        assert!(
            host.events.contains(&Event::Progress { id: 1, bytes: 999 }),
            "the latest value is never lost"
        );
    }

    #[test]
    fn a_listener_that_is_still_busy_when_the_task_ends_misses_nothing() {
        struct Slow(Vec<Event>);
        impl Host for Slow {
            fn event(&mut self, event: Event) -> ControlFlow<()> {
                if event == Event::Warning("busy".into()) {
                    std::thread::sleep(Duration::from_millis(200));
                }
                self.0.push(event);
                ControlFlow::Continue(())
            }
        }
        let mut host = Slow(Vec::new());
        let task = |cx: Context| async move {
            cx.emit(Event::Warning("busy".into()));
            tokio::time::sleep(Duration::from_millis(20)).await;
            cx.emit(Event::Finished { id: 1 });
            Ok(())
        };
        Runtime::default().wait(&mut host, task).unwrap();
        assert_eq!(host.0.last(), Some(&Event::Finished { id: 1 }));
    }

    #[test]
    fn a_call_ends_when_the_time_that_its_host_gives_is_up() {
        struct Hurried;
        impl Host for Hurried {
            fn timeout(&self) -> Option<Duration> {
                Some(Duration::from_millis(30))
            }
        }
        let task = |cx: Context| async move { cx.run(std::future::pending::<Result<()>>()).await };
        let error = Runtime::default().wait(&mut Hurried, task).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Timeout);
    }

    #[test]
    fn questions_are_answered_on_the_waiting_thread() {
        let waiting = std::thread::current().id();
        let answer = Runtime::default().wait(&mut Recorder::default(), move |_| async move {
            let host = HostHandle::current().unwrap();
            let question = move |host: &mut dyn Host| {
                let mut text = *b"abc";
                (std::thread::current().id() == waiting, host.read(&mut text).map(|_| text))
            };
            host.ask(question).await
        });
        let (same_thread, text) = answer.unwrap();
        assert!(same_thread);
        assert_eq!(&text.unwrap(), b"cba");
    }

    #[test]
    fn a_panic_is_an_error() {
        let result: Result<()> = Runtime::default().wait(&mut (), |_| async { panic!("boom") });
        let error = result.unwrap_err();
        assert_eq!((error.kind(), error.get("panic")), (ErrorKind::Internal, Some("boom")));
    }

    #[test]
    fn it_waits_and_drops_inside_another_runtime() {
        let outer = runtime::Builder::new_current_thread().build().unwrap();
        outer.block_on(async {
            let inner = Runtime::default();
            assert_eq!(inner.wait(&mut (), |_| async { Ok(1) }).unwrap(), 1);
        });
    }
}
