//! One request from its head to its answer: log, script, credentials, endpoint.

use std::sync::atomic::Ordering;

use hyper::body::Incoming;
use hyper::header::{AUTHORIZATION, EXPECT, HOST, HeaderName};
use hyper::{HeaderMap, Request, Response, StatusCode};
use serde_json::json;

use super::answer::{Refusal, Reply, bad_request, not_found, unsupported};
use super::body::{BrokenOff, Inbound, Outbound};
use super::fault::Faults;
use super::query::Query;
use super::route::Route;
use super::{State, auth, blobs, manifests, own, policy, referrers, tags, uploads};
use crate::log::{Begin, Class, Origin, locked};
use crate::options::Auth;
use crate::quirk::{Bite, Quirk};
use crate::token::Access;

/// Request body bytes that are read after an early answer, as Go's servers do.
const DRAIN: u64 = 256 << 10;

const WARNING: HeaderName = HeaderName::from_static("warning");
const API_VERSION: HeaderName = HeaderName::from_static("docker-distribution-api-version");

/// One request as the endpoints see it.
pub(crate) struct Call<'a> {
    pub(crate) state: &'a State,
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) query: Query,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Inbound,
}

impl Call<'_> {
    /// Remembers that the request met a quirk which harms it.
    pub(crate) fn bite(&self, quirk: Quirk) {
        let request = format!("{} {}", self.method, self.target);
        locked(&self.state.bites).push(Bite { quirk, request });
    }

    /// A path of this registry as `Location` and `Link` carry it: as the client addresses the registry, where URLs are whole.
    pub(crate) fn url(&self, path: &str) -> String {
        if !self.state.options.absolute_urls {
            return path.to_owned();
        }
        let registry = &self.state.origins.registry;
        let (scheme, own) = registry.split_once("://").unwrap_or(("http", registry));
        let host = self.headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or(own);
        format!("{scheme}://{host}{path}")
    }
}

pub(crate) async fn answer(
    state: &State,
    origin: Origin,
    connection: u64,
    request: Request<Incoming>,
) -> Result<Response<Outbound>, BrokenOff> {
    let (head, body) = request.into_parts();
    let method = head.method.as_str().to_owned();
    let target = head.uri.path_and_query().map_or("/", |target| target.as_str());
    let query = Query::parse(head.uri.query().unwrap_or_default());
    let route = Route::parse(head.uri.path());
    let token_path = head.uri.path() == state.options.token_path() && state.serves_tokens(origin);
    let class = match origin {
        _ if token_path => Class::Token,
        Origin::Registry => route.class(&method, &query),
        Origin::Storage => Class::Storage,
        Origin::Token => Class::Other,
    };
    let begin = Begin { origin, connection, class, method: &method, target, headers: &head.headers };
    let entry = state.log.begin(&begin);
    let faults = Faults::from(state.script.judge(&method, target), &entry);

    let body = Inbound::new(body, entry.clone(), faults.cut_request());
    let mut call = Call { state, method, target: target.to_owned(), query, headers: head.headers, body };
    let outcome = match faults.before(target, &mut call.headers).await {
        Ok(Some(reply)) => Ok(reply),
        Ok(None) if token_path => token(&mut call).await,
        Ok(None) => dispatch(&mut call, origin, &route).await,
        Err(refusal) => Err(refusal),
    };
    let outcome = settle(&mut call, outcome).await;
    let mut reply = outcome.inspect_err(|_| entry.end())?;
    if state.options.latency.as_nanos() > 0 {
        tokio::time::sleep(state.options.latency).await;
    }
    if !state.options.digest_header {
        reply.headers.remove(super::answer::CONTENT_DIGEST);
    }
    if let Some(warning) = &state.options.warning {
        reply = reply.header(WARNING, format!("299 - \"{warning}\""));
    }
    policy::adorn(state, &mut reply);
    reply.announce_length();
    let bend = faults.after(&mut reply).inspect_err(|_| entry.end())?;

    entry.answered(reply.status.as_u16());
    let mut response = Response::new(());
    *response.status_mut() = reply.status;
    *response.headers_mut() = reply.headers;
    let silent = call.method == "HEAD";
    let body = Outbound::new(reply.content, &bend, entry, silent);
    Ok(response.map(|()| body))
}

/// Errors become replies, and what the client is still sending is read for a while.
async fn settle(call: &mut Call<'_>, outcome: Result<Reply, Refusal>) -> Result<Reply, BrokenOff> {
    let reply = match outcome {
        Ok(reply) => reply,
        Err(Refusal::Error(error)) => policy::in_own_words(call, *error).reply(),
        Err(Refusal::Reply(reply)) => *reply,
        Err(Refusal::HangUp) => return Err(BrokenOff),
    };
    if !call.headers.contains_key(EXPECT) {
        call.body.drain(DRAIN).await.map_err(|_| BrokenOff)?;
    }
    Ok(reply)
}

