//! Kubernetes documents that have to do with charts: no cluster, no network.
//!
//! So far these are pull secrets, read under the rules of both who use them: docker's, which Helm and Flux's HelmRepository share, and
//! the kubelet's, which Flux's OCIRepository shares. One secret can work for one and fail for the other.

mod docker_config;
mod key;
mod keyring;
mod pull_secret;
mod secret;

#[cfg(feature = "registry")]
pub(crate) use docker_config::{DockerConfig, StoredLogin, encode_pair};
pub use key::KeyRule;
#[cfg(feature = "registry")]
pub(crate) use key::best_key;
pub use pull_secret::{PullSecret, PullSecretError};
#[cfg(feature = "sign")]
pub(crate) use secret::{MOST_BYTES, Secret};
