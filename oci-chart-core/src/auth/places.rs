use std::{ffi::OsString, fmt, path::PathBuf};

use zeroize::Zeroizing;

use crate::{kube::KeyRule, platform};

/// Where logins are kept, and how keys are read there.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) at: At,
    pub(super) rule: KeyRule,
}

#[derive(Clone, PartialEq, Eq)]
pub(super) enum At {
    File(PathBuf),
    /// The value of an environment variable.
    Variable(&'static str, Zeroizing<String>),
}

impl Place {
    pub(super) fn file(path: impl Into<PathBuf>, rule: KeyRule) -> Self {
        Self { at: At::File(path.into()), rule }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.at {
            At::File(path) => write!(f, "{}", path.display()),
            At::Variable(name, _) => write!(f, "the environment variable {name}"),
        }
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Place({self})")
    }
}

/// The environment as far as it says where logins are.
pub(super) struct Environment<'a>(pub(super) &'a dyn Fn(&str) -> Option<OsString>);

impl Environment<'_> {
    /// Everywhere, in the order in which it is looked at: Helm's own file, docker's, podman's.
    pub(super) fn all(&self) -> Vec<Place> {
        let mut places: Vec<_> =
            self.helm().map(|path| Place::file(path, KeyRule::Docker)).into_iter().collect();
        if let Some(text) = self.text("DOCKER_AUTH_CONFIG") {
            places.push(Place { at: At::Variable("DOCKER_AUTH_CONFIG", text), rule: KeyRule::Docker });
        }
        places.extend(self.docker().map(|path| Place::file(path, KeyRule::Docker)));
        places.extend(self.podman().into_iter().map(|path| Place::file(path, KeyRule::Podman)));
        places
    }

    /// Helm's `registry/config.json` (Helm 4.2, `pkg/helmpath`).
    pub(super) fn helm(&self) -> Option<PathBuf> {
        self.path("HELM_REGISTRY_CONFIG").or_else(|| {
            let home = self.path("HELM_CONFIG_HOME").or_else(|| {
                let base =
                    self.path("XDG_CONFIG_HOME").or_else(|| platform::helm_base(|name| self.path(name)));
                Some(base?.join("helm"))
            });
            Some(home?.join("registry/config.json"))
        })
    }

    /// Docker's `config.json`.
    pub(super) fn docker(&self) -> Option<PathBuf> {
        let directory =
            self.path("DOCKER_CONFIG").or_else(|| Some(self.path(platform::HOME)?.join(".docker")));
        Some(directory?.join("config.json"))
    }

    /// Podman's `auth.json` in all its places; the first is where it writes (containers-auth.json(5)).
    pub(super) fn podman(&self) -> Vec<PathBuf> {
        if let Some(path) = self.path("REGISTRY_AUTH_FILE") {
            return vec![path];
        }
        let runtime = self.path("XDG_RUNTIME_DIR").map(|path| path.join("containers"));
        let config = self
            .path("XDG_CONFIG_HOME")
            .or_else(|| Some(self.path(platform::HOME)?.join(".config")))
            .map(|path| path.join("containers"));
        let directories = [runtime.or_else(platform::runtime_directory), config];
        directories.into_iter().flatten().map(|path| path.join("auth.json")).collect()
    }

    fn path(&self, name: &str) -> Option<PathBuf> {
        (self.0)(name).filter(|value| !value.is_empty()).map(PathBuf::from)
    }

    fn text(&self, name: &str) -> Option<Zeroizing<String>> {
        let value = (self.0)(name).filter(|value| !value.is_empty())?;
        Some(Zeroizing::new(value.to_string_lossy().into_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(variables: &[(&str, &str)]) -> Vec<String> {
        let find = |name: &str| {
            let found = variables.iter().find(|(own, _)| *own == name);
            found.map(|(_, value)| OsString::from(value))
        };
        let shown = Environment(&find).all().iter().map(ToString::to_string).collect::<Vec<_>>();
        shown
            .into_iter()
            .map(|path| path.replace('\\', "/"))
            .filter(|path| !path.starts_with("/run/"))
            .collect()
    }

    #[test]
    fn the_order_is_helm_docker_podman() {
        let variables = [
            ("HELM_CONFIG_HOME", "/h"),
            ("DOCKER_AUTH_CONFIG", "{}"),
            ("DOCKER_CONFIG", "/d"),
            ("XDG_RUNTIME_DIR", "/r"),
            ("XDG_CONFIG_HOME", "/c"),
        ];
        let expected = [
            "/h/registry/config.json",
            "the environment variable DOCKER_AUTH_CONFIG",
            "/d/config.json",
            "/r/containers/auth.json",
            "/c/containers/auth.json",
        ];
        assert_eq!(places(&variables), expected);
        assert_eq!(places(&[("XDG_CONFIG_HOME", "/c")])[0], "/c/helm/registry/config.json");
    }

    #[test]
    fn what_is_named_stands_alone() {
        let variables = [
            ("HELM_REGISTRY_CONFIG", "/x.json"),
            ("REGISTRY_AUTH_FILE", "/y.json"),
            ("XDG_RUNTIME_DIR", "/r"),
        ];
        assert_eq!(places(&variables), ["/x.json", "/y.json"]);
    }

    #[test]
    fn no_home_directory_is_needed() {
        assert_eq!(places(&[]), Vec::<String>::new());
        assert_eq!(places(&[("HELM_CONFIG_HOME", ""), (platform::HOME, "")]), Vec::<String>::new());
        assert!(
            places(&[(platform::HOME, "/home/u")]).iter().any(|path| path == "/home/u/.docker/config.json")
        );
    }
}
