use std::{collections::BTreeMap, fmt};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use zeroize::Zeroizing;

use super::{
    docker_config::{DockerConfig, StoredLogin, encode_pair},
    key::{KeyRule, best_key},
    keyring,
    secret::Secret as Manifest,
};
use crate::{
    error::{Error, ErrorKind, Reason, Result},
    json,
    name::{Host, RepositoryName},
    redact::Secret,
};

const CONFIG_JSON: (&str, &str) = ("kubernetes.io/dockerconfigjson", ".dockerconfigjson");
const CONFIG: (&str, &str) = ("kubernetes.io/dockercfg", ".dockercfg");

/// A Kubernetes Secret with logins for registries.
///
/// # Examples
///
/// ```
/// use oci_chart_core::{kube::{KeyRule, PullSecret}, name::{Host, RepositoryName}};
///
/// let registry = Host::parse("registry.example")?;
/// let secret = PullSecret::new().with_login(&registry, "robot$charts+ci", "hunter2");
/// let manifest = secret.to_manifest("pull", Some("apps"));
/// assert!(manifest.contains("type: kubernetes.io/dockerconfigjson"));
///
/// let back = PullSecret::from_manifest(manifest.as_bytes())?;
/// let repository = RepositoryName::parse("charts/web")?;
/// assert_eq!(back.username(&registry, Some(&repository), KeyRule::Kubelet)?, Some("robot$charts+ci".into()));
/// # Ok::<(), oci_chart_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PullSecret(Content);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Content {
    /// `.dockerconfigjson`, or `.dockercfg`.
    Config { config: DockerConfig, legacy: bool },
    /// `username` and `password` of any other type, good for every registry.
    Pair { username: String, password: Secret },
    /// Nothing that anybody would look at.
    Nothing,
}

impl Default for PullSecret {
    fn default() -> Self {
        Self(Content::Config { config: DockerConfig::default(), legacy: false })
    }
}

