//! Who a caller is for a registry: credentials and where they come from, challenges, scopes and tokens.
//!
//! # Where credentials come from
//!
//! A [`CredentialSource`] knows them by registry: a closure, [`StaticCredentials`], a Kubernetes pull secret ([`PullSecretLogins`]), what
//! other programs left on this machine ([`StoredLogins`]), or several one after the other ([`Chain`]). Without one a client is anonymous.
//! `Client::login` and `Client::logout` write the same files and ask the same helpers as Helm, docker and podman do.
//!
//! # What is asked when
//!
//! Nothing is asked ahead: the first useful request draws the challenge, which is remembered for the client's life, and tokens
//! are asked for once per set of scopes, with everything that the operation will need.

mod authenticator;
mod blame;
#[cfg(feature = "cloud")]
pub mod cloud;
mod credentials;
mod edit;
mod helper;
mod jwt;
mod kept;
mod login;
mod login_file;
mod places;
mod plan;
mod process;
mod pull_secret;
mod realm;
mod scope;
mod source;
mod stored;
mod token;
mod tokens;
mod verify;

pub(crate) use authenticator::{Authenticator, MakeRequest};
pub use credentials::{CredentialKind, Credentials};
#[cfg(any(test, fuzzing))]
pub(crate) use jwt::Claims;
pub use login::{LoginOptions, LoginOutcome, LoginPlace, LoginStatus, LogoutOutcome, login_host};
pub use pull_secret::PullSecretLogins;
pub(crate) use scope::{Access, Scope};
pub use source::{Audience, Chain, CredentialSource, StaticCredentials};
pub use stored::{KnownLogin, StoredLogins};

pub use crate::http::wire::Challenge;
