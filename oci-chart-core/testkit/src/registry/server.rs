//! Listeners, the thread behind them, and connections.

use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::runtime;
use tokio::sync::oneshot;
use tokio_rustls::TlsAcceptor;

use super::handle::Registry;
use super::storage::Storage;
use super::uploads::Uploads;
use super::{Origins, State, exchange};
use crate::log::{Log, Origin};
use crate::options::{Auth, Builder, Redirect};
use crate::tls::Tls;
use crate::token::Tokens;

impl Registry {
    pub(crate) fn launch(builder: Builder) -> io::Result<Self> {
        let Builder { options, script } = builder;
        let tls = options.tls.as_ref().map(Tls::acceptor).transpose()?;
        let scheme = if tls.is_some() { "https" } else { "http" };
        let bind = |origin, port| Listener::bind(origin, port, scheme);
        let registry = bind(Origin::Registry, options.port)?;
        let mut storage = options.redirect_blobs.map(|_| bind(Origin::Storage, 0)).transpose()?;
        if let (Some(storage), Some(Redirect::OtherHost)) = (&mut storage, options.redirect_blobs) {
            storage.url = storage.url.replace("127.0.0.1", "localhost");
        }
        let own_port = matches!(&options.auth, Auth::Bearer(bearer) if bearer.own_port);
        let token = own_port.then(|| bind(Origin::Token, 0)).transpose()?;

        let origins = Origins {
            registry: registry.url.clone(),
            storage: storage.as_ref().map(|listener| listener.url.clone()),
            token: format!("{}{}", token.as_ref().unwrap_or(&registry).url, options.token_path()),
        };
        let projects = options.projects.clone();
        let state = Arc::new(State {
            options,
            storage: Mutex::new(Storage::default()),
            uploads: Uploads::default(),
            log: Log::new(),
            script,
            tokens: Tokens::default(),
            origins,
            connections: AtomicU64::new(0),
            leaked: AtomicU64::new(0),
            projects: Mutex::new(projects),
            pulls: AtomicU64::new(0),
            bites: Mutex::default(),
        });
        let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
        let (stop, stopped) = oneshot::channel();
        let listeners: Vec<_> = [Some(registry), storage, token].into_iter().flatten().collect();
        let shared = Arc::clone(&state);
        let thread = thread::Builder::new().name("testkit-registry".to_owned()).spawn(move || {
            runtime.block_on(async move {
                for listener in listeners {
                    tokio::spawn(accept(listener, tls.clone(), Arc::clone(&shared)));
                }
                // Ends when the handle drops its half; the runtime then drops every connection.
                let _ = stopped.await;
            });
        })?;
        Ok(Self { state, stop: Some(stop), thread: Some(thread) })
    }
}

/// Content type of the first TLS record of a client (RFC 8446, section 5.1).
const TLS_HANDSHAKE: u8 = 22;

const PLAIN_ON_TLS: &[u8] =
    b"HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n";

struct Listener {
    origin: Origin,
    socket: TcpListener,
    url: String,
}

impl Listener {
    fn bind(origin: Origin, port: u16, scheme: &str) -> io::Result<Self> {
        let socket = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
        socket.set_nonblocking(true)?;
        let url = format!("{scheme}://{}", socket.local_addr()?);
        Ok(Self { origin, socket, url })
    }
}

async fn accept(listener: Listener, tls: Option<TlsAcceptor>, state: Arc<State>) {
    let Ok(socket) = tokio::net::TcpListener::from_std(listener.socket) else { return };
    loop {
        match socket.accept().await {
            Ok((stream, _)) => {
                tokio::spawn(connection(listener.origin, stream, tls.clone(), Arc::clone(&state)));
            }
            // Out of file descriptors, most likely: others will be closed.
            Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
        }
    }
}

async fn connection(origin: Origin, mut stream: TcpStream, tls: Option<TlsAcceptor>, state: Arc<State>) {
    let number = state.log.connected(&state.connections);
    let _ = stream.set_nodelay(true);
    let Some(tls) = tls else { return exchanges(origin, number, stream, state).await };
    let mut first = [0];
    if stream.peek(&mut first).await.is_ok() && first != [TLS_HANDSHAKE] {
        // Unread bytes would turn the end of the connection into a reset, ahead of the answer.
        let _ = stream.read(&mut [0; 4 << 10]).await;
        let _ = stream.write_all(PLAIN_ON_TLS).await;
        return;
    }
    // A client that does not like the certificate has its own say in the test.
    if let Ok(stream) = tls.accept(stream).await {
        exchanges(origin, number, stream, state).await;
    }
}

async fn exchanges<S>(origin: Origin, number: u64, stream: S, state: Arc<State>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = service_fn(move |request| {
        let state = Arc::clone(&state);
        async move { exchange::answer(&state, origin, number, request).await }
    });
    // A connection that ends in an error is what faults are for.
    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}
