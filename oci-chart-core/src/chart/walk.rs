//! From a directory to the files of a chart.

mod links;
mod skipped;

use std::{
    error::Error as _,
    fs::FileType,
    path::{Path, PathBuf},
    vec,
};

use fs_err as fs;

use self::links::Links;
pub use self::skipped::{SkipReason, Skipped};
use super::{ChartFile, ChartPath, IgnoreRules, LoadOptions};
use crate::{
    content::Content,
    error::{Error, ErrorKind, Reason, Result},
    limits::Limits,
    platform,
};

/// What lies in a chart's directory.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    /// The files in Helm's order: each directory's names sorted by their bytes, a subdirectory finished before its next
    /// sibling. Nothing has been opened but `.helmignore`.
    pub(crate) files: Vec<ChartFile>,
    /// What stays out, and why; in the same order.
    pub(crate) skipped: Vec<Skipped>,
}

/// Looks through the directory `root` as Helm's loader does: only the top-level `.helmignore` counts, and symbolic links are
/// followed.
///
/// One `statx` for each file, and for each directory nothing but opening, listing and closing it.
///
/// # Errors
///
/// [`ErrorKind::InvalidChart`] for a link that leads out of `root` (unless the options allow that), nowhere or in a circle, for
/// what is neither file nor directory, for a name that is no [`ChartPath`], for a bad rule; [`ErrorKind::LimitExceeded`],
/// [`ErrorKind::Cancelled`], [`ErrorKind::NotFound`], [`ErrorKind::Io`].
pub(crate) fn walk(root: &Path, options: &LoadOptions) -> Result<Tree> {
    Walk::new(root, options)?.run()
}

struct Walk<'a> {
    options: &'a LoadOptions,
    rules: IgnoreRules,
    links: Links,
    stack: Vec<Directory>,
    tree: Tree,
    entries: u32,
    bytes: u64,
}

/// A directory that is being looked through.
struct Directory {
    path: PathBuf,
    /// Its place in the chart as the operating system spells it, `/` at the end; empty for the root.
    prefix: Vec<u8>,
    names: vec::IntoIter<Name>,
}

struct Name {
    name: std::ffi::OsString,
    kind: FileType,
}

/// A directory entry after its links were followed.
struct Found {
    /// Where the entry is opened: the end of the links.
    real: PathBuf,
    metadata: std::fs::Metadata,
}

impl<'a> Walk<'a> {
    fn new(root: &Path, options: &'a LoadOptions) -> Result<Self> {
        let mut walk = Self {
            options,
            rules: IgnoreRules::default(),
            links: Links::new(root),
            stack: Vec::new(),
            tree: Tree::default(),
            entries: 0,
            bytes: 0,
        };
        let top = walk.list(root.to_owned(), Vec::new()).map_err(|error| no_directory(error, root))?;
        if let Some(rules) = top.names.as_slice().iter().find(|name| name.name == IgnoreRules::FILE_NAME) {
            walk.rules = walk.read_rules(&root.join(&rules.name), rules.kind)?;
        }
        walk.stack.push(top);
        Ok(walk)
    }

    fn run(mut self) -> Result<Tree> {
        while let Some(directory) = self.stack.last_mut() {
            let Some(entry) = directory.names.next() else {
                self.stack.pop();
                self.links.leave();
                continue;
            };
            let path = directory.path.join(&entry.name);
            let mut place = directory.prefix.clone();
            place.extend_from_slice(entry.name.as_encoded_bytes());
            self.options.cancel.check()?;
            self.visit(entry, path, place)?;
        }
        Ok(self.tree)
    }

    fn visit(&mut self, entry: Name, path: PathBuf, place: Vec<u8>) -> Result<()> {
        let mut found = None;
        let mut is_directory = entry.kind.is_dir();
        if entry.kind.is_symlink() {
            let metadata = follow(&path)?;
            is_directory = metadata.is_dir();
            found = Some(metadata);
        }
        if let Some(rule) = self.rules.decide_bytes(&place, is_directory) {
            self.tree.skipped.push(Skipped::by_rule(&place, is_directory, rule));
            return Ok(());
        }
        let found = match found {
            Some(metadata) => Some(self.inside(&path, metadata)?),
            None => None,
        };
        if is_directory {
            return self.enter(entry, path, place, found);
        }
        let kind = found.as_ref().map_or(entry.kind, |found| found.metadata.file_type());
        if !kind.is_file() {
            return Err(irregular(&path));
        }
        let chart_path =
            chart_path(&place).map_err(|error| Error::from(error).with_context("file", path.display()))?;
        let found = match found {
            Some(found) => found,
            None => Found { metadata: fs::symlink_metadata(&path)?, real: path },
        };
        self.add(chart_path, found)
    }

