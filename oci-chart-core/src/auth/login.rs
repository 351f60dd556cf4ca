use std::{
    path::{Path, PathBuf},
    time::SystemTime,
};

use serde::{Serialize, Serializer};
use zeroize::Zeroizing;

use super::{
    CredentialKind, Credentials, StoredLogins,
    helper::TOKEN_USER,
    login_file::{LoginFile, change},
    places::Place,
    stored::{entry, helper, server},
};
use crate::{
    chart::Timestamp,
    error::{Error, ErrorKind, Result},
    json,
    kube::{DockerConfig, KeyRule, best_key, encode_pair},
    name::Host,
    redact::Secret,
};

/// Which file a login is kept in; where that file names a credential helper, the helper keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum LoginPlace {
    /// Helm's `registry/config.json`, as `helm registry login` does.
    #[default]
    Helm,
    /// Docker's `config.json`, as docker, crane, regctl and oras do.
    Docker,
    /// Podman's `auth.json`, as podman, buildah and skopeo do.
    Podman,
    /// This file, of docker's form.
    File(PathBuf),
}

/// How a login is made.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct LoginOptions {
    /// Where it is kept.
    pub place: LoginPlace,
    /// Where that is on this machine.
    pub logins: StoredLogins,
    /// Whether the registry is asked first (it is, unless said otherwise), so that nothing wrong is kept.
    pub verify: bool,
    /// Keeps an identity token instead of the password, where the registry's token service gives one.
    pub identity_token: bool,
}

impl Default for LoginOptions {
    fn default() -> Self {
        Self {
            place: LoginPlace::default(),
            logins: StoredLogins::standard(),
            verify: true,
            identity_token: false,
        }
    }
}

impl LoginOptions {
    /// Keeps the login there.
    #[must_use]
    pub fn with_place(mut self, place: LoginPlace) -> Self {
        self.place = place;
        self
    }

    /// Finds that place as `logins` does, in another environment for example.
    #[must_use]
    pub fn with_logins(mut self, logins: StoredLogins) -> Self {
        self.logins = logins;
        self
    }

    /// Whether the registry is asked first.
    #[must_use]
    pub fn with_verify(mut self, verify: bool) -> Self {
        self.verify = verify;
        self
    }

    /// Whether an identity token is kept instead of the password.
    #[must_use]
    pub fn with_identity_token(mut self, yes: bool) -> Self {
        self.identity_token = yes;
        self
    }
}

/// What became of a login.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct LoginOutcome {
    /// Where it is kept now: a file and key, or a helper.
    pub stored_in: String,
    /// Whether the registry looked at the credentials and took them. A registry that lets everybody in looks at none.
    pub verified: bool,
    /// When the credentials end, where that is known.
    #[serde(serialize_with = "time", skip_serializing_if = "Option::is_none")]
    pub expiry: Option<SystemTime>,
}

/// What became of a logout.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct LogoutOutcome {
    /// Where a login was taken away; empty where there was none.
    pub removed: Vec<String>,
    /// Where a login for the registry would still be found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remaining: Option<String>,
}

/// Who a client is for a registry, and for how long.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct LoginStatus {
    /// The user's name, where the credentials have one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// Where the credentials come from, where they tell.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub origin: Option<String>,
    /// When the credentials end, where that is known.
    #[serde(serialize_with = "time", skip_serializing_if = "Option::is_none")]
    pub expiry: Option<SystemTime>,
    /// When the last of the registry's tokens that are held ends.
    #[serde(serialize_with = "time", skip_serializing_if = "Option::is_none")]
    pub token_expiry: Option<SystemTime>,
}

/// RFC 3339, in whole seconds. Before 1970 and after 9999 there is none to say.
fn time<S: Serializer>(time: &Option<SystemTime>, to: S) -> Result<S::Ok, S::Error> {
    let seconds = time.and_then(|time| time.duration_since(SystemTime::UNIX_EPOCH).ok());
    let time = seconds.and_then(|seconds| Timestamp::from_unix(seconds.as_secs()).ok());
    time.map(|time| time.to_string()).serialize(to)
}

