//! Who a caller is for a registry.

use std::path::PathBuf;

use oci_chart_core::{
    Error, ErrorKind, Result, Secret,
    auth::{self, LoginOptions, LoginPlace, StoredLogins},
    blocking, kube,
    name::RepositoryName,
};
use pyo3::prelude::*;
use serde_json::json;

use crate::{
    argument::either,
    call::{Call, PythonHost, waited},
    client::ClientCore,
    convert::Text,
    errors::raise,
};

/// What a caller shows to a registry. It is never shown otherwise, and cannot be pickled.
///
/// >>> Credentials.basic("robot", "hunter2")
/// <Credentials robot>
#[pyclass(frozen, from_py_object, eq, module = "oci_chart")]
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Credentials(auth::Credentials);

#[pymethods]
impl Credentials {
    /// A user's name and password.
    #[staticmethod]
    #[pyo3(signature = (username, password, /))]
    fn basic(username: String, password: String) -> Self {
        Self(auth::Credentials::basic(username, Secret::new(password)))
    }

    /// A long-lived token that the registry's token service takes (docker's `identitytoken`).
    #[staticmethod]
    #[pyo3(signature = (token, /))]
    fn identity(token: String) -> Self {
        Self(auth::Credentials::identity(Secret::new(token)))
    }

    /// A token that the registry itself takes.
    #[staticmethod]
    #[pyo3(signature = (token, /))]
    fn bearer(token: String) -> Self {
        Self(auth::Credentials::bearer(Secret::new(token)))
    }

    /// Nothing, and no other source is to be asked.
    #[staticmethod]
    fn anonymous() -> Self {
        Self(auth::Credentials::ANONYMOUS)
    }

    /// The user's name, where there is one.
    #[getter]
    fn username(&self) -> Option<&str> {
        self.0.username()
    }

    fn __repr__(&self) -> String {
        let kind = match self.0.kind() {
            auth::CredentialKind::Anonymous => "anonymous",
            auth::CredentialKind::Basic { username, .. } => username,
            auth::CredentialKind::Identity { .. } => "identity token",
            _ => "token",
        };
        format!("<Credentials {kind}>")
    }
}

/// Credentials, or a user's name and password.
pub(crate) enum Login {
    Credentials(Credentials),
    Pair((String, String)),
}

either! { Login, "Credentials, or a name and a password", Credentials => Self::Credentials, (String, String) => Self::Pair }

impl From<Login> for auth::Credentials {
    fn from(login: Login) -> Self {
        match login {
            Login::Credentials(Credentials(credentials)) => credentials,
            Login::Pair((username, password)) => Self::basic(username, Secret::new(password)),
        }
    }
}

/// A Kubernetes Secret with logins for registries.
///
/// >>> secret = PullSecret().with_login("registry.example", "robot", "hunter2")
/// >>> PullSecret.from_manifest(secret.to_manifest("pull")).username("registry.example")
/// 'robot'
#[pyclass(frozen, from_py_object, eq, module = "oci_chart")]
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct PullSecret(pub(crate) kube::PullSecret);

#[pymethods]
impl PullSecret {
    /// A secret without logins.
    #[new]
    fn new() -> Self {
        Self(kube::PullSecret::new())
    }

    /// Reads a Secret as a manifest, YAML or JSON: a text, or the `Path` of one.
    #[staticmethod]
    #[pyo3(signature = (manifest, /))]
    fn from_manifest(py: Python<'_>, manifest: Text) -> PyResult<Self> {
        kube::PullSecret::from_manifest(manifest.0.as_bytes()).map(Self).map_err(|error| raise(py, &error))
    }

    /// The same with a login for a registry, in place of the one that it has.
    #[pyo3(signature = (registry, username, password, /))]
    fn with_login(
        &self,
        py: Python<'_>,
        registry: &str,
        username: String,
        password: String,
    ) -> PyResult<Self> {
        let registry = auth::login_host(registry).map_err(|error| raise(py, &error))?;
        Ok(Self(self.0.clone().with_login(&registry, username, Secret::new(password))))
    }

