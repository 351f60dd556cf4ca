use std::{
    fmt,
    sync::Arc,
    time::{Duration, Instant},
};

use reqwest::{
    Method, Url,
    header::{AUTHORIZATION, CONTENT_LENGTH, HeaderMap, HeaderValue, LOCATION, USER_AGENT},
};

use super::{
    ConnectionOptions, LoggedRequest, Redirects, Request, Response,
    body::{Body, Upload},
    failure::{self, Place},
    gate::Permit,
    pool::Pool,
    redirect::{self, MOST_REDIRECTS, RedirectError},
    retry::{Repeat, Retry, Waits, is_transient},
    setting::Setting,
    wire::Certificate,
};
use crate::{
    error::{Error, ErrorKind, Reason, Result},
    process::PerProcess,
    redact::RedactedUrl,
};

/// Sends requests. One for all registries of a caller; connections are shared.
pub(crate) struct HttpClient {
    setting: Arc<Setting>,
    waits: Arc<Waits>,
    user_agent: HeaderValue,
    pool: PerProcess<Arc<Pool>>,
}

/// What stays the same from try to try.
struct Message {
    place: Arc<Place>,
    headers: HeaderMap,
    redirects: Redirects,
    whole: Option<(&'static str, u64)>,
}

impl HttpClient {
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`] for a user agent that no header can carry.
    pub(crate) fn new(options: ConnectionOptions) -> Result<Self> {
        Self::with_setting(Setting::new(options))
    }

    /// One that keeps what servers show of themselves, for [`shown_certificate`](Self::shown_certificate).
    pub(crate) fn watched(options: ConnectionOptions) -> Result<Self> {
        let mut setting = Setting::new(options);
        setting.witness = Some(Arc::default());
        Self::with_setting(setting)
    }

    fn with_setting(setting: Setting) -> Result<Self> {
        let options = &setting.options;
        let own = concat!("oci-chart/", env!("CARGO_PKG_VERSION"));
        let text = options.user_agent.as_ref().map_or(own.to_owned(), |suffix| format!("{own} {suffix}"));
        let user_agent = HeaderValue::from_str(text.trim()).map_err(|_| {
            Error::new(ErrorKind::InvalidInput, "the user agent has characters that no header can carry")
                .with_hint("leave out line breaks and control characters")
        })?;
        let waits = Arc::new(Waits::new(options.retry.clone()));
        Ok(Self { setting: Arc::new(setting), waits, user_agent, pool: PerProcess::default() })
    }

    pub(crate) fn options(&self) -> &ConnectionOptions {
        &self.setting.options
    }

    /// Whether the caller allowed plain HTTP to this host and port.
    pub(crate) fn allows_plain_http(&self, url: &Url) -> bool {
        self.setting.host(url).is_some_and(|host| host.plain_http)
    }

    /// Whether the caller does without a check of the certificate of this host and port.
    pub(crate) fn is_unchecked(&self, url: &Url) -> bool {
        self.setting.host(url).is_some_and(|host| host.unchecked_certificate)
    }

    /// Whom a request to `url` goes through; without user and password.
    pub(crate) fn proxy(&self, url: &Url) -> Option<String> {
        self.setting.proxies.of(url)
    }

    /// The first certificate that the last server showed, and how many there were; only of a [`watched`](Self::watched) client.
    pub(crate) fn shown_certificate(&self) -> Option<(Certificate, usize)> {
        self.setting.witness.as_ref()?.shown()
    }

    /// The tries of a step that [`send`](Self::send) cannot repeat by itself.
    pub(crate) fn retry(&self) -> Retry {
        Retry::new(Arc::clone(&self.waits))
    }

    /// Sends `request`, again where it failed and may be repeated, and follows its redirects. The answer may have any status.
    pub(crate) async fn send(&self, request: Request) -> Result<Response> {
        let Request { method, url, mut headers, body, redirects, repeat, patience, whole } = request;
        headers.insert(USER_AGENT, self.user_agent.clone());
        match body {
            Body::Stream(_, len) => drop(headers.insert(CONTENT_LENGTH, len.into())),
            // Some servers insist on a length, even of nothing (RFC 9110, 8.6: user agents SHOULD send it).
            Body::Empty if method == Method::POST => drop(headers.insert(CONTENT_LENGTH, 0.into())),
            Body::Empty | Body::Bytes(_) => {}
        }
        let repeat = repeat.unwrap_or_else(|| Repeat::of(&method, &body));
        let place = Arc::new(Place { method, url, from: None, setting: Arc::clone(&self.setting) });
        let message = Message { place, headers, redirects, whole };
        let bound = self.options().request_timeout.map(|time| (time, Reason::DeadlineExceeded));
        let Some((time, reason)) = patience.into_iter().chain(bound).min_by_key(|(time, _)| *time) else {
            return self.repeat(&message, body, repeat, None).await;
        };
        let deadline = self.waits.now().checked_add(time);
        let tries = self.repeat(&message, body, repeat, deadline);
        let late = |_| Err(failure::too_late(time, reason, &message.place));
        tokio::time::timeout(time, tries).await.unwrap_or_else(late)
    }

    async fn repeat(
        &self,
        message: &Message,
        body: Body,
        repeat: Repeat,
        deadline: Option<Instant>,
    ) -> Result<Response> {
        let mut retry = self.retry().until(deadline);
        let mut body = body;
        loop {
            let again = body.again();
            let result = self.attempt(message, body, retry.attempt()).await;
            let (Some(next), true) = (again, repeat != Repeat::Never) else { return result };
            let error = match result {
                Ok(response) if retry.is_exhausted() || !is_transient(response.status()) => {
                    return Ok(response);
                }
                Ok(response) => response.refused().await,
                Err(error) if repeat.covers(&error) => error,
                Err(error) => return Err(error),
            };
            let asked = error.retry_after();
            if let Some(then) = asked.and_then(|wait| self.waits.now().checked_add(wait))
                && asked <= Some(self.options().retry.most_retry_after)
            {
                self.pool.gates.hold(&message.place, then);
            }
            retry.again(error).await?;
            body = next;
        }
    }

    async fn attempt(&self, message: &Message, body: Body, attempt: u32) -> Result<Response> {
        let mut response = self.follow(message, body, attempt).await?;
        let has_body = response.status().is_success() && message.place.method != Method::HEAD;
        if let Some((name, limit)) = message.whole.filter(|_| has_body) {
            response.load(name, limit).await?;
        }
        Ok(response)
    }

    /// One try, with its redirects.
    async fn follow(&self, message: &Message, body: Body, attempt: u32) -> Result<Response> {
        let Message { place, headers, redirects, .. } = message;
        let mut place = Arc::clone(place);
        let mut stripped = None;
        let mut body = Some(body);
        for _ in 0..=MOST_REDIRECTS {
            let body = body.take().unwrap_or(Body::Empty);
            let begun = Instant::now();
            let result = self.hop(&place, stripped.as_ref().unwrap_or(headers), body, attempt).await;
            self.options().log.tell(|| LoggedRequest {
                method: place.method.to_string(),
                url: place.shown(),
                status: result.as_ref().ok().map(|(answer, _)| answer.status().as_u16()),
                error: result.as_ref().err().map(ToString::to_string),
                attempt,
                time: begun.elapsed(),
            });
            let (inner, permit) = result?;
            let left_origin = stripped.is_some();
            let mut response =
                Response { inner, place: Arc::clone(&place), left_origin, attempt, permit, body: None };
            if !response.status().is_success() || place.method == Method::HEAD {
                // What is not read to its end must not keep others waiting: a token, say, that this answer asks for.
                drop(response.permit.take());
            }
            if *redirects == Redirects::Report || !redirect::is_redirect(response.status()) {
                return Ok(response);
            }
            let location = response.header(LOCATION);
            let target = redirect::target(&place.method, &place.url, location)
                .map_err(|error| response.explain(error.into()))?;
            if target.origin() != place.url.origin() {
                if *redirects == Redirects::SameOrigin {
                    let error = RedirectError::OtherOrigin(RedactedUrl::new(target.as_str()));
                    return Err(response.explain(error.into()));
                }
                // It does not come back either, should a later redirect lead home.
                stripped.get_or_insert_with(|| headers.clone()).remove(AUTHORIZATION);
            }
            response.drain().await;
            let (method, setting) = (place.method.clone(), Arc::clone(&self.setting));
            let from = place.from.clone().or_else(|| Some(place.shown()));
            place = Arc::new(Place { method, url: target, from, setting });
        }
        Err(place.explain(RedirectError::TooMany.into()))
    }

    /// One request, without redirects.
    async fn hop(
        &self,
        place: &Place,
        headers: &HeaderMap,
        body: Body,
        attempt: u32,
    ) -> Result<(reqwest::Response, Permit)> {
        let pool = Arc::clone(&self.pool);
        let client =
            pool.client(&place.url, &self.setting, attempt).await.map_err(|error| place.explain(error))?;
        let permit = pool.gates.pass(place, &self.waits).await;
        let mut request = reqwest::Request::new(place.method.clone(), place.url.clone());
        *request.headers_mut() = headers.clone();
        let mut upload = None;
        if !matches!(body, Body::Empty) {
            let (body, watched) = body.into_reqwest();
            *request.body_mut() = Some(body);
            upload = watched;
        }
        Ok((self.answer(&client, request, upload.as_deref(), place).await?, permit))
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
                    _ => return Err(failure::silence(self.patience(), place)),
                },
            }
        }
    }

    /// Longer than the connection may take to come about, which has its own bound and its own error.
    fn patience(&self) -> Duration {
        let options = self.options();
        options.idle_timeout.max(options.connect_timeout.saturating_add(Duration::from_secs(1)))
    }
}

impl fmt::Debug for HttpClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpClient").field("options", self.options()).finish_non_exhaustive()
    }
}
