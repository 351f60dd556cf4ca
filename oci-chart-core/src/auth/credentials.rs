use crate::redact::Secret;

/// What a caller shows to a registry. Secrets are not printed.
///
/// # Examples
///
/// ```
/// use oci_chart_core::auth::Credentials;
///
/// let credentials = Credentials::basic("robot", "hunter2");
/// assert!(!format!("{credentials:?}").contains("hunter2"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Credentials {
    /// Nothing. Differs from having no answer: no other source is asked.
    Anonymous,
    /// A user's name and password, sent to the registry itself or to its token service.
    Basic {
        /// The name.
        username: String,
        /// The password.
        password: Secret,
    },
    /// A token that the registry itself takes, sent as it is.
    Bearer(Secret),
}

impl Credentials {
    /// A user's name and password.
    pub fn basic(username: impl Into<String>, password: impl Into<Secret>) -> Self {
        Self::Basic { username: username.into(), password: password.into() }
    }

    /// A token that the registry itself takes.
    pub fn bearer(token: impl Into<Secret>) -> Self {
        Self::Bearer(token.into())
    }
}