/// The registry that a person means who names one to log in to: `registry.example:5000`, `https://registry.example/v2/` or
/// `oci://registry.example/charts/web`.
///
/// # Errors
///
/// [`ErrorKind::InvalidReference`] where there is no host in it.
///
/// # Examples
///
/// ```
/// use oci_chart_core::auth::login_host;
///
/// assert_eq!(login_host("oci://registry.example:5000/charts/web")?.as_str(), "registry.example:5000");
/// # Ok::<(), oci_chart_core::Error>(())
/// ```
pub fn login_host(text: &str) -> Result<Host> {
    let text = text.trim();
    let rest = ["oci://", "https://", "http://"].iter().find_map(|scheme| text.strip_prefix(scheme));
    let host = rest.unwrap_or(text).split('/').next().unwrap_or_default();
    // Docker's own name for its registry.
    let host = if host.eq_ignore_ascii_case("index.docker.io") { "docker.io" } else { host };
    Ok(Host::parse(host)?)
}

impl StoredLogins {
    /// Keeps `credentials` for `host`, and says where. The file is replaced in one step, has mode 0600 afterwards, and keeps what else is
    /// in it.
    pub(crate) async fn store(
        &self,
        place: &LoginPlace,
        host: &Host,
        credentials: &Credentials,
    ) -> Result<String> {
        let (path, rule) = self.target(place)?;
        let file = Place::file(&path, rule);
        let stored_in = match self.helper_in(&path, rule, host).await? {
            Some(name) => {
                let (username, secret) = pair(credentials)?;
                self.helpers().store(&name, server(host), username, secret).await?;
                // An older login in the file itself would come to light when the helper is gone.
                change(&path, meaning(host), None).await?;
                helper(&name, server(host), &file)
            }
            None => {
                let key = key(host, rule).to_owned();
                let place = entry(&file, &key);
                change(&path, meaning(host), Some((key, written(credentials)?))).await?;
                place
            }
        };
        self.reload();
        Ok(stored_in)
    }

    /// Forgets all logins for `host` as a whole, and says where there were some.
    pub(crate) async fn erase(&self, place: &LoginPlace, host: &Host) -> Result<Vec<String>> {
        let (path, rule) = self.target(place)?;
        let file = Place::file(&path, rule);
        let mut removed = Vec::new();
        if let Some(name) = self.helper_in(&path, rule, host).await? {
            if self.helpers().get(&name, server(host)).await?.is_some() {
                removed.push(helper(&name, server(host), &file));
            }
            self.helpers().erase(&name, server(host)).await?;
        }
        if change(&path, meaning(host), None).await? {
            removed.push(entry(&file, key(host, rule)));
        }
        self.reload();
        Ok(removed)
    }

    fn target(&self, place: &LoginPlace) -> Result<(PathBuf, KeyRule)> {
        let [helm, docker, podman] = self.files();
        let (path, rule) = match place {
            LoginPlace::Helm => (helm, KeyRule::Docker),
            LoginPlace::Docker => (docker, KeyRule::Docker),
            LoginPlace::Podman => (podman, KeyRule::Podman),
            LoginPlace::File(path) => (Some(path.as_path()), KeyRule::Docker),
        };
        let path = path.ok_or_else(|| {
            Error::new(ErrorKind::InvalidInput, "there is no place to keep the login")
                .with_hint("set HOME, or name a file")
        })?;
        Ok((path.to_owned(), rule))
    }

    /// The helper that keeps logins for `host`, by what stands in the file at `path`.
    async fn helper_in(&self, path: &Path, rule: KeyRule, host: &Host) -> Result<Option<String>> {
        let config = LoginFile::new(Place::file(path, rule)).strict().await?;
        let DockerConfig { helpers, store, .. } = &config;
        let own = best_key(helpers.keys().map(String::as_str), host, None, KeyRule::Podman);
        Ok(own.and_then(|key| helpers.get(key)).or(store.as_ref()).cloned())
    }
}

