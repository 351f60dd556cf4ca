//! Charts: what they say about themselves, how they are read, and what is in them.

mod file;
mod ignore;
mod options;
mod path;
mod walk;

pub use file::ChartFile;
pub use ignore::{IgnoreProblem, IgnoreRule, IgnoreRules, ParseIgnoreError};
pub use options::LoadOptions;
pub use path::{ChartPath, ParsePathError};
pub use walk::{SkipReason, Skipped};
