use std::{collections::HashMap, fmt, path::PathBuf, sync::Arc};

/// The variables that say who one is to a cloud: those of this process, or others in their place.
///
/// # Examples
///
/// ```
/// use oci_chart_core::auth::cloud::Environment;
///
/// let tenant = Environment::of([("AWS_PROFILE", "team-a"), ("HOME", "/srv/team-a")]);
/// assert!(!format!("{tenant:?}").contains("team-a"));
/// ```
#[derive(Clone, Default)]
pub struct Environment(Option<Arc<HashMap<String, String>>>);

impl Environment {
    /// These variables and no others: for a program that serves several users, and for tests.
    pub fn of(variables: impl IntoIterator<Item = (impl Into<String>, impl Into<String>)>) -> Self {
        let pairs = variables.into_iter().map(|(name, value)| (name.into(), value.into()));
        Self(Some(Arc::new(pairs.collect())))
    }

    /// A variable; an empty one counts as unset, as in the clouds' own tools.
    pub(super) fn get(&self, name: &str) -> Option<String> {
        let value = match &self.0 {
            Some(variables) => variables.get(name).cloned(),
            None => std::env::var(name).ok(),
        };
        value.filter(|value| !value.is_empty())
    }

    /// The first of these that is set.
    pub(super) fn first(&self, names: &[&str]) -> Option<String> {
        names.iter().find_map(|name| self.get(name))
    }

    /// A file that a variable names, or else one below the user's home.
    pub(super) fn file(&self, variable: &str, below_home: &str) -> Option<PathBuf> {
        match self.get(variable) {
            Some(path) => Some(path.into()),
            None => Some(PathBuf::from(self.first(&["HOME", "USERPROFILE"])?).join(below_home)),
        }
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Environment(given)" } else { "Environment(of the process)" })
    }
}