/// Which keys mean the whole of `host`.
fn meaning(host: &Host) -> impl Fn(&str) -> bool + Send + 'static {
    let host = host.clone();
    move |key| best_key([key].into_iter(), &host, None, KeyRule::Podman).is_some()
}

fn key(host: &Host, rule: KeyRule) -> &str {
    if rule == KeyRule::Podman { host.as_str() } else { server(host) }
}

/// A user and secret, as helpers keep them.
fn pair(credentials: &Credentials) -> Result<(&str, &Secret)> {
    match credentials.kind() {
        CredentialKind::Basic { username, password } => Ok((username, password)),
        CredentialKind::Identity { token, .. } => Ok((TOKEN_USER, token)),
        CredentialKind::Anonymous | CredentialKind::Bearer(_) => Err(nothing()),
    }
}

/// An entry of `auths`, as docker writes it.
fn written(credentials: &Credentials) -> Result<Zeroizing<String>> {
    let mut fields: Vec<(&str, Zeroizing<String>)> = Vec::new();
    let auth = |username: &str, password: &str| ("auth", Zeroizing::new(encode_pair(username, password)));
    match credentials.kind() {
        CredentialKind::Basic { username, password } => {
            if username.is_empty() || username.contains(':') {
                return Err(Error::new(
                    ErrorKind::InvalidInput,
                    "a user's name cannot be empty or have a colon in it",
                ));
            }
            fields.push(auth(username, password.expose()));
        }
        CredentialKind::Identity { username, token } => {
            fields.extend(username.as_ref().map(|username| auth(username, "")));
            fields.push(("identitytoken", Zeroizing::new(token.expose().to_owned())));
        }
        CredentialKind::Bearer(token) => {
            fields.push(("registrytoken", Zeroizing::new(token.expose().to_owned())));
        }
        CredentialKind::Anonymous => return Err(nothing()),
    }
    let mut out = Zeroizing::new(String::from("{"));
    for (n, (name, value)) in fields.iter().enumerate() {
        out.push_str(if n == 0 { "\n\t\t\t" } else { ",\n\t\t\t" });
        json::string(&mut out, name);
        out.push_str(": ");
        json::string(&mut out, value);
    }
    out.push_str("\n\t\t}");
    Ok(out)
}

fn nothing() -> Error {
    Error::new(ErrorKind::InvalidInput, "these credentials cannot be kept there")
        .with_hint("give a user and password, or an identity token")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_name_to_log_in_to() {
        for (text, host) in [
            ("registry.example", "registry.example"),
            ("oci://registry.example/charts", "registry.example"),
            ("https://registry.example/v2/", "registry.example"),
            ("http://localhost:5000", "localhost:5000"),
            ("localhost:5000/charts/web", "localhost:5000"),
            ("[::1]:5000", "[::1]:5000"),
            ("https://index.docker.io/v1/", "docker.io"),
            (" ghcr.io\n", "ghcr.io"),
        ] {
            assert_eq!(login_host(text).unwrap().as_str(), host, "{text}");
        }
        for text in ["", "oci://", "https:///x", "user@host"] {
            assert_eq!(login_host(text).unwrap_err().kind(), ErrorKind::InvalidReference, "{text}");
        }
    }

    #[test]
    fn entries_are_written_as_docker_writes_them() {
        let text =
            |credentials: &Credentials| written(credentials).map(|text| text.replace(['\n', '\t'], ""));
        assert_eq!(text(&Credentials::basic("u", "p:q")).unwrap(), r#"{"auth": "dTpwOnE="}"#);
        assert_eq!(text(&Credentials::identity("t")).unwrap(), r#"{"identitytoken": "t"}"#);
        assert_eq!(text(&Credentials::bearer("t\"")).unwrap(), r#"{"registrytoken": "t\""}"#);
        assert!(text(&Credentials::ANONYMOUS).is_err() && text(&Credentials::basic("a:b", "p")).is_err());
    }
}
