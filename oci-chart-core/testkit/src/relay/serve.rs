//! Listeners of a relay, the thread behind them, and how connections begin and end.

use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::runtime;
use tokio::sync::{broadcast, oneshot};
use tokio::time::{Instant, sleep, timeout};

use super::exchange::{self, Place};
use super::mishap::{Mishap, Schedule};
use super::{Relay, RelayBuilder, Shared, Tally, pump};
use crate::log::locked;
use crate::script::Script;

/// How long a side that was cut off is listened to: unread bytes would turn the cut into a reset.
const LINGER: Duration = Duration::from_millis(100);

pub(super) fn launch(builder: RelayBuilder) -> io::Result<Relay> {
    let RelayBuilder { target, latency, http } = builder;
    let main = bind()?;
    let elsewhere = if http { Some(bind()?) } else { None };
    let port = |listener: &TcpListener| listener.local_addr().map(|address| address.port());
    let elsewhere_url = match &elsewhere {
        Some(listener) => Some(format!("http://localhost:{}", port(listener)?)),
        None => None,
    };
    let shared = Arc::new(Shared {
        target,
        latency,
        url: format!("http://127.0.0.1:{}", port(&main)?),
        elsewhere: elsewhere_url,
        script: Script::default(),
        schedule: Mutex::new(Schedule::default()),
        tally: Tally::default(),
        reset: broadcast::channel(1).0,
    });
    let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
    let (stop, stopped) = oneshot::channel();
    let inner = Arc::clone(&shared);
    let thread = thread::Builder::new().name("testkit-relay".to_owned()).spawn(move || {
        runtime.block_on(async move {
            let signed = Arc::default();
            let place = if http { Place::Front(Arc::clone(&signed)) } else { Place::Bytes };
            tokio::spawn(accept(main, place, Arc::clone(&inner)));
            if let Some(listener) = elsewhere {
                tokio::spawn(accept(listener, Place::Elsewhere(signed), inner));
            }
            // Ends when the handle drops its half; the runtime then drops every connection.
            let _ = stopped.await;
        });
    })?;
    Ok(Relay { shared, stop: Some(stop), thread: Some(thread) })
}

/// Makes the drop of this connection a reset.
pub(super) fn reset(stream: &TcpStream) {
    // One that is gone already needs none.
    let _ = stream.set_zero_linger();
}

/// Ends a connection in order, whatever the other side still sends.
pub(super) async fn finish(stream: &mut TcpStream) {
    let _ = stream.shutdown().await;
    let mut rest = [0; 4 << 10];
    let drain = async { while stream.read(&mut rest).await.is_ok_and(|count| count > 0) {} };
    let _ = timeout(LINGER, drain).await;
}

fn bind() -> io::Result<TcpListener> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

async fn accept(listener: TcpListener, place: Place, shared: Arc<Shared>) {
    let Ok(listener) = tokio::net::TcpListener::from_std(listener) else { return };
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                let (place, shared) = (place.clone(), Arc::clone(&shared));
                tokio::spawn(async move { connection(stream, place, &shared).await });
            }
            // Out of file descriptors, most likely: others will be closed.
            Err(_) => sleep(Duration::from_millis(10)).await,
        }
    }
}

async fn connection(mut client: TcpStream, place: Place, shared: &Shared) {
    let accepted = Instant::now();
    let number = shared.tally.connections.fetch_add(1, Ordering::SeqCst) + 1;
    let mishap = locked(&shared.schedule).take(number);
    let _counted = Open::count(shared);
    if matches!(mishap, Some(Mishap::Refuse | Mishap::Delay(_))) {
        shared.tally.fired.fetch_add(1, Ordering::SeqCst);
    }
    match mishap {
        Some(Mishap::Refuse) => return reset(&client),
        Some(Mishap::Delay(time)) => sleep(time).await,
        _ => {}
    }
    let Ok(mut server) = TcpStream::connect(&shared.target).await else { return reset(&client) };
    let (_, _) = (client.set_nodelay(true), server.set_nodelay(true));
    let mut told = shared.reset.subscribe();
    let relayed = async {
        match &place {
            Place::Bytes => pump::relay(&mut client, &mut server, accepted, mishap, shared).await,
            place => exchange::relay(&mut client, &mut server, place, shared).await,
        }
    };
    let told = tokio::select! {
        () = relayed => false,
        _ = told.recv() => true,
    };
    if told {
        reset(&client);
        reset(&server);
    }
}

/// Counts a connection as open for as long as it lives.
struct Open<'a>(&'a Shared);

impl<'a> Open<'a> {
    fn count(shared: &'a Shared) -> Self {
        shared.tally.open.fetch_add(1, Ordering::SeqCst);
        Self(shared)
    }
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.0.tally.open.fetch_sub(1, Ordering::SeqCst);
    }
}
