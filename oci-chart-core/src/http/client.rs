use std::{
    collections::HashSet,
    fmt,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use reqwest::{
    Method, Url,
    header::{AUTHORIZATION, CONTENT_LENGTH, HeaderMap, HeaderValue, LOCATION, USER_AGENT},
    redirect::Policy,
};
use tokio::sync::OnceCell;

use super::{
    ConnectionOptions, Redirects, Request, Response,
    body::{Body, Upload},
    failure::{self, Place},
    redirect::{self, MOST_REDIRECTS, RedirectError},
    tls::{self, Trust},
};
use crate::{
    error::{Error, ErrorKind, Reason, Result},
    name::Host,
    redact::RedactedUrl,
};

/// Connections that are kept for later requests, per host.
const IDLE_CONNECTIONS: usize = 16;

/// How long they are kept: servers and the boxes before them give up theirs after a minute or so.
const IDLE_TIME: Duration = Duration::from_secs(30);

/// Sends requests. One for all registries of a caller; connections are shared.
pub(crate) struct HttpClient {
    options: ConnectionOptions,
    user_agent: HeaderValue,
    clients: Mutex<Arc<Clients>>,
}

/// The clients below, each made when first needed: who speaks plain HTTP must not pay for reading the system's certificates.
struct Clients {
    pid: u32,
    made: [OnceCell<reqwest::Client>; 6],
}

impl HttpClient {
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`] for a user agent that no header can carry.
    pub(crate) fn new(options: ConnectionOptions) -> Result<Self> {
        let own = concat!("oci-chart/", env!("CARGO_PKG_VERSION"));
        let text = options.user_agent.as_ref().map_or(own.to_owned(), |suffix| format!("{own} {suffix}"));
        let user_agent = HeaderValue::from_str(text.trim()).map_err(|_| {
            Error::new(ErrorKind::InvalidInput, "the user agent has characters that no header can carry")
                .with_hint("leave out line breaks and control characters")
        })?;
        Ok(Self { options, user_agent, clients: Mutex::new(Arc::new(Clients::new())) })
    }

    pub(crate) fn options(&self) -> &ConnectionOptions {
        &self.options
    }

    /// Whether the caller allowed plain HTTP to this host and port.
    pub(crate) fn allows_plain_http(&self, url: &Url) -> bool {
        contains(&self.options.plain_http, url)
    }

    /// Sends `request` and follows its redirects. The answer may have any status.
    pub(crate) async fn send(&self, request: Request) -> Result<Response> {
        let Request { method, url, mut headers, body, redirects } = request;
        headers.insert(USER_AGENT, self.user_agent.clone());
        match body {
            Body::Stream(_, len) => drop(headers.insert(CONTENT_LENGTH, len.into())),
            // Some servers insist on a length, even of nothing (RFC 9110, 8.6: user agents SHOULD send it).
            Body::Empty if method == Method::POST => drop(headers.insert(CONTENT_LENGTH, 0.into())),
            Body::Empty | Body::Bytes(_) => {}
        }
        let mut place = Arc::new(Place { method, url });
        let (mut body, mut left_origin) = (Some(body), false);
        for _ in 0..=MOST_REDIRECTS {
            let body = body.take().unwrap_or(Body::Empty);
            let inner = self.hop(&place, &headers, body).await?;
            let response = Response {
                inner,
                place: Arc::clone(&place),
                left_origin,
                idle_timeout: self.options.idle_timeout,
            };
            if redirects == Redirects::Report || !redirect::is_redirect(response.status()) {
                return Ok(response);
            }
            let location = response.header(LOCATION);
            let target = redirect::target(&place.method, &place.url, location)
                .map_err(|error| response.explain(error.into()))?;
            if target.origin() != place.url.origin() {
                if redirects == Redirects::SameOrigin {
                    let error = RedirectError::OtherOrigin(RedactedUrl::new(target.as_str()));
                    return Err(response.explain(error.into()));
                }
                // It does not come back either, should a later redirect lead home.
                headers.remove(AUTHORIZATION);
                left_origin = true;
            }
            response.drain().await;
            place = Arc::new(Place { method: place.method.clone(), url: target });
        }
        Err(place.explain(RedirectError::TooMany.into()))
    }

    /// One request, without redirects. Of a kept connection it is not known that the other side has just closed it until it is used
    /// (RFC 9112, 9.3.1): what has no body and may be said twice is then said on another one.
    async fn hop(&self, place: &Place, headers: &HeaderMap, body: Body) -> Result<reqwest::Response> {
        let mut again = matches!(body, Body::Empty) && place.method != Method::DELETE;
        let mut body = Some(body);
        let client = self.client(&place.url).await.map_err(|error| place.explain(error))?;
        loop {
            let mut request = reqwest::Request::new(place.method.clone(), place.url.clone());
            *request.headers_mut() = headers.clone();
            let mut upload = None;
            if let Some(body) = body.take().filter(|body| !matches!(body, Body::Empty)) {
                let (body, watched) = body.into_reqwest();
                *request.body_mut() = Some(body);
                upload = watched;
            }
            match self.answer(&client, request, upload.as_deref(), place).await {
                Err(error) if again && error.reason() == Some(Reason::ConnectionCut) => again = false,
                result => return result,
            }
        }
    }

    async fn answer(
        &self,
        client: &reqwest::Client,
        request: reqwest::Request,
        upload: Option<&Upload>,
        place: &Place,
    ) -> Result<reqwest::Response> {
        let mut answer = std::pin::pin!(client.execute(request));
        let mut sent = 0;
        loop {
            // The clock starts anew as long as an upload moves on.
            match tokio::time::timeout(self.patience(), answer.as_mut()).await {
                Ok(Ok(response)) => return Ok(response),
                Ok(Err(error)) => {
                    let own = upload.and_then(Upload::failure);
                    return Err(own.unwrap_or_else(|| failure::error(error, place)));
                }
                Err(_) => match upload.map(Upload::sent) {
                    Some(now) if now > sent => sent = now,
                    _ => return Err(failure::silence(self.options.idle_timeout, place)),
                },
            }
        }
    }

    /// Longer than the connection may take to come about, which has its own bound and its own error.
    fn patience(&self) -> Duration {
        self.options.idle_timeout.max(self.options.connect_timeout.saturating_add(Duration::from_secs(1)))
    }

    async fn client(&self, url: &Url) -> Result<reqwest::Client> {
        let (trust, index) = if url.scheme() != "https" {
            (Trust::Nobody, 0)
        } else if contains(&self.options.unchecked_certificates, url) {
            (Trust::Anybody, 2)
        } else {
            (Trust::Roots, 4)
        };
        let direct = is_loopback(url);
        let clients = self.clients();
        let Some(cell) = clients.made.get(index + usize::from(direct)) else {
            return Err(set_up("a client for an unknown purpose"));
        };
        cell.get_or_try_init(|| self.build(trust, direct)).await.cloned()
    }

    fn clients(&self) -> Arc<Clients> {
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if clients.pid != std::process::id() {
            // A forked child: the parent's connections are served by threads that do not exist here. They can only be left alone.
            std::mem::forget(std::mem::replace(&mut *clients, Arc::new(Clients::new())));
        }
        Arc::clone(&clients)
    }

    async fn build(&self, trust: Trust, direct: bool) -> Result<reqwest::Client> {
        let roots = &self.options.extra_roots;
        let tls = if trust == Trust::Roots {
            let roots = roots.clone();
            let read = tokio::task::spawn_blocking(move || tls::config(trust, &roots)).await;
            read.map_err(|_| set_up("reading the trusted roots ended without a result"))??
        } else {
            tls::config(trust, roots)?
        };
        let builder = reqwest::Client::builder();
        let builder = if direct { builder.no_proxy() } else { builder };
        builder
            .tls_backend_preconfigured(tls)
            .http1_only()
            .tcp_nodelay(true)
            .redirect(Policy::none())
            .referer(false)
            .retry(reqwest::retry::never())
            .connect_timeout(self.options.connect_timeout)
            .pool_max_idle_per_host(IDLE_CONNECTIONS)
            .pool_idle_timeout(IDLE_TIME)
            .build()
            .map_err(|error| set_up("the HTTP client could not be set up").with_source(error))
    }
}

impl fmt::Debug for HttpClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpClient").field("options", &self.options).finish_non_exhaustive()
    }
}

impl Clients {
    fn new() -> Self {
        Self { pid: std::process::id(), made: Default::default() }
    }
}

/// Whether this is the machine itself, which no proxy can reach: as in Helm, and every other program in Go, it is never asked to.
fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
}

fn set_up(message: &'static str) -> Error {
    Error::new(ErrorKind::Internal, message)
}

fn contains(hosts: &HashSet<Host>, url: &Url) -> bool {
    hosts.iter().any(|host| {
        let api = Url::parse(&format!("{}://{}/", url.scheme(), host.api_host()));
        api.is_ok_and(|api| {
            api.host() == url.host() && api.port_or_known_default() == url.port_or_known_default()
        })
    })
}
