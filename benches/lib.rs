//! Shared parts of the measurements: inputs, clocks, paired rounds, and a report that fails where a bound is passed.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program that reports")]

mod calls;
mod charts;
mod clock;
mod report;
mod rounds;

pub use calls::{instructions, system_calls};
pub use charts::{complete_charts, unpacked};
pub use clock::Cost;
pub use report::{Report, is_busy, skip};
pub use rounds::{Ratio, paired};

/// What every fallible part of a measurement returns; any failure ends it.
pub type Outcome<T> = Result<T, Box<dyn std::error::Error>>;
