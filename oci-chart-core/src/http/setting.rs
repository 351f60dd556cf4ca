use std::sync::Arc;

use reqwest::Url;

use super::{ConnectionOptions, options::HostOptions, proxy::Proxies, witness::Witness};
use crate::name::Host;

/// What a client was told, in the form in which it is asked for: by URL.
pub(super) struct Setting {
    pub(super) options: ConnectionOptions,
    pub(super) proxies: Proxies,
    /// Who wants to see what servers show.
    pub(super) witness: Option<Arc<Witness>>,
    hosts: Vec<(String, Option<u16>, HostOptions)>,
}

impl Setting {
    pub(super) fn new(options: ConnectionOptions) -> Self {
        let hosts = options
            .hosts
            .iter()
            .map(|(host, options)| {
                let (name, port) = parts(host);
                (name, port, options.clone())
            })
            .collect();
        Self { proxies: Proxies::new(&options.proxy), witness: None, hosts, options }
    }

    /// What was said about the host and port of `url`.
    pub(super) fn host(&self, url: &Url) -> Option<&HostOptions> {
        let name = url.host_str()?;
        let (_, _, options) = self.hosts.iter().find(|(known, port, _)| {
            known == name
                && match port {
                    None => url.port().is_none(),
                    port => url.port_or_known_default() == *port,
                }
        })?;
        Some(options)
    }
}

/// Name and port as they stand in URLs: small letters, and those of other scripts in Punycode.
fn parts(host: &Host) -> (String, Option<u16>) {
    let api = Url::parse(&format!("https://{}/", host.api_host()));
    let name = api.ok().and_then(|url| url.host_str().map(str::to_owned));
    (name.unwrap_or_else(|| host.name().to_ascii_lowercase()), host.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_found_by_url() {
        for (host, url, found) in [
            ("h", "https://h/v2/", true),
            ("H", "https://h/v2/", true),
            ("h", "http://h/v2/", true),
            ("h", "https://h:443/v2/", true),
            ("h:443", "https://h/v2/", true),
            ("h:443", "http://h/v2/", false),
            ("h:80", "http://h/v2/", true),
            ("h", "https://h:5000/v2/", false),
            ("h:5000", "https://h:5000/v2/", true),
            ("h:5000", "http://h:5000/v2/", true),
            ("[::1]:5000", "http://[::1]:5000/v2/", true),
            ("docker.io", "https://registry-1.docker.io/v2/", true),
            ("bücher.example", "https://bücher.example/v2/", true),
            ("h", "https://evil.h/v2/", false),
        ] {
            let options = ConnectionOptions::default().with_plain_http(Host::parse(host).unwrap());
            let setting = Setting::new(options);
            assert_eq!(setting.host(&Url::parse(url).unwrap()).is_some(), found, "{host} {url}");
        }
    }
}
