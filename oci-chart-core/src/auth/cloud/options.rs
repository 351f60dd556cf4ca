use std::{
    collections::HashMap,
    path::PathBuf,
    time::{Duration, SystemTime},
};

use super::{Cloud, Environment};
use crate::{http::ConnectionOptions, name::Host, redact::Secret};

/// How [`CloudLogins`](super::CloudLogins) finds out who one is, and reaches the clouds.
///
/// # Examples
///
/// A registry behind a private endpoint, with a name of its own:
///
/// ```
/// use oci_chart_core::{auth::cloud::{Cloud, CloudLogins, CloudOptions}, name::Host};
///
/// let cloud = Cloud::of(&Host::parse("123456789012.dkr.ecr.eu-west-1.amazonaws.com")?);
/// let options = CloudOptions::default().with_host(Host::parse("charts.corp.example")?, cloud.unwrap());
/// let logins = CloudLogins::new(options)?;
/// # Ok::<(), oci_chart_core::Error>(())
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct CloudOptions {
    /// How the clouds' services are reached: proxies, trusted roots, time-outs. The metadata service of the machine is never
    /// asked through a proxy.
    pub connection: ConnectionOptions,
    /// Where variables come from. Default: this process.
    pub environment: Environment,
    /// Registries of a cloud that their host's name does not tell.
    pub hosts: HashMap<Host, Cloud>,
    /// Keys for AWS, instead of those that are found.
    pub aws: Option<AwsKeys>,
    /// The login at Google, instead of the one that is found.
    pub google: Option<GoogleLogin>,
    /// The login at Azure, instead of the one that is found.
    pub azure: Option<AzureLogin>,
    /// How long the machine's metadata service may take for a connection, and for an answer. On a machine without one, this
    /// is what the first request costs. Default: 1 second.
    pub metadata_timeout: Duration,
}

impl Default for CloudOptions {
    fn default() -> Self {
        Self {
            connection: ConnectionOptions::default(),
            environment: Environment::default(),
            hosts: HashMap::new(),
            aws: None,
            google: None,
            azure: None,
            metadata_timeout: Duration::from_secs(1),
        }
    }
}

impl CloudOptions {
    /// Reaches the clouds' services in this way.
    #[must_use]
    pub fn with_connection(mut self, options: ConnectionOptions) -> Self {
        self.connection = options;
        self
    }

    /// Takes variables from here.
    #[must_use]
    pub fn with_environment(mut self, environment: Environment) -> Self {
        self.environment = environment;
        self
    }

    /// Takes `host` for a registry of `cloud`, whatever its name.
    #[must_use]
    pub fn with_host(mut self, host: Host, cloud: Cloud) -> Self {
        self.hosts.insert(host, cloud);
        self
    }

    /// Signs for AWS with these keys.
    #[must_use]
    pub fn with_aws(mut self, keys: AwsKeys) -> Self {
        self.aws = Some(keys);
        self
    }

    /// Logs in at Google in this way.
    #[must_use]
    pub fn with_google(mut self, login: GoogleLogin) -> Self {
        self.google = Some(login);
        self
    }

    /// Logs in at Azure in this way.
    #[must_use]
    pub fn with_azure(mut self, login: AzureLogin) -> Self {
        self.azure = Some(login);
        self
    }

    /// Waits so long for the metadata service.
    #[must_use]
    pub fn with_metadata_timeout(mut self, timeout: Duration) -> Self {
        self.metadata_timeout = timeout;
        self
    }
}

/// Keys that requests to AWS are signed with.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct AwsKeys {
    /// `AKIA...` or `ASIA...`
    pub access_key_id: String,
    /// The secret half.
    pub secret_access_key: Secret,
    /// Belongs to temporary keys.
    pub session_token: Option<Secret>,
    /// When temporary keys end. A login made with them does not outlive them.
    pub expires: Option<SystemTime>,
}

impl AwsKeys {
    /// Keys without an end.
    pub fn new(access_key_id: impl Into<String>, secret_access_key: impl Into<Secret>) -> Self {
        Self {
            access_key_id: access_key_id.into(),
            secret_access_key: secret_access_key.into(),
            session_token: None,
            expires: None,
        }
    }

    /// Temporary ones.
    #[must_use]
    pub fn with_session(mut self, token: impl Into<Secret>, expires: Option<SystemTime>) -> Self {
        self.session_token = Some(token.into());
        self.expires = expires;
        self
    }
}

/// Ways to log in at Google's registries.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum GoogleLogin {
    /// An access token that was got elsewhere: `gcloud auth print-access-token`.
    AccessToken(Secret),
    /// The key file of a service account (JSON), which a token of an hour is asked for with.
    ServiceAccount(Secret),
    /// The same key file as the password itself, under the user `_json_key`: no service is asked, but the key goes to the registry.
    JsonKey(Secret),
    /// The same in base64, under the user `_json_key_base64`.
    JsonKeyBase64(Secret),
}

/// Ways to log in at Azure.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum AzureLogin {
    /// A token of Entra ID that was got elsewhere, for the audience `https://containerregistry.azure.net`.
    AccessToken {
        /// The token.
        token: Secret,
        /// Its tenant, where it is not the registry's.
        tenant: Option<String>,
    },
    /// An application and its secret.
    ClientSecret {
        /// The tenant's id or domain.
        tenant: String,
        /// The application's id.
        client: String,
        /// Its secret.
        secret: Secret,
    },
    /// An application and a token of a cluster or CI system that it trusts ("workload identity").
    FederatedToken {
        /// The tenant's id or domain.
        tenant: String,
        /// The application's id.
        client: String,
        /// The file with the token; it is read for each login, since others renew it.
        file: PathBuf,
    },
    /// The identity of the machine.
    ManagedIdentity {
        /// Which one, where it has several: a client id.
        client: Option<String>,
    },
}
