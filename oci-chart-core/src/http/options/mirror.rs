use std::fmt;

use regex_lite::Regex;
use reqwest::Url;

use crate::{
    error::{Error, ErrorKind, Reason, Result},
    name::{Host, RepositoryName},
    redact::RedactedUrl,
};

/// Another registry from which content of a host may be read: a pull-through cache, or a copy. It is asked under its own name and with its own
/// credentials, never with those of the host it stands for, and told by `ns=` whose content is meant.
///
/// # Examples
///
/// ```
/// use oci_chart_core::{name::{Host, RepositoryName}, store::{ConnectionOptions, Mirror}};
///
/// let cache = Mirror::parse("https://harbor.example/v2/hub-cache")?;
/// let copy = Mirror::parse("http://10.0.0.7:5000")?.with_rewrite("^charts/(.*)", "copies/$1")?;
/// assert_eq!(copy.repository("charts/web"), "copies/web");
/// let options = ConnectionOptions::default()
///     .with_mirror(Host::parse("docker.io")?, cache)
///     .with_mirror(Host::parse("docker.io")?, copy);
/// assert!(options.is_plain_http(&Host::parse("10.0.0.7:5000")?));
/// # Ok::<(), oci_chart_core::Error>(())
/// ```
#[derive(Clone)]
pub struct Mirror {
    host: Host,
    plain_http: bool,
    /// Begins and ends with a slash.
    path: String,
    rewrites: Vec<(Regex, String)>,
}

impl Mirror {
    /// The mirror at `endpoint`: a URL, or a host alone for https. The API is under its path, or under `/v2` where it has none.
    ///
    /// # Errors
    ///
    /// [`InvalidInput`](ErrorKind::InvalidInput).
    pub fn parse(endpoint: &str) -> Result<Self> {
        let text = if endpoint.contains("://") { endpoint.to_owned() } else { format!("https://{endpoint}") };
        let bad = |why: &'static str| {
            Error::new(ErrorKind::InvalidInput, format!("the address of a mirror cannot be used: {why}"))
                .with_context("endpoint", RedactedUrl::new(endpoint))
                .with_hint("mirrors look like https://HOST, https://HOST:PORT or https://HOST/v2/PATH")
        };
        let url = Url::parse(&text).map_err(|_| bad("it is no URL"))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(bad("it is neither http nor https"));
        }
        if !url.username().is_empty()
            || url.password().is_some()
            || url.query().is_some()
            || url.fragment().is_some()
        {
            return Err(bad("it has more than a host and a path"));
        }
        let authority = url.authority();
        let path = match url.path().trim_matches('/') {
            "" => "/v2/".to_owned(),
            path => format!("/{path}/"),
        };
        let host = Host::parse(authority).map_err(|_| bad("it has no host"))?;
        Ok(Self { host, plain_http: url.scheme() == "http", path, rewrites: Vec::new() })
    }

    /// Asks for a repository whose name matches `pattern` under another name: what matches is replaced, `$1` and `${name}` stand for what a
    /// group matched. Of several the first that matches is used. Patterns are regular expressions without look-around, as in Go.
    ///
    /// # Errors
    ///
    /// [`InvalidInput`](ErrorKind::InvalidInput) for what is no pattern.
    pub fn with_rewrite(mut self, pattern: &str, replacement: &str) -> Result<Self> {
        let regex = Regex::new(pattern).map_err(|error| {
            Error::new(ErrorKind::InvalidInput, "a mirror's rewrite is no regular expression")
                .with_reason(Reason::FieldInvalid)
                .with_context("pattern", pattern)
                .with_context("cause", error)
        })?;
        self.rewrites.push((regex, replacement.to_owned()));
        Ok(self)
    }

    /// Where it is.
    pub fn host(&self) -> &Host {
        &self.host
    }

    /// Whether it is spoken to over plain HTTP.
    pub fn is_plain_http(&self) -> bool {
        self.plain_http
    }

    /// The path below which its API is; it begins and ends with a slash.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// What the repository `name` is called there. A rewrite that makes no repository's name of it is passed over.
    pub fn repository(&self, name: &str) -> String {
        let rewritten = self.rewrites.iter().find(|(pattern, _)| pattern.is_match(name));
        let Some((pattern, replacement)) = rewritten else { return name.to_owned() };
        let rewritten = pattern.replace_all(name, replacement.as_str());
        if RepositoryName::parse(&rewritten).is_ok() { rewritten.into_owned() } else { name.to_owned() }
    }
}

impl fmt::Debug for Mirror {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.plain_http { "http" } else { "https" };
        write!(f, "Mirror({scheme}://{}{}", self.host, self.path)?;
        for (pattern, replacement) in &self.rewrites {
            write!(f, ", {:?} -> {replacement:?}", pattern.as_str())?;
        }
        f.write_str(")")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_are_read() {
        for (text, expected) in [
            ("https://h", Some("Mirror(https://h/v2/)")),
            ("https://h/", Some("Mirror(https://h/v2/)")),
            ("http://h:5000/v2", Some("Mirror(http://h:5000/v2/)")),
            ("https://h/v2/cache/", Some("Mirror(https://h/v2/cache/)")),
            ("h:5000", Some("Mirror(https://h:5000/v2/)")),
            ("[::1]:5000", Some("Mirror(https://[::1]:5000/v2/)")),
            ("https://robot:hunter2@h", None),
            ("https://h?x=1", None),
            ("unix:///run/h", None),
            ("https://", None),
            ("", None),
        ] {
            let found = Mirror::parse(text);
            assert_eq!(
                found.as_ref().ok().map(|mirror| format!("{mirror:?}")).as_deref(),
                expected,
                "{text}"
            );
            if let Err(error) = found {
                assert!(!format!("{error} {error:?}").contains("hunter2"));
            }
        }
    }

    #[test]
    fn the_first_rewrite_that_matches_is_used() {
        let mirror = Mirror::parse("h")
            .and_then(|mirror| mirror.with_rewrite("^rancher/(.*)", "mirrorproject/rancher-images/$1"))
            .and_then(|mirror| mirror.with_rewrite("^(?P<team>[a-z]+)/", "cache/${team}/"))
            .and_then(|mirror| mirror.with_rewrite("^broken", "A B"))
            .unwrap();
        for (name, expected) in [
            ("rancher/web", "mirrorproject/rancher-images/web"),
            ("charts/web", "cache/charts/web"),
            ("broken", "broken"),
            ("web1", "web1"),
        ] {
            assert_eq!(mirror.repository(name), expected);
        }
        assert_eq!(
            Mirror::parse("h").unwrap().with_rewrite("(", "").unwrap_err().kind(),
            ErrorKind::InvalidInput
        );
    }
}
