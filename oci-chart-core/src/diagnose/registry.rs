mod answer;
mod features;
mod reach;
mod rights;

use std::time::Duration;

use reqwest::{Method, Url};

use super::{Check, Diagnosis, Finding, Status};
use crate::{
    error::{Error, Result},
    http::{Request, Response},
    name::{Location, RepositoryName},
    store::Probe,
};

/// What is looked at in a registry, in the order in which one thing needs the other.
const ORDER: [Check; 13] = [
    Check::Proxy,
    Check::Name,
    Check::Connection,
    Check::Tls,
    Check::Api,
    Check::Clock,
    Check::Challenge,
    Check::Credentials,
    Check::Login,
    Check::Pull,
    Check::Push,
    Check::Features,
    Check::RateLimit,
];

/// Looks at a registry and one of its repositories.
pub(crate) async fn examine(probe: Probe, location: &Location) -> Diagnosis {
    let mut examination = Examination { probe, findings: Vec::new(), rate: None };
    if examination.reach().await
        && let Some(asks) = examination.ask().await
    {
        examination.rights(asks).await;
        examination.tell_rate();
    }
    let mut findings = examination.findings;
    for check in ORDER {
        if !findings.iter().any(|finding| finding.check == check) {
            findings.push(Finding::new(check, Status::Skipped, "something that this needs has failed"));
        }
    }
    findings.sort_by_key(|finding| ORDER.iter().position(|check| *check == finding.check));
    Diagnosis { location: location.to_string(), findings }
}

struct Examination {
    probe: Probe,
    findings: Vec<Finding>,
    /// What answers said about how many more there will be.
    rate: Option<Finding>,
}

impl Examination {
    fn add(&mut self, finding: Finding) {
        self.findings.push(finding);
    }

    fn base(&self) -> &Url {
        self.probe.base()
    }

    fn patience(&self) -> Duration {
        self.probe.http().options().connect_timeout
    }

    fn repository(&self) -> &RepositoryName {
        self.probe.repository().name()
    }

    /// Something in the registry: `path` is below `/v2/`.
    fn url(&self, path: &str, query: Option<&str>) -> Url {
        let mut url = self.base().clone();
        url.set_path(&format!("{}{path}", self.base().path()));
        url.set_query(query);
        url
    }

    /// Keeps what an answer says of the number of requests.
    fn look_at(&mut self, response: &Response) {
        if let Some(found) = features::rate(response) {
            let worse = self.rate.as_ref().is_none_or(|known| known.status != Status::Failed);
            self.rate = Some(found).filter(|_| worse).or(self.rate.take());
        }
    }

    fn tell_rate(&mut self) {
        let silent = || Finding::new(Check::RateLimit, Status::Unknown, "the registry does not say");
        let found = self.rate.take().unwrap_or_else(silent);
        self.add(found);
    }
}

/// A look, and nothing but a look.
fn look(method: Method, url: &Url) -> Request {
    debug_assert!(method == Method::GET || method == Method::HEAD);
    Request::new(method, url.clone())
}

/// The error of an answer that is no success.
async fn successful(response: Response) -> Result<Response, Error> {
    if response.status().is_success() { Ok(response) } else { Err(response.refused().await) }
}
