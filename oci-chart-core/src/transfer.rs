//! The verbs: put a chart into a store, take one out, look at one.

#[cfg(feature = "sign")]
mod checked;
mod find;
mod nearest;
mod outcome;
mod pull;
mod push;
mod select;
mod show;

pub use outcome::{Action, PushOutcome};
#[cfg(feature = "sign")]
pub use pull::pull_verified;
pub use pull::{PullOptions, Pulled, pull};
pub use push::{PushOptions, push};
#[cfg(feature = "sign")]
pub(crate) use push::{look, look_again, point, send_content};
pub use select::select;
pub use show::{fetch_metadata, fetch_parts};
