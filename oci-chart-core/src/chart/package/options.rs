use std::num::NonZeroUsize;

use crate::{chart::Timestamp, context::CancelToken};

/// How a chart is packaged.
///
/// # Examples
///
/// ```
/// use oci_chart_core::chart::{PackageOptions, Timestamp};
///
/// let options = PackageOptions::default().with_version("1.2.3-rc.1").with_time(Timestamp::from_unix(1_700_000_000)?);
/// assert_eq!(options.version.as_deref(), Some("1.2.3-rc.1"));
/// # Ok::<(), oci_chart_core::Error>(())
/// ```
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct PackageOptions {
    /// The time of every entry. Where it is not given, `SOURCE_DATE_EPOCH` says it, else [`Timestamp::FIXED`].
    pub time: Option<Timestamp>,
    /// Whether all entries have one time.
    pub entry_times: EntryTimes,
    /// Another version than Chart.yaml has, in the package only. Helm's loose dialect; empty is none, as for Helm.
    pub version: Option<String>,
    /// Another `appVersion` than Chart.yaml has, in the package only. Empty is none, as for Helm.
    pub app_version: Option<String>,
    /// How many threads compress, at most; the bytes do not depend on it. Where it is not given: two. A small chart takes one.
    pub threads: Option<NonZeroUsize>,
    /// Stops the work; looked at for every file and every 256 KiB.
    pub cancel: CancelToken,
}

/// Which time an entry of a package has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum EntryTimes {
    /// All the same one: the same tree gives the same bytes, whenever and wherever it was checked out.
    #[default]
    One,
    /// As Helm 4 has it: each file its own, rounded to seconds, and Chart.lock the one that stands in it. What has none gets the one time.
    Source,
}

impl PackageOptions {
    /// Options with a time.
    #[must_use]
    pub fn with_time(mut self, time: Timestamp) -> Self {
        self.time = Some(time);
        self
    }

    /// Options with another rule for times.
    #[must_use]
    pub fn with_entry_times(mut self, times: EntryTimes) -> Self {
        self.entry_times = times;
        self
    }

    /// Options with another version.
    #[must_use]
    pub fn with_version(mut self, version: impl Into<String>) -> Self {
        self.version = Some(version.into());
        self
    }

    /// Options with another `appVersion`.
    #[must_use]
    pub fn with_app_version(mut self, version: impl Into<String>) -> Self {
        self.app_version = Some(version.into());
        self
    }

    /// Options with a number of threads.
    #[must_use]
    pub fn with_threads(mut self, threads: NonZeroUsize) -> Self {
        self.threads = Some(threads);
        self
    }

    /// Options with a token that stops the work.
    #[must_use]
    pub fn with_cancel(mut self, token: CancelToken) -> Self {
        self.cancel = token;
        self
    }
}
