//! The verbs: put a chart into a store, take one out, look at one.

#[cfg(feature = "sign")]
mod checked;
mod find;
mod outcome;
mod pull;
mod push;
mod select;
mod show;

pub use outcome::{Action, PushOutcome};
pub use pull::{PullOptions, Pulled, pull};
pub use push::{PushOptions, push};
pub use select::select;
pub use show::{fetch_metadata, fetch_parts};
