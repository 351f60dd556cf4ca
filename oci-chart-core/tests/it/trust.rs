//! Signatures: what is taken for one and what is not, over real fixtures, registries with faults, and the tools of others.

mod cases;
mod cluster_image_policy;
mod flux;
mod guarded;
mod json;
pub(crate) mod judges;
mod keys;
mod layouts;
mod opinions;
mod requests;
mod signing;
mod subchart;
mod support;
