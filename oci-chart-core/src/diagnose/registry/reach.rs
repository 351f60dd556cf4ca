use std::{
    io,
    net::SocketAddr,
    time::{Duration, Instant},
};

use tokio::net::{TcpStream, lookup_host};

use super::{Check, Examination, Finding, Status};
use crate::error::{Error, ErrorKind, Reason};

/// Addresses of one name that are tried.
const MOST_ADDRESSES: usize = 4;

impl Examination {
    /// Proxy, name and connection; whether it is worth asking anything.
    pub(super) async fn reach(&mut self) -> bool {
        if let Some(proxy) = self.probe.http().proxy(self.base()) {
            let summary = format!("requests go through {proxy}");
            self.add(Finding::new(Check::Proxy, Status::Ok, summary).with_fact("proxy", proxy));
            for check in [Check::Name, Check::Connection] {
                self.add(Finding::new(check, Status::Skipped, "this is the proxy's part"));
            }
            return true;
        }
        self.add(Finding::new(Check::Proxy, Status::Ok, "requests go straight to the registry"));
        let Some(addresses) = self.resolve().await else { return false };
        self.connect(&addresses).await
    }

    async fn resolve(&mut self) -> Option<Vec<SocketAddr>> {
        let name = self.base().host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned();
        let port = self.base().port_or_known_default().unwrap_or_default();
        let looked_up = tokio::time::timeout(self.patience(), lookup_host((name.as_str(), port))).await;
        let addresses: Vec<_> = match looked_up {
            Ok(Ok(found)) => found.take(MOST_ADDRESSES).collect(),
            Ok(Err(_)) | Err(_) => Vec::new(),
        };
        if addresses.is_empty() {
            let error = Error::new(ErrorKind::Network, format!("the host's name is unknown: {name}"))
                .with_reason(Reason::NameUnknown)
                .with_hint("check the host's name and the machine's name service");
            self.add(Finding::failed(Check::Name, &error));
            return None;
        }
        let shown: Vec<_> = addresses.iter().map(|address| address.ip().to_string()).collect();
        let shown = shown.join(", ");
        let summary =
            if shown == name { format!("{name} is an address") } else { format!("{name} is {shown}") };
        self.add(Finding::new(Check::Name, Status::Ok, summary).with_fact("addresses", shown));
        Some(addresses)
    }

    async fn connect(&mut self, addresses: &[SocketAddr]) -> bool {
        let mut failure = None;
        for address in addresses {
            let started = Instant::now();
            let error = match tokio::time::timeout(self.patience(), TcpStream::connect(address)).await {
                Ok(Ok(_)) => {
                    let time = started.elapsed().as_millis();
                    let finding =
                        Finding::new(Check::Connection, Status::Ok, format!("{address} in {time} ms"));
                    self.add(finding.with_fact("address", address).with_fact("milliseconds", time));
                    return true;
                }
                Ok(Err(error)) => refused(&error),
                Err(_) => silent(self.patience()),
            };
            failure.get_or_insert(error.with_context("address", address));
        }
        if let Some(error) = failure {
            self.add(Finding::failed(Check::Connection, &error));
        }
        false
    }
}

fn refused(error: &io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => Error::new(ErrorKind::Network, "nobody listens there")
            .with_reason(Reason::ConnectionRefused)
            .with_hint("check host and port, and whether the registry is running"),
        io::ErrorKind::TimedOut => silent(Duration::ZERO),
        _ => Error::new(ErrorKind::Network, format!("there is no way to the host: {error}"))
            .with_reason(Reason::HostUnreachable)
            .with_hint("check the network, and whether a proxy is needed"),
    }
}

fn silent(patience: Duration) -> Error {
    let message = match patience.as_secs() {
        0 => "the connection did not come about in time".to_owned(),
        seconds => format!("no connection came about in {seconds} seconds"),
    };
    Error::new(ErrorKind::Timeout, message)
        .with_reason(Reason::ConnectTimeout)
        .with_hint("check the network: a firewall may swallow the connection, or a proxy may be needed")
}
