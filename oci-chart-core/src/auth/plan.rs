use reqwest::{
    Url,
    header::{HeaderMap, WWW_AUTHENTICATE},
};

use crate::{
    auth::Scope,
    error::{Error, ErrorKind, Reason, Result},
    http::wire::Challenge,
};

use super::realm::realm;

/// How a registry wants to be shown who is asking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Plan {
    /// Credentials in every request.
    Basic,
    /// A token from a service.
    Bearer(Service),
}

/// A token service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Service {
    pub(super) realm: Url,
    pub(super) service: Option<String>,
}

impl Plan {
    /// Reads the challenges in the headers of a 401 from `registry`, with the scope that it asks for: some registries have
    /// scopes of their own. A token service goes first where one is offered, since anonymous callers get tokens too.
    pub(super) fn read(
        registry: &Url,
        headers: &HeaderMap,
        may_be_plain: impl Fn(&Url) -> bool,
    ) -> Result<(Self, Scope)> {
        let challenges: Vec<_> = challenges(headers).collect();
        let of = |scheme: &str| challenges.iter().find(|challenge| challenge.scheme == scheme);
        if let Some(bearer) = of("bearer") {
            let place =
                bearer.get("realm").ok_or_else(|| bad("the registry's challenge names no token service"))?;
            let service = Service {
                realm: realm(registry, place, may_be_plain)?,
                service: bearer.get("service").map(str::to_owned),
            };
            return Ok((Self::Bearer(service), Scope::parse(bearer.get("scope").unwrap_or_default())));
        }
        if of("basic").is_some() {
            return Ok((Self::Basic, Scope::none()));
        }
        let schemes: Vec<_> = challenges.iter().map(|challenge| challenge.scheme.as_str()).collect();
        Err(if schemes.is_empty() {
            bad("the registry wants a login and does not say how")
        } else {
            bad("the registry wants a login of a kind that is not supported")
                .with_context("schemes", schemes.join(", "))
        })
    }

    /// Whether the headers ask for nothing: there is no challenge, or an empty one.
    pub(super) fn is_absent(headers: &HeaderMap) -> bool {
        challenges(headers).next().is_none()
    }
}

fn challenges(headers: &HeaderMap) -> impl Iterator<Item = Challenge> {
    headers.get_all(WWW_AUTHENTICATE).iter().flat_map(|value| Challenge::parse(value.as_bytes()))
}

fn bad(message: &'static str) -> Error {
    Error::new(ErrorKind::Unauthenticated, message).with_reason(Reason::BadChallenge)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(values: &[&str]) -> Result<(Plan, Scope)> {
        let headers = values
            .iter()
            .map(|value| ("www-authenticate".parse().unwrap(), value.parse().unwrap()))
            .collect();
        Plan::read(&Url::parse("https://r/v2/").unwrap(), &headers, |_| false)
    }

    #[test]
    fn the_best_challenge_wins() {
        let service = Service { realm: Url::parse("https://a/t").unwrap(), service: Some("s".into()) };
        let bearer = (Plan::Bearer(service), Scope::parse("repository:x:pull"));
        let header = r#"Bearer realm="https://a/t",service="s",scope="repository:x:pull""#;
        assert_eq!(read(&[header]).unwrap(), bearer);
        assert_eq!(read(&["Basic realm=x", header]).unwrap(), bearer);
        assert_eq!(read(&[&format!("Negotiate, Basic realm=x, {header}")]).unwrap(), bearer);
        assert_eq!(read(&["Negotiate, BASIC realm=x"]).unwrap(), (Plan::Basic, Scope::parse("")));
    }

    #[test]
    fn what_cannot_be_answered_is_named() {
        for values in [&[][..], &[""], &["Negotiate"], &["Bearer service=x"], &["Bearer realm=ftp://x/"]] {
            let error = read(values).unwrap_err();
            let found = (error.kind(), error.reason());
            assert_eq!(found, (ErrorKind::Unauthenticated, Some(Reason::BadChallenge)), "{values:?}");
        }
        assert_eq!(read(&["Negotiate, Digest x=y"]).unwrap_err().get("schemes"), Some("negotiate, digest"));
    }
}
