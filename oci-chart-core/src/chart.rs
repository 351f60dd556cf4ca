//! Charts: what they say about themselves, how they are read, and what is in them.

mod archive;
mod deflate;
mod dependency;
mod epoch;
mod file;
mod gzip;
mod ignore;
mod lock;
mod metadata;
mod options;
mod path;
mod place;
mod sanitize;
mod tar;
mod validate;
mod walk;

pub use archive::{ArchiveError, ArchiveFiles, ArchiveFlaw, ArchiveSummary, read_archive, summarize_archive};
pub use dependency::{Dependency, ImportSpec, ImportValue, Maintainer};
pub use epoch::{ParseTimestampError, Timestamp};
pub use file::ChartFile;
pub use ignore::{IgnoreProblem, IgnoreRule, IgnoreRules, ParseIgnoreError};
pub use lock::{Lock, lock_digest, lock_digest_helm2};
pub use metadata::{FieldTypeError, Metadata};
pub use options::LoadOptions;
pub use path::{ChartPath, ParsePathError};
pub use validate::Invalid;
pub use walk::{SkipReason, Skipped};
