//! The part of Harbor's own API that a client may meet.

use hyper::header::LINK;
use hyper::{HeaderMap, StatusCode};
use serde_json::json;

use super::answer::{ApiError, Content, Refusal, Reply};
use super::exchange::{Call, no_endpoint};
use crate::log::locked;
use crate::options::Auth;
use crate::quirk::Quirk;
use crate::token::{Worth, basic_credentials};

/// Entries of a page where nobody asks for more, and the most that may be asked for.
const PAGE: usize = 10;
const MOST: usize = 100;

pub(crate) fn answer(call: &Call<'_>, path: &str) -> Result<Reply, Refusal> {
    if !call.state.has(Quirk::OwnApi) || call.method != "GET" {
        return Err(no_endpoint(call.state));
    }
    match path {
        "ping" => Ok(Reply::new(StatusCode::OK).content(Content::Bytes("Pong".into()))),
        "repositories" => repositories(call),
        _ => Err(no_endpoint(call.state)),
    }
}

/// All repositories that the caller may read: those of public projects to who gives no password.
fn repositories(call: &Call<'_>) -> Result<Reply, Refusal> {
    let number =
        |name: &str, default| call.query.first(name).and_then(|text| text.parse().ok()).unwrap_or(default);
    let (page, size) = (number("page", 1).max(1), number("page_size", PAGE));
    if size > MOST {
        let message = "page_size in query should be less than or equal to 100";
        return Err(ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "UNPROCESSABLE_ENTITY", message).into());
    }
    let known = may_read_all(call, &call.headers)?;
    let storage = locked(&call.state.storage);
    let all: Vec<_> = storage.names().filter(|name| known || name.starts_with("library/")).cloned().collect();
    let entries: Vec<_> =
        all.iter().skip((page - 1) * size).take(size).map(|name| json!({ "name": name })).collect();
    let reply = Reply::json(StatusCode::OK, &json!(entries));
    let link = |page: usize, rel: &str| {
        format!("</api/v2.0/repositories?page={page}&page_size={size}>; rel=\"{rel}\"")
    };
    let mut links = Vec::new();
    if page > 1 {
        links.push(link(page - 1, "prev"));
    }
    if page * size < all.len() {
        links.push(link(page + 1, "next"));
    }
    Ok(if links.is_empty() { reply } else { reply.header(LINK, links.join(" , ")) })
}

fn may_read_all(call: &Call<'_>, headers: &HeaderMap) -> Result<bool, ApiError> {
    let Some(login) = basic_credentials(headers) else { return Ok(false) };
    let worth = match &call.state.options.auth {
        Auth::Bearer(bearer) => bearer.worth(&login, &[]),
        Auth::None | Auth::Basic { .. } => Worth::Enough,
    };
    if worth == Worth::Enough {
        return Ok(true);
    }
    Err(ApiError::new(StatusCode::UNAUTHORIZED, "UNAUTHORIZED", "unauthorized"))
}