impl PullSecret {
    /// A secret without logins.
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads a Secret's `type` and its `data`, base64 already taken off.
    ///
    /// # Errors
    ///
    /// [`PullSecretError`], which becomes [`ErrorKind::InvalidInput`]: no JSON where there must be some, or only one of `username` and
    /// `password`.
    pub fn from_data<'a>(
        kind: &str,
        data: impl IntoIterator<Item = (&'a str, &'a [u8])>,
    ) -> Result<Self, PullSecretError> {
        let data: BTreeMap<&str, &[u8]> = data.into_iter().collect();
        for ((own, key), legacy) in [(CONFIG_JSON, false), (CONFIG, true)] {
            if kind == own {
                let bytes = data.get(key).copied().unwrap_or_default();
                let config = if legacy {
                    DockerConfig::parse_legacy(bytes)
                } else {
                    DockerConfig::parse_secret(bytes)
                };
                let config = config.ok_or(PullSecretError::NotJson(key))?;
                return Ok(Self(Content::Config { config, legacy }));
            }
        }
        let text = |key: &'static str| match data.get(key) {
            None => Ok(None),
            Some(bytes) => str::from_utf8(bytes).map(Some).map_err(|_| PullSecretError::NotText(key)),
        };
        match (text("username")?, text("password")?) {
            (None, None) | (Some(""), Some("")) => Ok(Self(Content::Nothing)),
            (Some(""), _) | (None, _) => Err(PullSecretError::Missing("username")),
            (_, Some("") | None) => Err(PullSecretError::Missing("password")),
            (Some(username), Some(password)) => {
                Ok(Self(Content::Pair { username: username.to_owned(), password: password.into() }))
            }
        }
    }

    /// Reads a Secret as a manifest, YAML or JSON, with `data` or `stringData`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`] for what is no Secret, and as [`from_data`](Self::from_data);
    /// [`ErrorKind::LimitExceeded`] above 2 MiB.
    pub fn from_manifest(bytes: &[u8]) -> Result<Self> {
        let secret = Manifest::from_manifest(bytes)?;
        let data = secret.data.iter().map(|(key, value)| (key.as_str(), value.as_slice()));
        Ok(Self::from_data(&secret.kind, data)?)
    }

    /// Adds a login for `registry`, or replaces the one that is there. A secret that was no docker configuration becomes one.
    #[must_use]
    pub fn with_login(
        mut self,
        registry: &Host,
        username: impl Into<String>,
        password: impl Into<Secret>,
    ) -> Self {
        // Docker Hub is known under this key alone (docker/cli, `cli/config`).
        let hub = registry.api_host() == "registry-1.docker.io";
        let key = if hub { "https://index.docker.io/v1/" } else { registry.as_str() };
        let login = StoredLogin {
            username: username.into(),
            password: Some(password.into()),
            ..StoredLogin::default()
        };
        let mut config = match self.0 {
            Content::Config { config, .. } => config,
            Content::Pair { .. } | Content::Nothing => DockerConfig::default(),
        };
        config.auths.insert(key.to_owned(), Ok(login));
        self.0 = Content::Config { config, legacy: false };
        self
    }

    /// The user's name that this secret holds for a repository, under `rule`.
    ///
    /// # Errors
    ///
    /// [`PullSecretError`]: under either rule an entry that cannot be read spoils the whole secret, as it does in the cluster.
    pub fn username(
        &self,
        registry: &Host,
        repository: Option<&RepositoryName>,
        rule: KeyRule,
    ) -> Result<Option<String>, PullSecretError> {
        Ok(self.find(registry, repository, rule)?.map(|(_, login)| login.username))
    }

    /// The login for a repository, and its key.
    pub(crate) fn find(
        &self,
        registry: &Host,
        repository: Option<&RepositoryName>,
        rule: KeyRule,
    ) -> Result<Option<(String, StoredLogin)>, PullSecretError> {
        let (config, legacy) = match &self.0 {
            Content::Config { config, legacy } => (config, *legacy),
            Content::Pair { username, password } => {
                let login = StoredLogin {
                    username: username.clone(),
                    password: Some(password.clone()),
                    ..StoredLogin::default()
                };
                // The kubelet does not look at secrets of other types.
                return Ok((rule != KeyRule::Kubelet).then(|| ("username".to_owned(), login)));
            }
            Content::Nothing => return Ok(None),
        };
        if legacy && rule != KeyRule::Kubelet {
            return Ok(None);
        }
        for (key, login) in &config.auths {
            let nameless = |login: &StoredLogin| {
                // Docker refuses `:password`, the kubelet does not.
                rule != KeyRule::Kubelet && login.username.is_empty() && login.password.is_some()
            };
            match login {
                Err(fault) => return Err(PullSecretError::Entry(key.clone(), fault.text())),
                Ok(login) if nameless(login) => {
                    return Err(PullSecretError::Entry(key.clone(), "it has a password, but no user"));
                }
                Ok(_) => {}
            }
        }
        let keys = config.auths.keys().map(String::as_str);
        let key = if rule == KeyRule::Kubelet {
            let hub = registry.as_str().eq_ignore_ascii_case("docker.io");
            let host = if hub { "index.docker.io" } else { registry.as_str() };
            let path = repository.map_or(String::new(), |repository| format!("/{repository}"));
            keyring::find(keys, &format!("{host}{path}")).map_err(|error| PullSecretError::Key(error.0))?
        } else {
            best_key(keys, registry, repository, rule)
        };
        let found = key.and_then(|key| Some((key.to_owned(), config.auths.get(key)?.clone().ok()?)));
        let found = found.filter(|(_, login)| !login.is_empty());
        Ok(found
            .map(|(key, login)| (key, if rule == KeyRule::Kubelet { login } else { login.without_nul() })))
    }

    /// The docker configuration, as the key `.dockerconfigjson` holds it.
    pub fn to_docker_config(&self) -> Zeroizing<String> {
        let mut out = Zeroizing::new(String::from("{\"auths\":{"));
        let none = BTreeMap::new();
        let auths = match &self.0 {
            Content::Config { config, .. } => &config.auths,
            Content::Pair { .. } | Content::Nothing => &none,
        };
        let logins = auths.iter().filter_map(|(key, login)| Some((key, login.as_ref().ok()?)));
        for (n, (key, login)) in logins.enumerate() {
            if n > 0 {
                out.push(',');
            }
            json::string(&mut out, key);
            out.push_str(":{");
            let expose = |secret: &Option<Secret>| {
                secret.as_ref().map(|secret| Zeroizing::new(secret.expose().to_owned()))
            };
            let auth = login
                .password
                .as_ref()
                .map(|password| Zeroizing::new(encode_pair(&login.username, password.expose())));
            let username = Some(Zeroizing::new(login.username.clone())).filter(|name| !name.is_empty());
            let fields = [
                ("username", username),
                ("password", expose(&login.password)),
                ("auth", auth),
                ("identitytoken", expose(&login.identity_token)),
                ("registrytoken", expose(&login.registry_token)),
            ];
            let fields = fields.into_iter().filter_map(|(name, value)| Some((name, value?)));
            for (n, (name, value)) in fields.enumerate() {
                if n > 0 {
                    out.push(',');
                }
                json::string(&mut out, name);
                out.push(':');
                json::string(&mut out, &value);
            }
            out.push('}');
        }
        out.push_str("}}");
        out
    }

    /// The manifest of a Secret for `imagePullSecrets`, and for Flux's and Argo CD's sources. It holds the secrets in clear, as every
    /// Secret does.
    pub fn to_manifest(&self, name: &str, namespace: Option<&str>) -> Zeroizing<String> {
        let mut out = Zeroizing::new(String::from("apiVersion: v1\nkind: Secret\nmetadata:\n  name: "));
        // JSON's strings are YAML's, whatever is in them.
        json::string(&mut out, name);
        if let Some(namespace) = namespace {
            out.push_str("\n  namespace: ");
            json::string(&mut out, namespace);
        }
        out.push_str("\ntype: kubernetes.io/dockerconfigjson\ndata:\n  .dockerconfigjson: ");
        out.push_str(&Zeroizing::new(STANDARD.encode(self.to_docker_config().as_bytes())));
        out.push('\n');
        out
    }
}

