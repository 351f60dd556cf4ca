//! The referrers API: which manifests name this one as their subject.

use hyper::StatusCode;
use hyper::header::{CONTENT_TYPE, HeaderName};
use serde_json::{Value, json};

use super::answer::{Refusal, Reply};
use super::blobs::parse;
use super::exchange::{Call, no_endpoint};
use super::page::Page;
use super::query::query_encode;
use super::storage::Manifest;
use crate::log::locked;

const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const FILTERS_APPLIED: HeaderName = HeaderName::from_static("oci-filters-applied");

pub(crate) fn list(call: &Call<'_>, repository: &str, digest: &str) -> Result<Reply, Refusal> {
    if !call.state.options.referrers_api {
        return Err(no_endpoint(call.state));
    }
    let subject = parse(digest)?.to_string();
    let wanted = call.query.first("artifactType");
    let storage = locked(&call.state.storage);
    let manifests = storage.repository(repository).into_iter().flat_map(|found| found.manifests.values());
    let referrers = manifests.filter(|manifest| {
        let facts = &manifest.facts;
        facts.subject.as_ref() == Some(&subject)
            && wanted.is_none_or(|wanted| facts.artifact_type.as_deref() == Some(wanted))
    });
    let keyed = referrers.map(|manifest| (manifest.digest.to_string(), manifest));
    let page = Page::of(call, keyed, |(digest, _)| digest.as_str())?;

    let descriptors: Vec<Value> = page.entries.iter().map(|(_, manifest)| descriptor(manifest)).collect();
    let index = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": descriptors });
    let mut reply = Reply::json(StatusCode::OK, &index).header(CONTENT_TYPE, INDEX);
    let mut path = format!("/v2/{repository}/referrers/{subject}");
    if let Some(wanted) = wanted {
        reply = reply.header(FILTERS_APPLIED, "artifactType");
        path.push_str(&format!("?artifactType={}", query_encode(wanted)));
    }
    let last = page.entries.last().map(|(digest, _)| digest.as_str());
    Ok(page.link(call, reply, &path, last))
}

fn descriptor(manifest: &Manifest) -> Value {
    let mut value = json!({
        "mediaType": manifest.media_type,
        "digest": manifest.digest.to_string(),
        "size": manifest.bytes.len(),
    });
    if let Some(fields) = value.as_object_mut() {
        let facts = &manifest.facts;
        let artifact_type = facts.artifact_type.clone().map(Value::String);
        let optional = [("artifactType", artifact_type), ("annotations", facts.annotations.clone())];
        fields.extend(optional.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))));
    }
    value
}
