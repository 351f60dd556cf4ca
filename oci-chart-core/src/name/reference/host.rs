//! Registry hosts.

use std::{fmt, hash, net::Ipv6Addr, str::FromStr};

use crate::error::{Error, ErrorKind};

/// A registry's host name or address, with a port if one is given: `registry.example`, `localhost:5000`, `[::1]:5000`.
///
/// Printed as written; compared without regard to case. Letters of other scripts are allowed, as in Helm.
/// Helm 4.2 hardly looks at hosts; refused here are ports that are none (`h:`, `h:99999`), and punctuation other
/// than `-`, `.`, `_`, because such a host cannot be reached.
///
/// # Examples
///
/// ```
/// use oci_chart_core::name::Host;
///
/// # fn main() -> Result<(), oci_chart_core::Error> {
/// let host: Host = "docker.io".parse()?;
/// assert_eq!(host.as_str(), "docker.io");
/// assert_eq!(host.api_host(), "registry-1.docker.io");
/// assert_eq!("[::1]:5000".parse::<Host>()?.port(), Some(5000));
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Host {
    text: Box<str>,
    /// Where the name ends and the colon of the port may stand.
    name_end: usize,
    port: Option<u16>,
}

impl Host {
    /// Reads a host.
    ///
    /// # Errors
    ///
    /// [`ParseHostError`], which becomes [`ErrorKind::InvalidReference`].
    pub fn parse(text: &str) -> Result<Self, ParseHostError> {
        let bracket = text.starts_with('[').then(|| text.find(']')).flatten();
        let name_end = match bracket {
            Some(bracket) => bracket + 1,
            None => text.find(':').unwrap_or(text.len()),
        };
        let (name, port) = text.split_at_checked(name_end).unwrap_or((text, ""));
        let error = |fault| ParseHostError { host: text.to_owned(), fault };
        if !is_name(name) {
            return Err(error(if name.is_empty() { HostFault::Empty } else { HostFault::Name }));
        }
        let port = match port.strip_prefix(':') {
            None if port.is_empty() => None,
            None => return Err(error(HostFault::Name)),
            Some(digits) => Some(parse_port(digits).ok_or_else(|| error(HostFault::Port))?),
        };
        Ok(Self { text: text.into(), name_end, port })
    }

    /// Host and port as they were written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The name or address without the port; IPv6 addresses in brackets.
    pub fn name(&self) -> &str {
        self.text.get(..self.name_end).unwrap_or_default()
    }

    /// The port, if one is given.
    pub const fn port(&self) -> Option<u16> {
        self.port
    }

    /// The host that answers the registry API: Docker Hub's is not `docker.io` itself.
    pub fn api_host(&self) -> &str {
        if self.text.eq_ignore_ascii_case("docker.io") { "registry-1.docker.io" } else { &self.text }
    }
}

fn is_name(name: &str) -> bool {
    match name.strip_prefix('[').and_then(|name| name.strip_suffix(']')) {
        Some(address) => address.parse::<Ipv6Addr>().is_ok(),
        None => {
            !name.is_empty() && name.chars().all(|letter| letter.is_alphanumeric() || "-._".contains(letter))
        }
    }
}

fn parse_port(digits: &str) -> Option<u16> {
    // `parse` alone would take "+80".
    digits.bytes().all(|digit| digit.is_ascii_digit()).then(|| digits.parse().ok()).flatten()
}

impl FromStr for Host {
    type Err = ParseHostError;

    fn from_str(text: &str) -> Result<Self, ParseHostError> {
        Self::parse(text)
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Host({self})")
    }
}

impl PartialEq for Host {
    fn eq(&self, other: &Self) -> bool {
        self.text.eq_ignore_ascii_case(&other.text)
    }
}

impl Eq for Host {}

impl hash::Hash for Host {
    fn hash<H: hash::Hasher>(&self, state: &mut H) {
        self.text.to_ascii_lowercase().hash(state);
    }
}

/// Why a text is no host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseHostError {
    host: String,
    fault: HostFault,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum HostFault {
    Empty,
    Name,
    Port,
}

impl ParseHostError {
    pub(super) fn hint(&self) -> &'static str {
        match self.fault {
            HostFault::Empty => "begin with the registry's host, as in registry.example/charts/web",
            HostFault::Name => {
                "a host has letters, digits, '-', '.' and '_'; an IPv6 address stands in brackets; user and password do not belong here"
            }
            HostFault::Port => "a port is a number from 0 to 65535 behind the last ':'",
        }
    }
}

impl fmt::Display for ParseHostError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fault = match self.fault {
            HostFault::Empty => "it is empty",
            HostFault::Name => "the name is malformed",
            HostFault::Port => "the port is no port",
        };
        write!(f, "invalid registry {:?}: {fault}", self.host)
    }
}

impl std::error::Error for ParseHostError {}

impl From<ParseHostError> for Error {
    fn from(error: ParseHostError) -> Self {
        let hint = error.hint();
        Self::new(ErrorKind::InvalidReference, error.to_string()).with_source(error).with_hint(hint)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_taken_apart() {
        for (text, name, port) in [
            ("h", "h", None),
            ("h:080", "h", Some(80)),
            ("h.:5000", "h.", Some(5000)),
            ("[::1]", "[::1]", None),
            ("[::1]:5000", "[::1]", Some(5000)),
            ("ü.example", "ü.example", None),
        ] {
            let host = Host::parse(text).unwrap();
            assert_eq!((host.name(), host.port(), host.as_str()), (name, port, text));
        }
    }

    #[test]
    fn what_cannot_be_a_host_is_refused() {
        for (text, fault) in [
            ("", HostFault::Empty),
            (":80", HostFault::Empty),
            ("h:", HostFault::Port),
            ("h:port", HostFault::Port),
            ("h:+80", HostFault::Port),
            ("h:65536", HostFault::Port),
            ("::1", HostFault::Empty),
            ("1::1", HostFault::Port),
            ("[::1", HostFault::Name),
            ("[::1]5000", HostFault::Name),
            ("[h]", HostFault::Name),
            (" h", HostFault::Name),
            ("u@h", HostFault::Name),
            ("h%41", HostFault::Name),
        ] {
            assert_eq!(Host::parse(text).map_err(|error| error.fault).err(), Some(fault), "{text}");
        }
    }

    #[test]
    fn case_does_not_tell_hosts_apart() {
        assert_eq!(Host::parse("GHCR.io").unwrap(), Host::parse("ghcr.IO").unwrap());
        assert_eq!(Host::parse("Docker.io").unwrap().api_host(), "registry-1.docker.io");
    }
}
