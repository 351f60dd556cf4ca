use reqwest::{
    Method,
    header::{ACCEPT, HeaderValue},
};

use super::{Check, Examination, Finding, Status, look};
use crate::{
    auth::Scope,
    http::Response,
    store::{Feature, Support},
};

/// What a tag may point at. Some registries find nothing for those who do not say what they take.
const MANIFESTS: &str = "application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json, \
    application/vnd.docker.distribution.manifest.v2+json";

impl Examination {
    /// What asking shows of the registry's features; the rest only writing does.
    pub(super) async fn features(&mut self, pull: &Scope, tag: Option<String>) {
        let head = match tag {
            Some(tag) => self.head(pull, &tag).await,
            None => Support::Unknown,
        };
        let repository = self.probe.repository();
        // What keeps it from answering was told before; what was learnt until then counts.
        let known = repository.detect().await.unwrap_or_else(|_| repository.capabilities());
        let known = known.with(Feature::Head, head);
        let with = |support: Support| {
            // Not to be Harbor is no lack.
            let told = known.iter().filter(|(feature, found)| {
                *found == support && (support == Support::Yes || *feature != Feature::Harbor)
            });
            told.map(|(feature, _)| feature.name()).collect::<Vec<_>>().join(", ")
        };
        let summary = match (with(Support::Yes), with(Support::No)) {
            (yes, no) if yes.is_empty() && no.is_empty() => "nothing shows them".to_owned(),
            (yes, no) if no.is_empty() => format!("has {yes}"),
            (yes, no) if yes.is_empty() => format!("has not {no}"),
            (yes, no) => format!("has {yes}; has not {no}"),
        };
        let finding = Finding::new(Check::Features, Status::Ok, summary);
        let finding = known
            .iter()
            .fold(finding, |finding, (feature, found)| finding.with_fact(feature.name(), found.name()));
        self.add(finding);
    }

    /// The head of a manifest, also for what it says of limits: some registries count manifests and nothing else, and not their heads.
    async fn head(&mut self, pull: &Scope, tag: &str) -> Support {
        let url = self.url(&format!("{}/manifests/{tag}", self.repository()), None);
        let request =
            || Ok(look(Method::HEAD, &url).with_header(ACCEPT, HeaderValue::from_static(MANIFESTS)));
        match self.probe.auth().send(pull, &request).await {
            Ok(response) => {
                self.look_at(&response);
                match response.status().as_u16() {
                    200 if response.header("docker-content-digest").is_some() => Support::Yes,
                    200 | 405 => Support::No,
                    _ => Support::Unknown,
                }
            }
            Err(_) => Support::Unknown,
        }
    }
}

/// What an answer says of the number of requests: the headers of Docker Hub, and of the draft that others follow.
pub(super) fn rate(response: &Response) -> Option<Finding> {
    let number = |names: [&str; 2]| {
        let value = names.iter().find_map(|name| response.header(*name))?;
        // `76;w=21600`: what follows is the window.
        let (number, rest) = value.split_once(';').unwrap_or((value, ""));
        Some((number.trim().parse::<u64>().ok()?, rest.trim().strip_prefix("w=").map(str::to_owned)))
    };
    let limit = number(["ratelimit-limit", "x-ratelimit-limit"]);
    let remaining = number(["ratelimit-remaining", "x-ratelimit-remaining"]);
    let is_over = response.status().as_u16() == 429;
    if limit.is_none() && remaining.is_none() && !is_over {
        return None;
    }
    let left = remaining.as_ref().map(|(left, _)| *left);
    let mut finding = if is_over || left == Some(0) {
        Finding::new(Check::RateLimit, Status::Failed, "the registry takes no more requests for now")
            .with_hint("wait, or log in: many registries allow more then")
    } else {
        let left = left.map_or("some".to_owned(), |left| left.to_string());
        Finding::new(Check::RateLimit, Status::Ok, format!("{left} more requests"))
    };
    let window = [&limit, &remaining].into_iter().flatten().find_map(|(_, window)| window.clone());
    let facts = [
        ("limit", limit.map(|(number, _)| number.to_string())),
        ("remaining", left.map(|left| left.to_string())),
        ("window seconds", window),
        ("retry after", response.header("retry-after").map(str::to_owned)),
    ];
    for (name, value) in facts {
        if let Some(value) = value {
            finding = finding.with_fact(name, value);
        }
    }
    Some(finding)
}
