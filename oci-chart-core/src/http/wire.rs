//! What registries put on the wire, read without a socket: pure functions over header values and small bodies.
//!
//! Everything here is lenient in what it reads, bounded in what it keeps, and total: no input makes it fail in another
//! way than by its return type.

mod certificate;
mod challenge;
mod error_body;
mod link;
mod location;
mod media;
mod range;
mod retry_after;
mod time;
mod upload;
mod warning;

pub(crate) use certificate::Certificate;
pub use challenge::Challenge;
pub(crate) use error_body::ErrorBody;
pub(crate) use link::next_page;
pub(crate) use location::{same_origin_location, with_digest};
pub(crate) use media::essence;
pub(crate) use range::ContentRange;
pub(crate) use retry_after::retry_after;
pub(crate) use time::{http_date, rfc3339};
pub(crate) use upload::{least_chunk, received};
pub(crate) use warning::warnings;
