//! The registry judged from outside, by a client that shares nothing with it.
#![cfg(test)]

mod conformance;
mod faults;
mod registry;
mod relay;
mod serve;
mod support;
mod switches;
mod tls;