    /// The user's name that this secret holds for a repository, by the rules of `docker` or of the `kubelet`.
    #[pyo3(signature = (registry, repository = None, /, *, rule = "docker"))]
    fn username(
        &self,
        py: Python<'_>,
        registry: &str,
        repository: Option<&str>,
        rule: &str,
    ) -> PyResult<Option<String>> {
        let find = || -> Result<Option<String>> {
            let repository = repository.map(RepositoryName::parse).transpose()?;
            let rule = match rule {
                "docker" => kube::KeyRule::Docker,
                "kubelet" => kube::KeyRule::Kubelet,
                _ => {
                    return Err(Error::new(ErrorKind::InvalidInput, "no such rule")
                        .with_context("rule", format!("{rule:?}"))
                        .with_hint("it is docker or kubelet"));
                }
            };
            Ok(self.0.username(&auth::login_host(registry)?, repository.as_ref(), rule)?)
        };
        find().map_err(|error| raise(py, &error))
    }

    /// The Secret as a manifest, YAML. The logins are in it for everybody to read.
    #[pyo3(signature = (name, /, *, namespace = None))]
    fn to_manifest(&self, name: &str, namespace: Option<&str>) -> String {
        self.0.to_manifest(name, namespace).to_string()
    }

    fn __repr__(&self) -> &'static str {
        "<PullSecret>"
    }
}

/// Where it is kept, whether the registry took it, and when it ends.
#[pyfunction]
#[allow(clippy::too_many_arguments, reason = "what the verb takes")]
pub(crate) fn login(
    py: Python<'_>,
    client: &ClientCore,
    registry: &str,
    login: Login,
    place: PathBuf,
    verify: bool,
    identity_token: bool,
    call: Call,
) -> PyResult<String> {
    let client = client.open(py)?;
    waited(py, client.host(py, call), |host| {
        let options = LoginOptions::default()
            .with_place(at(place))
            .with_verify(verify)
            .with_identity_token(identity_token);
        let done = client.blocking.login(&auth::login_host(registry)?, &login.into(), &options, host)?;
        Ok(json!({ "storedIn": done.stored_in, "verified": done.verified, "expiry": unix(done.expiry) })
            .to_string())
    })
}

/// Where logins were removed, and where one is still found.
#[pyfunction]
pub(crate) fn logout(
    py: Python<'_>,
    client: &ClientCore,
    registry: &str,
    place: PathBuf,
    call: Call,
) -> PyResult<String> {
    let client = client.open(py)?;
    waited(py, client.host(py, call), |host| {
        let options = LoginOptions::default().with_place(at(place));
        let done = client.blocking.logout(&auth::login_host(registry)?, &options, host)?;
        Ok(json!({ "removed": done.removed, "remaining": done.remaining }).to_string())
    })
}

/// Whose name is used at a registry; none where nobody's is.
#[pyfunction]
pub(crate) fn login_status(
    py: Python<'_>,
    client: &ClientCore,
    registry: &str,
    call: Call,
) -> PyResult<Option<String>> {
    let client = client.open(py)?;
    waited(py, client.host(py, call), |host| {
        let found = client.blocking.login_status(&auth::login_host(registry)?, host)?;
        Ok(found.map(|found| {
            json!({
                "username": found.username, "origin": found.origin, "expiry": unix(found.expiry),
                "tokenExpiry": unix(found.token_expiry),
            })
            .to_string()
        }))
    })
}

/// Every login that other programs left on this machine, without its secret.
#[pyfunction]
pub(crate) fn stored_logins(py: Python<'_>, file: Option<PathBuf>, call: Call) -> PyResult<String> {
    waited(py, PythonHost::new(py, call, None, None), |host| {
        let logins = match file {
            Some(file) => StoredLogins::in_file(file, kube::KeyRule::Docker),
            None => StoredLogins::standard(),
        };
        let list =
            |cx: oci_chart_core::Context| async move { cx.run(async { Ok(logins.list().await) }).await };
        let found = blocking::Runtime::default().wait(host, list)?;
        let found: Vec<_> = found
            .into_iter()
            .map(|found| json!({ "key": found.key, "username": found.username, "origin": found.origin }))
            .collect();
        Ok(json!(found).to_string())
    })
}

/// A place has a name, or is a file.
fn at(place: PathBuf) -> LoginPlace {
    match place.to_str() {
        Some("helm") => LoginPlace::Helm,
        Some("docker") => LoginPlace::Docker,
        Some("podman") => LoginPlace::Podman,
        _ => LoginPlace::File(place),
    }
}

fn unix(time: Option<std::time::SystemTime>) -> Option<u64> {
    time?.duration_since(std::time::SystemTime::UNIX_EPOCH).ok().map(|since| since.as_secs())
}
