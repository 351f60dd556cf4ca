use std::{fmt, time::SystemTime};

use async_trait::async_trait;

use super::{Cloud, CloudOptions, aws, azure, cache::Cache, cache::Key, google, service::Service};
use crate::{
    auth::{Audience, CredentialSource, Credentials},
    error::Result,
    name::Host,
};

/// Logs in at the clouds' registries, and knows nothing of others.
///
/// # Errors
///
/// As a source it fails with [`NotFound`](crate::ErrorKind::NotFound) and [`InvalidInput`](crate::ErrorKind::InvalidInput) for files and
/// variables that name what is not there or cannot be read, [`Unsupported`](crate::ErrorKind::Unsupported) for ways to log in that
/// want the cloud's own tools, [`Unauthenticated`](crate::ErrorKind::Unauthenticated) and
/// [`PermissionDenied`](crate::ErrorKind::PermissionDenied) where the cloud refuses the identity, and as any request does.
///
/// # Examples
///
/// ```no_run
/// use oci_chart_core::{Client, auth::cloud::{CloudLogins, CloudOptions}};
///
/// let client = Client::builder().credentials(CloudLogins::new(CloudOptions::default())?).build()?;
/// # Ok::<(), oci_chart_core::Error>(())
/// ```
pub struct CloudLogins {
    options: CloudOptions,
    service: Service,
    cache: Cache,
}

impl CloudLogins {
    /// Logins as `options` say. Nothing is read and nobody asked yet.
    ///
    /// # Errors
    ///
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) for a user agent that no header can carry.
    pub fn new(options: CloudOptions) -> Result<Self> {
        let service = Service::new(&options)?;
        Ok(Self { options, service, cache: Cache::default() })
    }

    /// The cloud that `host` belongs to, by its name or because the options say so.
    pub fn cloud(&self, host: &Host) -> Option<Cloud> {
        self.options.hosts.get(host).cloned().or_else(|| Cloud::of(host))
    }

    /// When the login ends that is held for `host` now; `None` where there is none, or one without an end. Nothing is fetched.
    pub async fn expires(&self, host: &Host) -> Option<SystemTime> {
        self.cache.expires(Key::of(&self.cloud(host)?, host)).await
    }

    async fn fetch(&self, cloud: &Cloud, host: &Host) -> Result<Option<Credentials>> {
        match cloud {
            Cloud::Ecr { region, endpoint } => {
                aws::private(&self.service, &self.options, region, endpoint).await
            }
            Cloud::EcrPublic => aws::public(&self.service, &self.options).await,
            Cloud::Google => google::login(&self.service, &self.options).await,
            Cloud::Azure => azure::login(&self.service, &self.options, host).await,
        }
    }
}

#[async_trait]
impl CredentialSource for CloudLogins {
    async fn credentials(&self, audience: &Audience<'_>) -> Result<Option<Credentials>> {
        let host = audience.host();
        let Some(cloud) = self.cloud(host) else { return Ok(None) };
        let login = self.cache.get(Key::of(&cloud, host), self.fetch(&cloud, host)).await;
        login.map_err(|error| error.with_context("registry", host))
    }

    fn refused(&self, audience: &Audience<'_>, credentials: &Credentials) {
        if let Some(cloud) = self.cloud(audience.host()) {
            self.cache.forget(Key::of(&cloud, audience.host()), credentials);
        }
    }

    fn places(&self) -> Vec<String> {
        vec!["what the environment, files and the machine give for a cloud's registries".to_owned()]
    }
}

impl fmt::Debug for CloudLogins {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CloudLogins").field("options", &self.options).finish_non_exhaustive()
    }
}
