//! The registry judged from outside, by a client that shares nothing with it.
#![cfg(test)]

mod registry;
mod support;
