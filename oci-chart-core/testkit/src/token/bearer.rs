//! How bearer authentication behaves: its switches.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::Worth;
use super::jwt::Signer;

/// How the registry's bearer authentication behaves.
#[derive(Clone)]
pub struct Bearer {
    pub(crate) user: String,
    pub(crate) password: String,
    pub(crate) anonymous_pull: bool,
    pub(crate) lifetime: Duration,
    pub(crate) announced: Option<u64>,
    pub(crate) own_port: bool,
    pub(crate) service: String,
    pub(crate) field: TokenField,
    pub(crate) first_scope_only: bool,
    pub(crate) oauth: bool,
    pub(crate) path: String,
    pub(crate) realm: Option<String>,
    pub(crate) identity: Option<String>,
    pub(crate) signer: Option<Signer>,
    permit: Option<Permit>,
}

type Permit = Arc<dyn Fn(&Access<'_>) -> bool + Send + Sync>;

/// One action that a token is asked for.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Access<'a> {
    /// The authenticated user; `None` without credentials.
    pub user: Option<&'a str>,
    /// `repository` or `registry`.
    pub kind: &'a str,
    /// Repository name, or `catalog`.
    pub name: &'a str,
    /// `pull`, `push`, `delete` or `*`.
    pub action: &'a str,
}

/// Under which name the token stands in the answer of the token server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TokenField {
    /// `token`
    Token,
    /// `access_token`
    AccessToken,
    /// Both, with the same value.
    Both,
    /// `token`, and an `access_token` without a letter, as Harbor has it.
    TokenAndEmptyAccess,
    /// Neither: an answer that breaks the token specification.
    Neither,
}

impl Bearer {
    /// Tokens for this user: everything is permitted with the password, nothing without.
    #[must_use]
    pub fn new(user: &str, password: &str) -> Self {
        Self {
            user: user.to_owned(),
            password: password.to_owned(),
            anonymous_pull: false,
            lifetime: Duration::from_secs(300),
            announced: Some(300),
            own_port: false,
            service: "testkit".to_owned(),
            field: TokenField::Token,
            first_scope_only: false,
            oauth: true,
            path: "/token".to_owned(),
            realm: None,
            identity: None,
            signer: None,
            permit: None,
        }
    }

    /// Gives tokens for `pull` to everyone.
    #[must_use]
    pub const fn anonymous_pull(mut self, yes: bool) -> Self {
        self.anonymous_pull = yes;
        self
    }

    /// Time after which a token is refused, and the `expires_in` that the server announces (`None`: it is silent).
    #[must_use]
    pub const fn lifetime(mut self, lifetime: Duration, announced: Option<u64>) -> Self {
        self.lifetime = lifetime;
        self.announced = announced;
        self
    }

    /// Serves tokens from a port of their own instead of the registry's `/token`.
    #[must_use]
    pub const fn own_port(mut self, yes: bool) -> Self {
        self.own_port = yes;
        self
    }

    /// The name of the token field.
    #[must_use]
    pub const fn field(mut self, field: TokenField) -> Self {
        self.field = field;
        self
    }

    /// Looks at the first requested scope alone, as some servers do.
    #[must_use]
    pub const fn first_scope_only(mut self, yes: bool) -> Self {
        self.first_scope_only = yes;
        self
    }

    /// Whether the OAuth2 form POST exists; without it the answer is 404. It exists unless said otherwise.
    #[must_use]
    pub const fn oauth(mut self, yes: bool) -> Self {
        self.oauth = yes;
        self
    }

    /// Gives tokens that other registries can check.
    #[must_use]
    pub fn signed(mut self, signer: Signer) -> Self {
        self.signer = Some(signer);
        self
    }

    /// The path of the token service, `/token` unless set.
    #[must_use]
    pub fn path(mut self, path: &str) -> Self {
        self.path = path.to_owned();
        self
    }

    /// The realm in the challenge, where clients reach the token service under another name than its own.
    #[must_use]
    pub fn realm(mut self, url: &str) -> Self {
        self.realm = Some(url.to_owned());
        self
    }

    /// The name of the service in the challenge, `testkit` unless set.
    #[must_use]
    pub fn service(mut self, service: &str) -> Self {
        self.service = service.to_owned();
        self
    }

    /// A refresh token of the user that is known from the start: an identity token. In a GET it stands for the password.
    #[must_use]
    pub fn identity(mut self, token: &str) -> Self {
        self.identity = Some(token.to_owned());
        self
    }

    /// Decides each requested action; what is refused is left out of the token, as real servers do.
    #[must_use]
    pub fn permit(mut self, permit: impl Fn(&Access<'_>) -> bool + Send + Sync + 'static) -> Self {
        self.permit = Some(Arc::new(permit));
        self
    }

    /// What the credentials themselves are worth, where a registry takes them instead of a token. `needed` has
    /// `repository:NAME:ACTION`.
    pub(crate) fn worth(&self, (user, password): &(String, String), needed: &[String]) -> Worth {
        if *user != self.user || *password != self.password {
            return Worth::TooLittle;
        }
        let all = needed.iter().all(|need| {
            let Some((kind, rest)) = need.split_once(':') else { return false };
            let Some((name, action)) = rest.rsplit_once(':') else { return false };
            self.permits(&Access { user: Some(user), kind, name, action })
        });
        if all { Worth::Enough } else { Worth::TooLittle }
    }

    pub(super) fn permits(&self, access: &Access<'_>) -> bool {
        match &self.permit {
            Some(permit) => permit(access),
            None => access.user.is_some() || (self.anonymous_pull && access.action == "pull"),
        }
    }
}

impl fmt::Debug for Bearer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bearer")
            .field("user", &self.user)
            .field("own_port", &self.own_port)
            .finish_non_exhaustive()
    }
}
