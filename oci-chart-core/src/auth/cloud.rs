//! Logins of the clouds' registries, without their command line tools and SDKs.
//!
//! | registry | hosts | what is asked | user | ends |
//! | --- | --- | --- | --- | --- |
//! | Amazon ECR | `ID.dkr.ecr.REGION.amazonaws.com`, FIPS, dual-stack, China, GovCloud and isolated regions | `GetAuthorizationToken`, signed with SigV4 | `AWS` | 12 h |
//! | Amazon ECR Public | `public.ecr.aws` | the same, in `us-east-1` | `AWS` | 12 h |
//! | Google Artifact Registry, Container Registry | `*.pkg.dev`, `gcr.io`, `*.gcr.io` | an access token, of the metadata server or for a key | `oauth2accesstoken` | 1 h |
//! | Azure Container Registry | `*.azurecr.io`, `.cn`, `.us`, `.de` | a token of Entra ID, exchanged at the registry | `00000000-0000-0000-0000-000000000000` | 3 h |
//!
//! [`CloudLogins`] is a [`CredentialSource`] that knows nothing of other hosts. Who one is, it finds where the clouds' own tools
//! look: variables of the environment, files, and the metadata service of the machine. Nothing found is no error, since a registry
//! may be public; something found that cannot be used is one.
//!
//! A login is fetched once however many requests wait for it, kept until a minute before its end, and fetched anew when a registry
//! refuses it.

mod aws;
mod azure;
mod cache;
mod environment;
mod files;
mod google;
mod host;
mod logins;
mod options;
mod service;
mod sigv4;

pub use environment::Environment;
pub use host::Cloud;
pub use logins::CloudLogins;
pub use options::{AwsKeys, AzureLogin, CloudOptions, GoogleLogin};

#[cfg(doc)]
use super::CredentialSource;