async fn token(call: &mut Call<'_>) -> Result<Reply, Refusal> {
    let Auth::Bearer(bearer) = &call.state.options.auth else {
        return Err(not_found("UNSUPPORTED", "no tokens here").into());
    };
    let form = match call.method.as_str() {
        "POST" => {
            let body = call.body.collect(64 << 10).await?;
            Query::parse(&String::from_utf8_lossy(&body))
        }
        _ => call.query.clone(),
    };
    if call.method == "POST" && call.state.has(Quirk::NoTokenPost) {
        call.bite(Quirk::NoTokenPost);
        return Err(Refusal::plain(StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed\n"));
    }
    let exists = |access: &Access<'_>| {
        let strict = access.kind == "repository" && call.state.has(Quirk::ProjectIsUnauthorized);
        !strict || call.state.has_project(access.name)
    };
    let lenient = call.state.has(Quirk::WrongPasswordIsAnonymous);
    Ok(call.state.tokens.answer(bearer, &call.method, &call.headers, &form, lenient, exists))
}

async fn dispatch(call: &mut Call<'_>, origin: Origin, route: &Route) -> Result<Reply, Refusal> {
    match origin {
        Origin::Registry => {}
        Origin::Storage => return storage(call, route),
        Origin::Token => return Err(not_found("UNSUPPORTED", "only /token is here").into()),
    }
    policy::before(call)?;
    if let Route::Own(path) = route {
        return own::answer(call, path);
    }
    auth::check(call, route)?;
    policy::after(call, route)?;
    let method = call.method.clone();
    if method == "HEAD" && !call.state.options.head {
        return Err(unsupported("HEAD is not allowed here").into());
    }
    match (route, method.as_str()) {
        (Route::Ping, "GET" | "HEAD") => {
            Ok(Reply::json(StatusCode::OK, &json!({})).header(API_VERSION, "registry/2.0"))
        }
        (Route::Catalog, "GET") => tags::catalog(call),
        (Route::Uploads { repository }, "POST") => uploads::begin(call, repository).await,
        (Route::Upload { repository, session }, "GET" | "PATCH" | "PUT" | "DELETE") => {
            uploads::proceed(call, repository, session).await
        }
        (Route::Blob { repository, digest }, "GET" | "HEAD") => blobs::get(call, repository, digest),
        (Route::Blob { repository, digest }, "DELETE") => blobs::delete(call, repository, digest),
        (Route::Manifest { repository, reference }, "GET" | "HEAD") => {
            manifests::get(call, repository, reference)
        }
        (Route::Manifest { repository, reference }, "PUT") => {
            manifests::put(call, repository, reference).await
        }
        (Route::Manifest { repository, reference }, "DELETE") => {
            manifests::delete(call, repository, reference)
        }
        (Route::Tags { repository }, "GET") => tags::list(call, repository),
        (Route::Referrers { repository, digest }, "GET") => referrers::list(call, repository, digest),
        (Route::BadName(name), _) => {
            let message = format!("{name:?} is not a repository name");
            Err(bad_request("NAME_INVALID", message).into())
        }
        (Route::Own(_) | Route::Unknown, _) => Err(no_endpoint(call.state)),
        _ => Err(unsupported(format!("{method} is not defined for this endpoint")).into()),
    }
}

/// What there is no endpoint for.
pub(super) fn no_endpoint(state: &State) -> Refusal {
    if state.has(Quirk::PlainNotFound) {
        return Refusal::plain(StatusCode::NOT_FOUND, "404 page not found\n");
    }
    not_found("UNSUPPORTED", "no such endpoint").into()
}

/// The second origin: blobs for everyone who brings no credentials.
fn storage(call: &Call<'_>, route: &Route) -> Result<Reply, Refusal> {
    if call.headers.contains_key(AUTHORIZATION) {
        call.state.leaked.fetch_add(1, Ordering::SeqCst);
        let message = "credentials for the registry were sent to another origin";
        return Err(bad_request("DENIED", message).into());
    }
    match (route, call.method.as_str(), call.query.first("signature")) {
        (Route::Blob { repository, digest }, "GET" | "HEAD", Some(_)) => {
            blobs::serve(call, repository, digest)
        }
        _ => Err(not_found("UNSUPPORTED", "only signed blob URLs are here").into()),
    }
}

impl State {
    fn serves_tokens(&self, origin: Origin) -> bool {
        match &self.options.auth {
            Auth::Bearer(bearer) => origin == if bearer.own_port { Origin::Token } else { Origin::Registry },
            Auth::None | Auth::Basic { .. } => false,
        }
    }
}
