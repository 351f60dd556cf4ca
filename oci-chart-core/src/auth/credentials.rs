use std::{
    fmt,
    sync::Arc,
    time::{Duration, SystemTime},
};

use super::jwt;
use crate::redact::Secret;

/// What a caller shows to a registry, with where that came from and when it ends, as far as these are known. Secrets are not
/// printed.
///
/// # Examples
///
/// ```
/// use std::time::{Duration, SystemTime};
///
/// use oci_chart_core::auth::Credentials;
///
/// let credentials = Credentials::basic("robot$charts+ci", "hunter2")
///     .with_origin("the vault")
///     .with_expiry(SystemTime::UNIX_EPOCH + Duration::from_secs(1));
/// assert_eq!((credentials.username(), credentials.origin()), (Some("robot$charts+ci"), Some("the vault")));
/// assert!(credentials.has_expired() && !format!("{credentials:?}").contains("hunter2"));
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    kind: CredentialKind,
    origin: Option<Arc<str>>,
    expiry: Option<SystemTime>,
}

/// The forms that credentials come in.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum CredentialKind {
    /// Nothing. Differs from having no answer: no other source is asked.
    Anonymous,
    /// A user's name and password, sent to the registry itself or to its token service.
    Basic {
        /// The name, as it is: `robot$project+name` is one.
        username: String,
        /// The password.
        password: Secret,
    },
    /// A long-lived token that the registry's token service takes for short-lived ones (OAuth2's refresh token; docker's
    /// `identitytoken`). The registry itself never sees it.
    Identity {
        /// The user's name, if one is stored beside it. Needed only where a token service knows no OAuth2.
        username: Option<String>,
        /// The token.
        token: Secret,
    },
    /// A token that the registry itself takes, sent as it is (docker's `registrytoken`).
    Bearer(Secret),
}

impl Credentials {
    /// Nothing, and no other source is to be asked.
    pub const ANONYMOUS: Self = Self { kind: CredentialKind::Anonymous, origin: None, expiry: None };

    /// A user's name and password.
    pub fn basic(username: impl Into<String>, password: impl Into<Secret>) -> Self {
        CredentialKind::Basic { username: username.into(), password: password.into() }.into()
    }

    /// A token for the registry's token service.
    pub fn identity(token: impl Into<Secret>) -> Self {
        CredentialKind::Identity { username: None, token: token.into() }.into()
    }

    /// A token that the registry itself takes.
    pub fn bearer(token: impl Into<Secret>) -> Self {
        CredentialKind::Bearer(token.into()).into()
    }

    /// Says where they came from (a file and its key, a helper), for errors about them.
    #[must_use]
    pub fn with_origin(mut self, origin: impl Into<Arc<str>>) -> Self {
        self.origin = Some(origin.into());
        self
    }

    /// Says when they end. Their source is asked for new ones shortly before.
    #[must_use]
    pub fn with_expiry(mut self, expiry: SystemTime) -> Self {
        self.expiry = Some(expiry);
        self
    }

    /// What they are.
    pub fn kind(&self) -> &CredentialKind {
        &self.kind
    }

    /// The user's name, where there is one.
    pub fn username(&self) -> Option<&str> {
        match &self.kind {
            CredentialKind::Basic { username, .. } => Some(username),
            CredentialKind::Identity { username, .. } => username.as_deref(),
            CredentialKind::Anonymous | CredentialKind::Bearer(_) => None,
        }
    }

    /// Where they came from; none for those that the caller gave without a word about it.
    pub fn origin(&self) -> Option<&str> {
        self.origin.as_deref()
    }

    /// When they end: as their source says, else as the token itself says, if it is one that can be read (a JWT).
    pub fn expiry(&self) -> Option<SystemTime> {
        self.expiry.or_else(|| match &self.kind {
            CredentialKind::Anonymous => None,
            CredentialKind::Basic { password: secret, .. }
            | CredentialKind::Identity { token: secret, .. }
            | CredentialKind::Bearer(secret) => jwt::Claims::of(secret.expose())?.expiry(),
        })
    }

    /// Whether they have ended, or will within the next few seconds.
    pub fn has_expired(&self) -> bool {
        const EARLY: Duration = Duration::from_secs(30);
        self.expiry().is_some_and(|expiry| expiry <= SystemTime::now() + EARLY)
    }

    pub(crate) fn is_anonymous(&self) -> bool {
        self.kind == CredentialKind::Anonymous
    }
}

impl From<CredentialKind> for Credentials {
    fn from(kind: CredentialKind) -> Self {
        Self { kind, origin: None, expiry: None }
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("kind", &self.kind)
            .field("origin", &self.origin)
            .field("expiry", &self.expiry)
            .finish()
    }
}
