//! Stopping, events, and callers that wait.

use std::{
    ops::ControlFlow,
    sync::{Arc, Barrier, Mutex},
    time::{Duration, Instant},
};

use oci_chart_core::{
    CancelToken, Client, Context, ErrorKind, Event, Location,
    auth::Credentials,
    blocking::{self, Host, HostCredentials},
    name,
    store::{Memory, Store, TagMode},
    transfer::{self, PullOptions, PushOptions},
};
use oci_chart_testkit::{Bearer, Fault, Registry, Rule};

use super::{artifact, package, version};
use crate::remote::{block, host};

/// A caller that records, stops on request, and knows a password.
#[derive(Default)]
struct Caller {
    events: Vec<Event>,
    stop_on_progress: bool,
    token: Option<CancelToken>,
    asked: usize,
}

impl Host for Caller {
    fn event(&mut self, event: Event) -> ControlFlow<()> {
        let stop = self.stop_on_progress && matches!(event, Event::Progress { .. });
        self.events.push(event);
        if stop { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    fn cancel_token(&self) -> Option<CancelToken> {
        self.token.clone()
    }

    fn credentials(&mut self, _: &name::Host) -> oci_chart_core::Result<Option<Credentials>> {
        self.asked += 1;
        Ok(Some(Credentials::basic("robot", "hunter2")))
    }
}

fn client(registry: &Registry) -> (blocking::Client, Location) {
    let client =
        Client::builder().plain_http(host(registry)).credentials(HostCredentials::default()).build().unwrap();
    (blocking::Client::new(client), format!("oci://{}/charts/web", registry.host()).parse().unwrap())
}

#[test]
fn a_caller_that_waits_sees_the_transfer_and_answers_for_its_credentials() {
    let registry = Registry::builder().bearer_auth(Bearer::new("robot", "hunter2")).start_blocking().unwrap();
    let (client, location) = client(&registry);
    let artifact = artifact(&package("1.0.0", "a"), 1);
    let mut caller = Caller::default();
    client.push(&artifact, &location, &PushOptions::default(), &mut caller).unwrap();
    assert!(caller.asked > 0);
    let started = caller.events.iter().filter(|event| matches!(event, Event::Started(_))).count();
    let finished = caller.events.iter().filter(|event| matches!(event, Event::Finished { .. })).count();
    assert_eq!((started, finished), (3, 3), "configuration, chart, manifest: {:?}", caller.events);
    let mut caller = Caller::default();
    let again = PushOptions::default().with_mode(TagMode::Ensure);
    client.push(&artifact, &location, &again, &mut caller).unwrap();
    assert!(caller.events.iter().any(|event| matches!(event, Event::Skipped(_))), "{:?}", caller.events);
}

#[test]
fn waiting_inside_another_runtime_works() {
    let registry = Registry::start().unwrap();
    let (client, location) = client(&registry);
    block(async {
        client
            .push(&artifact(&package("1.0.0", "a"), 1), &location, &PushOptions::default(), &mut ())
            .unwrap();
        let pulled =
            client.pull(&location, &version("*"), &PullOptions::without_verification(), &mut ()).unwrap();
        assert_eq!(client.tags(&location, &mut ()).unwrap().len(), 1);
        assert_eq!(client.resolve(&location, &version("^1"), &mut ()).unwrap(), pulled.descriptor);
        assert_eq!(client.fetch_metadata(&location, &version("^1"), &mut ()).unwrap().name, "web");
    });
}

#[test]
fn a_stalled_transfer_is_stopped_from_another_thread() {
    let registry = Registry::start().unwrap();
    let (client, location) = client(&registry);
    client.push(&artifact(&package("1.0.0", "a"), 1), &location, &PushOptions::default(), &mut ()).unwrap();
    registry.script().add(Rule::new("GET", "*/blobs/*", Fault::Delay(Duration::from_secs(600))).always());
    let token = CancelToken::new();
    let other = token.clone();
    let started = Instant::now();
    let thread = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(200));
        other.cancel();
    });
    let mut caller = Caller { token: Some(token), ..Caller::default() };
    let error = client
        .pull(&location, &version("1.0.0"), &PullOptions::without_verification(), &mut caller)
        .unwrap_err();
    thread.join().unwrap();
    assert_eq!(error.kind(), ErrorKind::Cancelled);
    assert!(started.elapsed() < Duration::from_secs(60), "the registry would have taken ten minutes");
    assert!(caller.events.contains(&Event::Tick));
}

#[test]
fn a_caller_stops_a_transfer_by_a_word() {
    let registry = Registry::start().unwrap();
    let (client, location) = client(&registry);
    let large = package("1.0.0", &"0123456789abcdef".repeat(1000));
    client.push(&artifact(&large, 1), &location, &PushOptions::default(), &mut ()).unwrap();
    registry.script().add(Rule::new("GET", "*/blobs/*", Fault::Drip(16, Duration::from_millis(20))).always());
    let mut caller = Caller { stop_on_progress: true, ..Caller::default() };
    let error = client
        .pull(&location, &version("1.0.0"), &PullOptions::without_verification(), &mut caller)
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Cancelled);
}

#[test]
fn a_push_that_was_cancelled_before_it_began_sends_nothing() {
    let registry = Registry::start().unwrap();
    let store: Arc<dyn Store> = Arc::new(crate::remote::repository(&registry, "charts/web"));
    let cx = Context::default();
    cx.cancel_token().cancel();
    let artifact = artifact(&package("1.0.0", "a"), 1);
    let error = block(transfer::push(&cx, &artifact, &store, &PushOptions::default())).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Cancelled);
    assert_eq!(registry.log().entries().len(), 0);
}

#[test]
fn of_many_publishers_into_a_store_that_decides_at_once_exactly_one_wins() {
    const PUBLISHERS: usize = 8;
    let artifacts: Vec<_> = (0..PUBLISHERS).map(|n| artifact(&package("1.0.0", &n.to_string()), 1)).collect();
    // All have looked before the first one writes: now and then, so it is tried again and again.
    for _ in 0..30 {
        let store: Arc<dyn Store> = Arc::new(Memory::default());
        let (wins, start) = (Mutex::new(0), Barrier::new(PUBLISHERS));
        std::thread::scope(|scope| {
            for artifact in &artifacts {
                let (store, wins, start) = (&store, &wins, &start);
                scope.spawn(move || {
                    start.wait();
                    match block(transfer::push(&Context::default(), artifact, store, &PushOptions::default()))
                    {
                        Ok(_) => *wins.lock().unwrap() += 1,
                        Err(error) => assert_eq!(error.kind(), ErrorKind::AlreadyExists),
                    }
                });
            }
        });
        assert_eq!(*wins.lock().unwrap(), 1);
    }
}
