use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use reqwest::{Client, Url, redirect::Policy};
use tokio::sync::OnceCell;

use super::{
    gate::Gates,
    options::HostOptions,
    setting::Setting,
    tls::{self, Security, Trust},
};
use crate::{
    error::{Error, ErrorKind, Result},
    threads::off_thread,
};

/// Connections that are kept for later requests, per host.
const IDLE_CONNECTIONS: usize = 16;

/// How long they are kept: servers and the boxes before them give up theirs after a minute or so.
const IDLE_TIME: Duration = Duration::from_secs(30);

/// The clients below, each made when first needed: who speaks plain HTTP must not pay for reading the system's certificates.
#[derive(Default)]
pub(super) struct Pool {
    made: Mutex<Vec<(Key, Arc<OnceCell<Client>>)>>,
    pub(super) gates: Gates,
}

/// What requests must have in common to share a client: whom it trusts and what it shows is a matter of the client, not of the request.
#[derive(Clone, PartialEq, Eq)]
struct Key {
    /// Through no proxy.
    direct: bool,
    /// HTTP/1.1 alone, though HTTP/2 could be spoken.
    old: bool,
    security: Kind,
}

#[derive(Clone, PartialEq, Eq)]
enum Kind {
    Plain,
    Common,
    Own(String),
}

impl Pool {
    /// The client for the `attempt`th try of a request to `url`. Where HTTP/2 has failed twice, HTTP/1.1 is tried: some servers, and boxes
    /// before them, cannot bear the one, and the other says more about what went wrong.
    pub(super) async fn client(&self, url: &Url, setting: &Setting, attempt: u32) -> Result<Client> {
        let own = setting.host(url).filter(|host| url.scheme() == "https" && host.has_own_tls());
        let security = match own {
            _ if url.scheme() != "https" => Kind::Plain,
            None => Kind::Common,
            Some(_) => Kind::Own(url.authority().to_ascii_lowercase()),
        };
        let old = cfg!(feature = "http2") && security != Kind::Plain && attempt > 2;
        let key = Key { direct: setting.proxies.is_direct(url)?, old, security };
        let cell = self.cell(&key);
        cell.get_or_try_init(|| build(url, &key, own, setting)).await.cloned()
    }

    fn cell(&self, key: &Key) -> Arc<OnceCell<Client>> {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, cell)) = made.iter().find(|(known, _)| known == key) {
            return Arc::clone(cell);
        }
        let cell = Arc::default();
        made.push((key.clone(), Arc::clone(&cell)));
        cell
    }
}

async fn build(url: &Url, key: &Key, own: Option<&HostOptions>, setting: &Setting) -> Result<Client> {
    let options = &setting.options;
    let default = HostOptions::default();
    let own = own.unwrap_or(&default);
    let http2 = cfg!(feature = "http2") && key.security != Kind::Plain && !key.old && !own.http1_only;
    let security = Security {
        trust: match key.security {
            Kind::Plain => Trust::Nobody,
            _ if own.unchecked_certificate => Trust::Anybody,
            _ => Trust::Roots,
        },
        roots: options.extra_roots.iter().chain(&own.roots).cloned().collect(),
        identity: own.client_certificate.clone(),
        http2,
        witness: setting.witness.clone(),
    };
    let tls = if security.trust == Trust::Roots {
        let read = off_thread(move || tls::config(&security)).await;
        read.ok_or_else(|| set_up("reading the trusted roots ended without a result"))??
    } else {
        tls::config(&security)?
    };
    let builder = Client::builder();
    let builder = setting.proxies.apply(builder, url)?;
    let builder = if http2 { builder } else { builder.http1_only() };
    builder
        .tls_backend_preconfigured(tls)
        .tcp_nodelay(true)
        // RFC 9112, 5.2: no client may refuse them.
        .http1_allow_obsolete_multiline_headers_in_responses(true)
        .redirect(Policy::none())
        .referer(false)
        .retry(reqwest::retry::never())
        .connect_timeout(options.connect_timeout)
        .pool_max_idle_per_host(IDLE_CONNECTIONS)
        .pool_idle_timeout(IDLE_TIME)
        .build()
        .map_err(|error| set_up("the HTTP client could not be set up").with_source(error))
}

fn set_up(message: &'static str) -> Error {
    Error::new(ErrorKind::Internal, message)
}
