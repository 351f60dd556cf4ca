//! How a chart is loaded.

use crate::{context::CancelToken, limits::Limits};

/// What [`Chart::from_dir`](super::Chart::from_dir) and its siblings are given: bounds, a way to stop, and what is allowed.
///
/// # Examples
///
/// ```
/// use oci_chart_core::{CancelToken, Limits, chart::LoadOptions};
///
/// let mut limits = Limits::default();
/// limits.file_bytes = 20 << 20;
/// let options = LoadOptions::default().with_limits(limits).with_cancel(CancelToken::new());
/// assert!(!options.follow_outside_symlinks);
/// ```
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct LoadOptions {
    /// The bounds; Helm's where Helm has one.
    pub limits: Limits,
    /// Looked at between files and every 256 KiB inside one.
    pub cancel: CancelToken,
    /// Follow symbolic links that lead out of the chart's directory. Helm does, so that a chart from a stranger can pack any
    /// file that its builder may read; here such a link is an error unless the caller knows the directory.
    pub follow_outside_symlinks: bool,
    /// Refuse a package with a [flaw](super::ArchiveFlaw) behind its last file. Helm never looks there, so by default such
    /// packages are read, and the flaw is told.
    pub strict: bool,
}

impl LoadOptions {
    /// Other bounds.
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Stops when `token` is used.
    #[must_use]
    pub fn with_cancel(mut self, token: CancelToken) -> Self {
        self.cancel = token;
        self
    }

    /// Whether links out of the chart's directory are followed.
    #[must_use]
    pub fn with_outside_symlinks(mut self, follow: bool) -> Self {
        self.follow_outside_symlinks = follow;
        self
    }

    /// Whether a flaw behind the last file of a package is an error.
    #[must_use]
    pub fn with_strict(mut self, strict: bool) -> Self {
        self.strict = strict;
        self
    }
}
