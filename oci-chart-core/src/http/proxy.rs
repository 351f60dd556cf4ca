mod exceptions;

use std::{env, sync::OnceLock};

use reqwest::{ClientBuilder, Proxy, Url};

use super::options::{ProxyOptions, ProxyUrl, proxy::Choice};
use crate::{
    error::{Error, ErrorKind, Reason, Result},
    process::PerProcess,
};
use exceptions::Exceptions;

/// The proxies of one client, and which of them a request goes through.
pub(super) struct Proxies {
    choice: Choice,
    routes: PerProcess<OnceLock<Routes>>,
}

#[derive(Default)]
struct Routes {
    http: Way,
    https: Way,
    direct: Exceptions,
}

#[derive(Clone, Default)]
enum Way {
    #[default]
    Direct,
    Through(ProxyUrl),
    /// This environment variable has a value that is no proxy's address.
    Unusable(&'static str),
}

impl Proxies {
    pub(super) fn new(options: &ProxyOptions) -> Self {
        Self { choice: options.0.clone(), routes: PerProcess::default() }
    }

    /// Whom a request to `url` goes through; without user and password.
    pub(super) fn of(&self, url: &Url) -> Option<String> {
        match self.way(url) {
            Way::Through(proxy) => Some(proxy.to_string()),
            Way::Direct | Way::Unusable(_) => None,
        }
    }

    /// Whether a request to `url` goes to its host itself.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`] where the environment names a proxy that cannot be used: what should go through one does not go without.
    pub(super) fn is_direct(&self, url: &Url) -> Result<bool> {
        match self.way(url) {
            Way::Direct => Ok(true),
            Way::Through(_) => Ok(false),
            Way::Unusable(variable) => Err(Error::new(
                ErrorKind::InvalidInput,
                "an environment variable names a proxy whose address cannot be used",
            )
            .with_reason(Reason::FieldInvalid)
            .with_context("variable", variable)
            .with_hint("correct it (http://HOST:PORT, https:// or socks5://), unset it, or take this host out with NO_PROXY")),
        }
    }

    /// Has `builder` use the proxy of requests like the one to `url`, and no other.
    pub(super) fn apply(&self, builder: ClientBuilder, url: &Url) -> Result<ClientBuilder> {
        let builder = builder.no_proxy();
        let Way::Through(proxy) = self.way(url) else { return Ok(builder) };
        let found = Proxy::all(proxy.as_str()).map_err(|error| {
            Error::new(ErrorKind::InvalidInput, "the proxy cannot be used")
                .with_context("proxy", proxy)
                .with_source(error.without_url())
        })?;
        Ok(builder.proxy(found))
    }

    fn way(&self, url: &Url) -> &Way {
        if matches!(self.choice, Choice::Direct) || is_loopback(url) {
            return &Way::Direct;
        }
        let routes = self.routes.get_or_init(|| match &self.choice {
            Choice::Environment => Routes::of_environment(|name| env::var(name).ok()),
            Choice::Direct => Routes::default(),
            Choice::Given { http, https, no_proxy } => {
                let way = |url: &Option<ProxyUrl>| url.clone().map_or(Way::Direct, Way::Through);
                Routes { http: way(http), https: way(https), direct: Exceptions::parse(no_proxy) }
            }
        });
        if routes.direct.has(url.host_str().unwrap_or_default(), url.port_or_known_default()) {
            return &Way::Direct;
        }
        if url.scheme() == "https" { &routes.https } else { &routes.http }
    }
}

impl Routes {
    fn of_environment(variable: impl Fn(&str) -> Option<String>) -> Self {
        let first = |names: [&'static str; 2]| {
            names.into_iter().find_map(|name| Some((name, variable(name).filter(|value| !value.is_empty())?)))
        };
        // In a CGI program a request's header could set it.
        if variable("REQUEST_METHOD").is_some() {
            return Self::default();
        }
        let all = first(["ALL_PROXY", "all_proxy"]);
        let way = |names| match first(names).or_else(|| all.clone()) {
            None => Way::Direct,
            Some((name, value)) => ProxyUrl::parse(value.trim()).map_or(Way::Unusable(name), Way::Through),
        };
        let direct = first(["NO_PROXY", "no_proxy"]).map(|(_, list)| Exceptions::parse(&list));
        Self {
            http: way(["HTTP_PROXY", "http_proxy"]),
            https: way(["HTTPS_PROXY", "https_proxy"]),
            direct: direct.unwrap_or_default(),
        }
    }
}

/// Whether this is the machine itself, which no proxy can reach: as in Helm, and every other program in Go, it is never asked to.
fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse().is_ok_and(|ip: std::net::IpAddr| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(options: &ProxyOptions, url: &str) -> Option<String> {
        Proxies::new(options).of(&Url::parse(url).unwrap())
    }

    #[test]
    fn what_goes_through_whom() {
        let one: ProxyUrl = "http://robot:hunter2@one:3128".parse().unwrap();
        let two: ProxyUrl = "https://two".parse().unwrap();
        let both =
            ProxyOptions::through(one.clone()).with_no_proxy("near.example, 10.0.0.0/8, port.example:5000");
        let split = ProxyOptions::direct().with_http(two);
        for (options, url, expected) in [
            (&both, "https://far.example/v2/", Some("http://one:3128/")),
            (&both, "http://far.example:8080/v2/", Some("http://one:3128/")),
            (&both, "https://near.example/v2/", None),
            (&both, "https://sub.near.example/v2/", None),
            (&both, "https://farnear.example/v2/", Some("http://one:3128/")),
            (&both, "https://port.example:5000/v2/", None),
            (&both, "https://port.example/v2/", Some("http://one:3128/")),
            (&both, "https://10.1.2.3/v2/", None),
            (&both, "https://localhost:5000/v2/", None),
            (&both, "http://127.0.0.1:5000/v2/", None),
            (&both, "http://[::1]:5000/v2/", None),
            (&split, "http://far.example/", Some("https://two/")),
            (&split, "https://far.example/", None),
            (&ProxyOptions::direct(), "https://far.example/", None),
        ] {
            assert_eq!(of(options, url).as_deref(), expected, "{url}");
        }
    }

    #[test]
    fn what_the_environment_says() {
        let routes = |variables: &[(&str, &str)]| {
            let find = |name: &str| variables.iter().find(|(own, _)| *own == name);
            let routes = Routes::of_environment(|name| find(name).map(|(_, value)| (*value).to_owned()));
            let shown = |way: &Way| match way {
                Way::Direct => "direct".to_owned(),
                Way::Through(proxy) => proxy.to_string(),
                Way::Unusable(name) => format!("not {name}"),
            };
            [shown(&routes.http), shown(&routes.https)]
        };
        assert_eq!(routes(&[]), ["direct", "direct"]);
        assert_eq!(routes(&[("http_proxy", "one:3128")]), ["http://one:3128/", "direct"]);
        let both = [
            ("HTTPS_PROXY", "http://one"),
            ("https_proxy", "http://two"),
            ("all_proxy", "socks5h://three:1080"),
        ];
        assert_eq!(routes(&both), ["socks5h://three:1080", "http://one/"]);
        assert_eq!(routes(&[("HTTP_PROXY", ""), ("http_proxy", "http://two")]), ["http://two/", "direct"]);
        assert_eq!(routes(&[("HTTPS_PROXY", "ftp://one")]), ["direct", "not HTTPS_PROXY"]);
        assert_eq!(routes(&[("ALL_PROXY", "http://one"), ("REQUEST_METHOD", "GET")]), ["direct", "direct"]);
    }
}