    fn add(&mut self, path: ChartPath, found: Found) -> Result<()> {
        let Limits { file_bytes, total_bytes, .. } = self.options.limits;
        // The entry may have become something else since it was listed.
        if !found.metadata.is_file() {
            return Err(irregular(&found.real));
        }
        let len = found.metadata.len();
        if len > file_bytes {
            return Err(Error::limit(
                "file_bytes",
                file_bytes,
                format!("chart file {:?} is larger than the maximum file size {file_bytes}", path.as_str()),
            )
            .with_reason(Reason::FileTooLarge)
            .with_context("file", found.real.display()));
        }
        self.bytes = self.bytes.saturating_add(len);
        if self.bytes >= total_bytes {
            return Err(Error::limit(
                "total_bytes",
                total_bytes,
                format!("the files of the chart are together larger than the maximum size {total_bytes}"),
            )
            .with_reason(Reason::ArchiveTooLarge)
            .with_context("file", found.real.display()));
        }
        let modified = found.metadata.modified().ok();
        self.tree.files.push(ChartFile::new(
            path,
            Content::from_known_path(found.real, len, modified),
            modified,
        ));
        Ok(())
    }

    fn enter(&mut self, entry: Name, path: PathBuf, mut place: Vec<u8>, found: Option<Found>) -> Result<()> {
        self.links.enter(&path, entry.name, found.map(|found| found.real))?;
        place.push(b'/');
        let directory = self.list(path, place)?;
        if directory.names.as_slice().is_empty() {
            self.tree.skipped.push(Skipped::empty(&directory.prefix));
        }
        self.stack.push(directory);
        Ok(())
    }

    fn list(&mut self, path: PathBuf, prefix: Vec<u8>) -> Result<Directory> {
        let mut names = Vec::new();
        for entry in fs::read_dir(&path)? {
            let entry = entry?;
            self.entries = self.entries.saturating_add(1);
            if self.entries > self.options.limits.entries {
                let bound = self.options.limits.entries;
                return Err(Error::limit("entries", bound, "the chart's directory has too many entries")
                    .with_reason(Reason::TooManyEntries)
                    .with_context("directory", path.display()));
            }
            names.push(Name { kind: entry.file_type()?, name: entry.file_name() });
        }
        names.sort_unstable_by(|one, other| one.name.as_encoded_bytes().cmp(other.name.as_encoded_bytes()));
        Ok(Directory { path, prefix, names: names.into_iter() })
    }

    fn read_rules(&mut self, path: &Path, kind: FileType) -> Result<IgnoreRules> {
        let real = if kind.is_symlink() { self.inside(path, follow(path)?)?.real } else { path.to_owned() };
        let content = Content::from_path(&real).map_err(|error| error.with_kind(ErrorKind::InvalidChart))?;
        let bytes = content.read(self.options.limits.file_bytes)?;
        IgnoreRules::parse(&bytes).map_err(|error| Error::from(error).with_context("path", path.display()))
    }

    /// Where a link ends. A link out of the chart is refused unless the options allow it.
    fn inside(&mut self, link: &Path, metadata: std::fs::Metadata) -> Result<Found> {
        let real = fs::canonicalize(link)?;
        if !self.options.follow_outside_symlinks && !real.starts_with(self.links.real_root()?) {
            return Err(Error::new(ErrorKind::InvalidChart, "the symbolic link leads out of the chart")
                .with_reason(Reason::SymlinkEscape)
                .with_context("file", link.display())
                .with_context("target", real.display())
                .with_hint(
                    "copy the file into the chart, ignore it, or allow links out of the chart in `LoadOptions`",
                ));
        }
        Ok(Found { real, metadata })
    }
}

/// Looks at the end of a link. Also what is ignored must lead somewhere, as in Helm.
fn follow(link: &Path) -> Result<std::fs::Metadata> {
    fs::metadata(link).map_err(|error| {
        let missing = error.kind() == std::io::ErrorKind::NotFound;
        if platform::is_link_loop(&error) {
            links::circle(link).with_source(error)
        } else if missing {
            Error::new(ErrorKind::InvalidChart, "error evaluating symlink: its target does not exist")
                .with_context("file", link.display())
                .with_source(error)
                .with_hint("remove the link or restore its target")
        } else {
            Error::from(error)
        }
    })
}

fn chart_path(place: &[u8]) -> Result<ChartPath, super::ParsePathError> {
    ChartPath::new(std::str::from_utf8(place).map_err(|_| super::ParsePathError::NotUnicode)?)
}

fn no_directory(error: Error, root: &Path) -> Error {
    let io = error.source().and_then(|source| source.downcast_ref::<std::io::Error>());
    if io.is_none_or(|io| io.kind() != std::io::ErrorKind::NotADirectory) {
        return error;
    }
    Error::new(ErrorKind::InvalidInput, "a chart's directory is expected, and this is none")
        .with_context("file", root.display())
        .with_hint("load a package (.tgz) as an archive")
}

fn irregular(path: &Path) -> Error {
    Error::new(ErrorKind::InvalidChart, "cannot load irregular file as it has file mode type bits set")
        .with_reason(Reason::IrregularFile)
        .with_context("file", path.display())
        .with_hint("a chart is made of files and directories: remove it, or ignore it with .helmignore")
}

#[cfg(test)]
mod tests;
