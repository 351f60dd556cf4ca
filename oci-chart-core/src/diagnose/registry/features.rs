use reqwest::{
    Method,
    header::{ACCEPT, HeaderValue},
};

use super::{Check, Examination, Finding, Status, look};
use crate::{
    auth::Scope,
    error::{Error, ErrorKind, Reason},
    http::{Response, wire},
    oci::MediaType,
};

/// A digest that nothing has: its referrers are none, where the API exists.
const NOTHING: &str = "sha256:0000000000000000000000000000000000000000000000000000000000000000";

/// What a tag may point at. Some registries find nothing for those who do not say what they take.
const MANIFESTS: &str = "application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json, \
    application/vnd.docker.distribution.manifest.v2+json";

/// What only writing shows.
const HIDDEN: [&str; 4] = ["mounts", "chunks", "tag-delete", "manifest-delete"];

/// Whether a registry has a feature.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Support {
    Yes,
    No,
    Unknown,
}

impl Examination {
    /// What asking shows of the registry's features.
    pub(super) async fn features(&mut self, pull: &Scope, tag: Option<String>) {
        let head = match tag {
            Some(tag) => self.head(pull, &tag).await,
            None => Support::Unknown,
        };
        let found =
            [("head", head), ("referrers", self.referrers(pull).await), ("catalog", self.catalog().await)];
        let with = |support: Support| {
            let names = found.iter().filter(|(_, found)| *found == support).map(|(name, _)| *name);
            names.collect::<Vec<_>>().join(", ")
        };
        let summary = match (with(Support::Yes), with(Support::No)) {
            (yes, no) if yes.is_empty() && no.is_empty() => "nothing shows them".to_owned(),
            (yes, no) if no.is_empty() => format!("has {yes}"),
            (yes, no) if yes.is_empty() => format!("has not {no}"),
            (yes, no) => format!("has {yes}; has not {no}"),
        };
        let hidden = HIDDEN.map(|name| (name, Support::Unknown));
        let all = found.into_iter().chain(hidden);
        let finding = Finding::new(Check::Features, Status::Ok, summary);
        self.add(all.fold(finding, |finding, (name, support)| finding.with_fact(name, support.name())));
    }

    async fn referrers(&mut self, pull: &Scope) -> Support {
        let url = self.url(&format!("{}/referrers/{NOTHING}", self.repository()), None);
        match self.ask_as(pull, Method::GET, &url).await {
            Ok(response) => {
                let index = response.header("content-type").map(wire::essence);
                let is_index = index.is_some_and(|index| index == MediaType::OCI_INDEX.as_str());
                response.drain().await;
                if is_index { Support::Yes } else { Support::No }
            }
            // Without the repository there is no knowing.
            Err(error) if error.reason() == Some(Reason::RepositoryMissing) => Support::Unknown,
            Err(error) => missing(&error),
        }
    }

    async fn catalog(&mut self) -> Support {
        let url = self.url("_catalog", Some("n=1"));
        match self.ask_as(&Scope::parse("registry:catalog:*"), Method::GET, &url).await {
            Ok(response) => {
                response.drain().await;
                Support::Yes
            }
            Err(error) => missing(&error),
        }
    }

    /// The head of a manifest, also for what it says of limits: some registries count manifests and nothing else, and not their heads.
    async fn head(&mut self, pull: &Scope, tag: &str) -> Support {
        let url = self.url(&format!("{}/manifests/{tag}", self.repository()), None);
        let request =
            || Ok(look(Method::HEAD, &url).with_header(ACCEPT, HeaderValue::from_static(MANIFESTS)));
        match self.probe.auth().send(pull, request).await {
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

impl Support {
    const fn name(self) -> &'static str {
        match self {
            Self::Yes => "yes",
            Self::No => "no",
            Self::Unknown => "unknown",
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

/// What a refusal says: that there is nothing, or only that it is not for this caller, now.
fn missing(error: &Error) -> Support {
    match error.kind() {
        ErrorKind::NotFound | ErrorKind::Unsupported => Support::No,
        _ => Support::Unknown,
    }
}
