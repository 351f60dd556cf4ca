#![no_main]

#[path = "../properties/pull_secret.rs"]
mod property;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| property::check(bytes));
