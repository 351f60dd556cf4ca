//! Lists of names: the tags of a repository, the repositories of the registry.

use hyper::StatusCode;
use serde_json::json;

use super::answer::{Refusal, Reply, not_found};
use super::exchange::Call;
use super::page::Page;
use crate::log::locked;
use crate::quirk::Quirk;

pub(crate) fn list(call: &Call<'_>, repository: &str) -> Result<Reply, Refusal> {
    let storage = locked(&call.state.storage);
    let Some(found) = storage.repository(repository) else {
        let error = not_found("NAME_UNKNOWN", format!("repository {repository} not known to registry"));
        return Err(error.detail(json!({ "name": repository })).into());
    };
    let mut page = Page::of(call, found.tags.keys(), |tag| tag.as_str())?;
    if call.state.has(Quirk::PageSizeIgnored) {
        page.entries.reverse();
    }
    let reply = Reply::json(StatusCode::OK, &json!({ "name": repository, "tags": page.entries }));
    let last = page.entries.last().map(|tag| tag.as_str());
    Ok(page.link(call, reply, &format!("/v2/{repository}/tags/list"), last))
}

pub(crate) fn catalog(call: &Call<'_>) -> Result<Reply, Refusal> {
    let storage = locked(&call.state.storage);
    let page = Page::of(call, storage.names(), |name| name.as_str())?;
    let reply = Reply::json(StatusCode::OK, &json!({ "repositories": page.entries }));
    let last = page.entries.last().map(|name| name.as_str());
    Ok(page.link(call, reply, "/v2/_catalog", last))
}
