//! One test binary: linking is the slow part.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::expect_fun_call,
    clippy::needless_pass_by_value,
    clippy::semicolon_if_nothing_returned,
    reason = "helpers of tests are not seen as tests, and a panic is how a test fails; there, short is better than saving a copy"
)]

mod architecture;
mod archive_bombs;
mod archive_reads;
mod archive_vectors;
mod attest;
mod auth;
mod auth_renewal;
mod auth_tokens;
mod cache;
mod chaos;
mod chart_load;
mod chart_vectors;
#[cfg(feature = "cloud")]
mod cloud;
mod contacts;
mod contract;
mod credentials;
mod credentials_helpers;
mod credentials_login;
mod credentials_pull_secrets;
mod dependencies;
mod diagnose;
mod error_table;
mod faults;
mod foreign;
mod foreign_clients;
mod fuzz_seeds;
#[cfg(target_os = "linux")]
mod hard_ends;
mod ignore_vectors;
mod judge_artifact;
mod judge_clients;
mod judge_helm;
mod judge_logins;
mod judge_packages;
mod judge_requests;
mod judge_tokens;
mod judges_smoke;
#[cfg(feature = "keyless")]
mod keyless;
mod memory;
mod name_vectors;
mod offline;
mod oracle_archives;
mod oracle_chart;
mod oracle_ignore;
mod oracle_references;
#[cfg(unix)]
mod oracle_trees;
mod oracle_versions;
mod oracle_yaml;
mod package;
mod peers;
#[cfg(feature = "pgp")]
mod pgp;
mod piecewise;
mod protocol;
mod proxy;
mod public_types;
mod publish_order;
mod quirks;
mod refusals;
mod remote;
mod requests;
mod scenarios;
mod secrets;
mod support;
mod threats;
mod transfer;
mod transport;
mod trust;
mod yaml_hostile;
mod yaml_rules;
mod yaml_vectors;
