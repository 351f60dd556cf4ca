//! Who a caller is for a registry: credentials and where they come from, challenges, scopes and tokens.
//!
//! Nothing is asked ahead: the first useful request draws the challenge, which is remembered for the client's life, and tokens
//! are asked for once per set of scopes, with everything that the operation will need.

mod authenticator;
#[cfg(feature = "cloud")]
mod claims;
#[cfg(feature = "cloud")]
pub mod cloud;
mod credentials;
mod plan;
mod realm;
mod scope;
mod source;
mod token;
mod tokens;

pub(crate) use authenticator::Authenticator;
pub use credentials::Credentials;
pub(crate) use scope::{Access, Scope};
pub use source::{CredentialSource, StaticCredentials};
