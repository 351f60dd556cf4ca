//! Signatures: what is taken for one and what is not, over real fixtures, hostile registries and the tools of others.

mod cases;
mod keys;
mod layouts;
mod support;
