//! Charts: what they say about themselves, how they are read, and what is in them.

mod options;

pub use options::LoadOptions;