/// Why a secret cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum PullSecretError {
    /// The document is of another kind.
    NotASecret,
    /// A value of `data` is not base64.
    NotBase64(String),
    /// The value of this key is no JSON object of the right form.
    NotJson(&'static str),
    /// The value of this key is no text.
    NotText(&'static str),
    /// This one of `username` and `password` is missing or empty.
    Missing(&'static str),
    /// The entry of this key cannot be read, and why.
    Entry(String, &'static str),
    /// This key of a login is no host or URL.
    Key(String),
}

impl fmt::Display for PullSecretError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotASecret => f.write_str("the document is no Secret"),
            Self::NotBase64(key) => write!(f, "{key:?} of the secret is not base64"),
            Self::NotJson(key) => write!(f, "{key:?} of the pull secret is no docker configuration"),
            Self::NotText(key) => write!(f, "{key:?} of the pull secret is no text"),
            Self::Missing(key) => write!(f, "{key:?} of the pull secret is missing or empty"),
            Self::Entry(key, why) => write!(f, "the pull secret's login for {key:?} cannot be read: {why}"),
            Self::Key(key) => write!(f, "the pull secret's key {key:?} is no host"),
        }
    }
}

impl std::error::Error for PullSecretError {}

impl From<PullSecretError> for Error {
    fn from(error: PullSecretError) -> Self {
        Self::new(ErrorKind::InvalidInput, error.to_string())
            .with_reason(Reason::BadLoginFile)
            .with_hint("make it with `kubectl create secret docker-registry`, or with this library")
            .with_source(error)
    }
}
