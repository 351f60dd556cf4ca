//! Charts: what they say about themselves, how they are read, and what is in them.

mod file;
mod options;
mod path;

pub use file::ChartFile;
pub use options::LoadOptions;
pub use path::{ChartPath, ParsePathError};
