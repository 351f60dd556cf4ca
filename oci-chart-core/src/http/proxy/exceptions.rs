use std::net::IpAddr;

/// Hosts that no proxy is asked for: what `NO_PROXY` says, in the forms that Go's programs read and that curl reads.
#[derive(Debug, Default)]
pub(super) struct Exceptions(Vec<Exception>);

#[derive(Debug)]
struct Exception {
    hosts: Hosts,
    /// This port alone.
    port: Option<u16>,
}

#[derive(Debug)]
enum Hosts {
    All,
    Address(IpAddr),
    Network(IpAddr, u32),
    /// A name, and everything below it.
    Name(String),
    /// What is below a name.
    Below(String),
}

impl Exceptions {
    /// Reads a list that is separated by commas: `*`, addresses, networks (`10.0.0.0/8`), names (`example.com`, `.example.com`, `*.example.com`),
    /// and all but networks with a port behind a colon.
    pub(super) fn parse(list: &str) -> Self {
        Self(list.split(',').map(str::trim).filter(|part| !part.is_empty()).map(Exception::parse).collect())
    }

    /// Whether `host`, as it stands in a URL, is one of them at this port.
    pub(super) fn has(&self, host: &str, port: Option<u16>) -> bool {
        let host = host.trim_matches(['[', ']']).trim_end_matches('.').to_ascii_lowercase();
        let address = host.parse().ok().map(|address: IpAddr| address.to_canonical());
        let fits = |own: &Exception| {
            own.port.is_none_or(|own| port == Some(own))
                && match (&own.hosts, address) {
                    (Hosts::All, _) => true,
                    (Hosts::Address(own), Some(address)) => *own == address,
                    (Hosts::Network(own, bits), Some(address)) => is_within(*own, *bits, address),
                    (Hosts::Name(name), None) => host == *name || is_below(&host, name),
                    (Hosts::Below(name), None) => is_below(&host, name),
                    _ => false,
                }
        };
        self.0.iter().any(fits)
    }
}

impl Exception {
    fn parse(text: &str) -> Self {
        if let Some(hosts) = network(text).or_else(|| address(text)) {
            return Self { hosts, port: None };
        }
        let (host, port) = match text.rsplit_once(':').map(|(host, port)| (host, port.parse())) {
            Some((host, Ok(port))) => (host, Some(port)),
            _ => (text, None),
        };
        let name = |name: &str| name.trim_end_matches('.').to_ascii_lowercase();
        let hosts = match address(host) {
            Some(hosts) => hosts,
            None if host == "*" => Hosts::All,
            None => match host.strip_prefix("*.") {
                Some(rest) => Hosts::Below(name(rest)),
                None => Hosts::Name(name(host.strip_prefix('.').unwrap_or(host))),
            },
        };
        Self { hosts, port }
    }
}

fn address(text: &str) -> Option<Hosts> {
    let address: IpAddr = text.trim_matches(['[', ']']).parse().ok()?;
    Some(Hosts::Address(address.to_canonical()))
}

fn network(text: &str) -> Option<Hosts> {
    let (address, bits) = text.split_once('/')?;
    let (address, bits): (IpAddr, u32) = (address.parse().ok()?, bits.parse().ok()?);
    let most = if address.is_ipv4() { 32 } else { 128 };
    (bits <= most).then_some(Hosts::Network(address, bits))
}

fn is_within(network: IpAddr, bits: u32, address: IpAddr) -> bool {
    match (network, address) {
        (IpAddr::V4(network), IpAddr::V4(address)) => {
            let differ = network.to_bits() ^ address.to_bits();
            differ.leading_zeros() >= bits
        }
        (IpAddr::V6(network), IpAddr::V6(address)) => {
            let differ = network.to_bits() ^ address.to_bits();
            differ.leading_zeros() >= bits
        }
        _ => false,
    }
}

fn is_below(host: &str, name: &str) -> bool {
    host.strip_suffix(name).is_some_and(|rest| rest.len() > 1 && rest.ends_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_an_exception() {
        for (list, host, port, excepted) in [
            ("example.com", "example.com", 443, true),
            ("example.com", "EXAMPLE.com.", 443, true),
            ("Example.COM.", "a.b.example.com", 443, true),
            ("example.com", "notexample.com", 443, false),
            ("example.com", "example.com.evil", 443, false),
            (".example.com", "a.example.com", 443, true),
            (".example.com", "example.com", 443, true),
            ("*.example.com", "a.example.com", 443, true),
            ("*.example.com", "example.com", 443, false),
            ("registry.corp:5000", "registry.corp", 5000, true),
            ("registry.corp:5000", "registry.corp", 443, false),
            ("*.corp:5000", "registry.corp", 5000, true),
            (" a.test ,, 10.0.0.0/8 ", "10.200.0.1", 80, true),
            ("10.0.0.0/8", "11.0.0.1", 80, false),
            ("10.0.0.1", "10.0.0.1", 80, true),
            ("10.0.0.1:5000", "10.0.0.1", 5000, true),
            ("10.0.0.1:5000", "10.0.0.1", 80, false),
            ("10.0.0.1", "10.0.0.10", 80, false),
            ("0.0.0.1/0", "203.0.113.1", 80, true),
            ("10.0.0.0/33", "10.0.0.0", 80, false),
            ("192.168.1.128/25", "192.168.1.127", 80, false),
            ("2001:db8::/32", "[2001:db8::1]", 443, true),
            ("2001:db8::/32", "[2001:db9::1]", 443, false),
            ("2001:db8::1", "[2001:db8::1]", 443, true),
            ("[2001:db8::1]:5000", "[2001:db8::1]", 5000, true),
            ("[2001:db8::1]:5000", "[2001:db8::1]", 443, false),
            ("10.0.0.0/8", "[::ffff:10.1.2.3]", 443, true),
            ("10.0.0.0/8", "[2001:db8::1]", 443, false),
            ("*", "anything.test", 443, true),
            ("*", "10.0.0.1", 443, true),
            ("", "anything.test", 443, false),
            (".", "anything.test", 443, false),
            ("1", "10.0.0.1", 443, false),
        ] {
            assert_eq!(Exceptions::parse(list).has(host, Some(port)), excepted, "{list:?} {host} {port}");
        }
    }
}
