use std::{
    collections::HashMap,
    ffi::OsString,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use async_trait::async_trait;

use super::{
    Audience, CredentialKind, CredentialSource, Credentials,
    helper::{HelperFault, Helpers, TOKEN_USER, program_name},
    login_file::LoginFile,
    places::{Environment, Place},
};
use crate::{
    context,
    error::Result,
    kube::{DockerConfig, KeyRule, StoredLogin, best_key},
    name::Host,
    process::PerProcess,
};

/// How long a helper's answer is believed.
const FRESH: Duration = Duration::from_secs(300);

/// The logins that this and other programs left on this machine: Helm's `registry/config.json`, the environment variable
/// `DOCKER_AUTH_CONFIG`, docker's `config.json`, podman's `auth.json`, in this order, and the credential helpers that they name.
///
/// In each, `credHelpers` goes before `credsStore`, and that before `auths`. A helper or file that fails is a warning, and the search goes
/// on. Everything is read when it is first needed, and once; again when what was found is refused. No home directory is needed.
///
/// | place | where |
/// | --- | --- |
/// | Helm | `$HELM_REGISTRY_CONFIG`, else `registry/config.json` in `$HELM_CONFIG_HOME`, `$XDG_CONFIG_HOME/helm` or Helm's default |
/// | docker | `config.json` in `$DOCKER_CONFIG`, else in `~/.docker` |
/// | podman | `$REGISTRY_AUTH_FILE`, else `containers/auth.json` in `$XDG_RUNTIME_DIR` (or `/run/containers/UID/auth.json`), then in `$XDG_CONFIG_HOME` or `~/.config` |
///
/// Keys with a path are for the repositories below it, and the longest goes first. Docker Hub is found under all its names.
#[derive(Debug, Clone)]
pub struct StoredLogins(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    files: Vec<LoginFile>,
    helpers: Helpers,
    answers: PerProcess<tokio::sync::Mutex<HashMap<(String, String), Answer>>>,
    helm: Option<PathBuf>,
    docker: Option<PathBuf>,
    podman: Option<PathBuf>,
}

type Answer = (Instant, Option<StoredLogin>);

/// One login that is kept somewhere, without its secret.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct KnownLogin {
    /// The key or server that it is kept under: mostly a host.
    pub key: String,
    /// The user's name; empty beside a token.
    pub username: String,
    /// The file and key, or the helper.
    pub origin: String,
}

impl StoredLogins {
    /// The logins of whoever runs this process.
    pub fn standard() -> Self {
        Self::in_environment(|name| std::env::var_os(name))
    }

    /// The logins that would be found with other environment variables; `variable` gives their values.
    pub fn in_environment(variable: impl Fn(&str) -> Option<OsString>) -> Self {
        let environment = Environment(&variable);
        Self::new(
            environment.all(),
            Helpers { path: variable("PATH"), ..Helpers::default() },
            [environment.helm(), environment.docker(), environment.podman().into_iter().next()],
        )
    }

    /// The logins in one file, read as `rule` says.
    pub fn in_file(path: impl AsRef<Path>, rule: KeyRule) -> Self {
        let path = path.as_ref();
        let helpers = Helpers { path: std::env::var_os("PATH"), ..Helpers::default() };
        let targets = [(); 3].map(|()| Some(path.to_owned()));
        Self::new(vec![Place::file(path, rule)], helpers, targets)
    }

    /// Lets helpers take at most so long. Default: 60 seconds, since some wait for a person.
    #[must_use]
    pub fn with_helper_timeout(self, time: Duration) -> Self {
        let mut helpers = self.0.helpers.clone();
        helpers.bounds.time = time;
        let places = self.0.files.iter().map(|file| file.place.clone()).collect();
        let targets = [&self.0.helm, &self.0.docker, &self.0.podman].map(Clone::clone);
        Self::new(places, helpers, targets)
    }

    fn new(places: Vec<Place>, helpers: Helpers, [helm, docker, podman]: [Option<PathBuf>; 3]) -> Self {
        let files = places.into_iter().map(LoginFile::new).collect();
        Self(Arc::new(Inner { files, helpers, answers: PerProcess::default(), helm, docker, podman }))
    }

    /// Every login that is kept, in the order of the search. Helpers that cannot list are passed over with a warning.
    pub async fn list(&self) -> Vec<KnownLogin> {
        let mut found = Vec::new();
        for file in &self.0.files {
            let config = file.config().await;
            let mut names: Vec<_> = config.helpers.values().chain(&config.store).collect();
            names.sort_unstable();
            names.dedup();
            for name in names {
                match self.0.helpers.list(name).await {
                    Ok(logins) => found.extend(logins.into_iter().map(|(key, username)| KnownLogin {
                        origin: helper(name, &key, &file.place),
                        username: if username == TOKEN_USER { String::new() } else { username },
                        key,
                    })),
                    Err(fault) => passed_over(name, &file.place, &fault),
                }
            }
            for (key, login) in &config.auths {
                if let Some(login) = login.as_ref().ok().filter(|login| !login.is_empty()) {
                    let (username, origin) = (login.username.clone(), entry(&file.place, key));
                    found.push(KnownLogin { key: key.clone(), username, origin });
                }
            }
        }
        found
    }

