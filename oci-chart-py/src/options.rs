//! What a client is made of.

use std::{collections::BTreeMap, path::PathBuf};

use oci_chart_core::{
    Client, Content, Result,
    auth::{
        Chain, PullSecretLogins, StaticCredentials, StoredLogins,
        cloud::{CloudLogins, CloudOptions},
    },
    blocking::{HostCredentials, HostLog},
    kube::KeyRule,
    name::Host,
    store::{
        Cache, ClientCertificate, ConnectionOptions, HostOptions, Mirror, ProxyOptions, RegistriesYaml,
        RetryOptions,
    },
};
use pyo3::prelude::*;

use crate::{
    convert::{Bounds, Seconds},
    login::{Login, PullSecret},
    trust::PolicyHandle,
};

/// A file of certificates or registries is small.
const MOST_BYTES: u64 = 4 << 20;

/// The keyword arguments of `oci_chart.Client`, whose documentation says what they mean.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub(crate) struct Options {
    auth: BTreeMap<String, Login>,
    pull_secret: Option<PullSecret>,
    stored_logins: Stored,
    cloud_logins: bool,
    plain_http: Vec<String>,
    insecure: Vec<String>,
    ca_file: Option<PathBuf>,
    certs_dir: Option<PathBuf>,
    registries_yaml: Option<PathBuf>,
    client_certificates: BTreeMap<String, (PathBuf, PathBuf)>,
    concurrency: BTreeMap<String, usize>,
    requests_per_second: BTreeMap<String, f64>,
    proxy: Option<String>,
    no_proxy: Option<String>,
    mirrors: BTreeMap<String, Vec<String>>,
    retry: Option<Retry>,
    connect_timeout: Option<Seconds>,
    idle_timeout: Option<Seconds>,
    request_timeout: Option<Seconds>,
    cache: Option<PathBuf>,
    cache_bytes: Option<u64>,
    limits: Option<Bounds>,
    policy: Option<PolicyHandle>,
    user_agent: Option<String>,
}

/// Whether logins are taken that other programs left, or the file that they are in.
#[derive(FromPyObject)]
enum Stored {
    Asked(bool),
    File(PathBuf),
}

/// `oci_chart.Retry`.
#[derive(FromPyObject)]
struct Retry {
    attempts: u32,
    first_wait: Seconds,
    most_wait: Seconds,
    most_retry_after: Seconds,
    most_time: Seconds,
}

impl Options {
    /// The client; `asks` tells that the caller is asked for credentials.
    pub(crate) fn client(mut self, asks: bool) -> Result<Client> {
        let (mut credentials, cloud_logins) = (self.credentials(asks)?, self.cloud_logins);
        let mut builder = Client::builder().limits(Bounds::limits(self.limits.take())?);
        if let Some(cache) = self.cache.take() {
            let cache = Cache::new(cache);
            builder = builder.cache(match self.cache_bytes {
                Some(bytes) => cache.with_bound(bytes),
                None => cache,
            });
        }
        if let Some(PolicyHandle(policy)) = self.policy.take() {
            builder = builder.policy(policy);
        }
        let (connection, more) = self.connection()?;
        if cloud_logins {
            // A cloud is reached as its registry is.
            let options = CloudOptions::default().with_connection(connection.clone());
            credentials = credentials.then(CloudLogins::new(options)?);
        }
        if let Some(more) = more {
            credentials = credentials.then(more);
        }
        builder.connection(connection).credentials(credentials).build()
    }

    /// The caller's own first, then what others left behind.
    fn credentials(&mut self, asks: bool) -> Result<Chain> {
        let mut known = StaticCredentials::default();
        for (host, login) in std::mem::take(&mut self.auth) {
            known = known.with(Host::parse(&host)?, login.into());
        }
        let mut chain = Chain::default().then(known);
        if asks {
            chain = chain.then(HostCredentials::default());
        }
        if let Some(PullSecret(secret)) = self.pull_secret.take() {
            chain = chain.then(PullSecretLogins::new(secret, KeyRule::Docker));
        }
        match &self.stored_logins {
            Stored::Asked(false) => {}
            Stored::Asked(true) => chain = chain.then(StoredLogins::standard()),
            Stored::File(path) => chain = chain.then(StoredLogins::in_file(path, KeyRule::Docker)),
        }
        Ok(chain)
    }

    /// How registries are reached, and the logins that a file of registries has beside that.
    fn connection(self) -> Result<(ConnectionOptions, Option<StaticCredentials>)> {
        let mut options = ConnectionOptions::default().with_log(HostLog::default());
        let mut logins = None;
        if let Some(path) = self.registries_yaml {
            let file = RegistriesYaml::parse(&Content::from_path(path)?.read(MOST_BYTES)?)?;
            options = file.connection(options)?;
            logins = Some(file.credentials());
        }
        if let Some(directory) = self.certs_dir {
            options = options.with_certs_dir(directory)?;
        }
        if let Some(path) = self.ca_file {
            options = options.with_root_file(path)?;
        }
        for (host, requests) in &self.concurrency {
            let host = Host::parse(host)?;
            let known = known(&options, &host).with_concurrency(*requests);
            options = options.with_host(host, known);
        }
        for (host, requests) in &self.requests_per_second {
            let host = Host::parse(host)?;
            let known = known(&options, &host).with_requests_per_second(*requests);
            options = options.with_host(host, known);
        }
        for host in &self.plain_http {
            options = options.with_plain_http(Host::parse(host)?);
        }
        for host in &self.insecure {
            options = options.with_unchecked_certificate(Host::parse(host)?);
        }
        for (host, (chain, key)) in &self.client_certificates {
            options = options
                .with_client_certificate(Host::parse(host)?, ClientCertificate::from_files(chain, key)?);
        }
        for (host, mirrors) in &self.mirrors {
            for mirror in mirrors {
                options = if host == "*" {
                    options.with_mirror_of_all(Mirror::parse(mirror)?)
                } else {
                    options.with_mirror(Host::parse(host)?, Mirror::parse(mirror)?)
                };
            }
        }
        let mut proxy = match self.proxy.as_deref() {
            None => ProxyOptions::from_environment(),
            Some("direct") => ProxyOptions::direct(),
            Some(url) => ProxyOptions::through(url.parse()?),
        };
        if let Some(hosts) = self.no_proxy {
            proxy = proxy.with_no_proxy(hosts);
        }
        options = options.with_proxy(proxy);
        if let Some(retry) = self.retry {
            options = options.with_retry(retry.options());
        }
        if let Some(Seconds(time)) = self.connect_timeout {
            options = options.with_connect_timeout(time);
        }
        if let Some(Seconds(time)) = self.idle_timeout {
            options = options.with_idle_timeout(time);
        }
        if let Some(Seconds(time)) = self.request_timeout {
            options = options.with_request_timeout(time);
        }
        if let Some(suffix) = self.user_agent {
            options = options.with_user_agent(suffix);
        }
        Ok((options, logins))
    }
}

fn known(options: &ConnectionOptions, host: &Host) -> HostOptions {
    options.hosts.get(host).cloned().unwrap_or_default()
}

impl Retry {
    fn options(self) -> RetryOptions {
        RetryOptions::default()
            .with_attempts(self.attempts)
            .with_first_wait(self.first_wait.0)
            .with_most_wait(self.most_wait.0)
            .with_most_retry_after(self.most_retry_after.0)
            .with_most_time(self.most_time.0)
    }
}