    /// Forgets everything that was read, so that it is read again.
    pub fn reload(&self) {
        for file in &self.0.files {
            file.forget();
        }
        // Locked means that a helper is being asked just now.
        if let Ok(mut answers) = self.0.answers.try_lock() {
            answers.clear();
        }
    }

    pub(super) fn helpers(&self) -> &Helpers {
        &self.0.helpers
    }

    pub(super) fn files(&self) -> [Option<&Path>; 3] {
        [&self.0.helm, &self.0.docker, &self.0.podman].map(Option::as_deref)
    }

    async fn in_config(
        &self,
        config: &DockerConfig,
        place: &Place,
        audience: &Audience<'_>,
    ) -> Option<Credentials> {
        let (host, repository) = (audience.host(), audience.repository());
        let own = best_key(config.helpers.keys().map(String::as_str), host, repository, place.rule);
        let own = own.and_then(|key| config.helpers.get(key));
        for name in own.into_iter().chain(&config.store) {
            let server = server(host);
            match self.ask(name, server).await {
                Ok(Some(login)) => {
                    let found = credentials(login)?;
                    return Some(found.with_origin(helper(name, server, place)));
                }
                Ok(None) => {}
                Err(fault) => passed_over(name, place, &fault),
            }
        }
        let keys = config.auths.iter().filter(|(_, login)| !login.as_ref().is_ok_and(StoredLogin::is_empty));
        let key = best_key(keys.map(|(key, _)| key.as_str()), host, repository, place.rule)?;
        match config.auths.get(key)? {
            Ok(login) => Some(credentials(login.clone().without_nul())?.with_origin(entry(place, key))),
            Err(fault) => {
                context::warn(|| format!("the login for {key} in {place} is passed over: {}", fault.text()));
                None
            }
        }
    }

    /// Asks a helper, one at a time, unless it has said something lately.
    async fn ask(&self, name: &str, server: &str) -> Result<Option<StoredLogin>, HelperFault> {
        let mut answers = self.0.answers.lock().await;
        let key = (name.to_owned(), server.to_owned());
        if let Some((_, login)) = answers.get(&key).filter(|(at, _)| at.elapsed() < FRESH) {
            return Ok(login.clone());
        }
        let login = self.0.helpers.get(name, server).await?;
        answers.insert(key, (Instant::now(), login.clone()));
        Ok(login)
    }
}

#[async_trait]
impl CredentialSource for StoredLogins {
    async fn credentials(&self, audience: &Audience<'_>) -> Result<Option<Credentials>> {
        for file in &self.0.files {
            let config = file.config().await;
            if let Some(found) = self.in_config(&config, &file.place, audience).await {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    fn refused(&self, _: &Audience<'_>, _: &Credentials) {
        self.reload();
    }

    /// Logins may be for single repositories.
    fn is_lasting(&self) -> bool {
        false
    }

    fn places(&self) -> Vec<String> {
        self.0.files.iter().map(|file| file.place.to_string()).collect()
    }
}

/// What a helper calls the registry (docker/cli, `cli/config/credentials`).
pub(super) fn server(host: &Host) -> &str {
    if host.api_host() == "registry-1.docker.io" { "https://index.docker.io/v1/" } else { host.as_str() }
}

pub(super) fn entry(place: &Place, key: &str) -> String {
    format!("{place}, key {key}")
}

pub(super) fn helper(name: &str, server: &str, place: &Place) -> String {
    format!("{} for {server}, named in {place}", program_name(name))
}

/// What a stored login is worth; nothing, if it has a name and no secret.
pub(super) fn credentials(login: StoredLogin) -> Option<Credentials> {
    let StoredLogin { username, password, identity_token, registry_token } = login;
    if let Some(token) = registry_token {
        return Some(Credentials::bearer(token));
    }
    let is_token = username == TOKEN_USER;
    if let Some(token) = identity_token.or_else(|| password.clone().filter(|_| is_token)) {
        let username = Some(username).filter(|name| !name.is_empty() && !is_token);
        return Some(CredentialKind::Identity { username, token }.into());
    }
    Some(Credentials::basic(username, password?))
}

fn passed_over(name: &str, place: &Place, fault: &HelperFault) {
    context::warn(|| format!("{}, named in {place}, is passed over: {fault}", program_name(name)));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_helper_is_asked_again_when_its_answer_is_old() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let logins = StoredLogins::in_environment(|_| None);
        for (age, asked) in [(FRESH / 2, false), (FRESH, true)] {
            let Some(then) = Instant::now().checked_sub(age) else { continue };
            let key = ("x".to_owned(), "h.example".to_owned());
            runtime.block_on(async {
                logins.0.answers.lock().await.insert(key, (then, None));
                // There is no such helper, which is found out by asking it.
                let found = logins.ask("x", "h.example").await;
                assert_eq!(found, if asked { Err(HelperFault::Missing) } else { Ok(None) }, "{age:?}");
            });
        }
    }
}
