//! Where symbolic links really lead, so that none leaves the chart or runs in a circle.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
};

use fs_err as fs;

use crate::error::{Error, ErrorKind, Reason, Result};

/// The directories between the root and where the walk is, with their real places. Those are looked up only once a link
/// was met: most charts have none.
pub(super) struct Links {
    levels: Vec<Level>,
}

struct Level {
    /// The root's path, or the name below the level above.
    name: OsString,
    real: Option<PathBuf>,
}

impl Links {
    pub(super) fn new(root: &Path) -> Self {
        Self { levels: vec![Level { name: root.as_os_str().to_owned(), real: None }] }
    }

    /// The root without any link in its path.
    pub(super) fn real_root(&mut self) -> Result<&Path> {
        let Some(root) = self.levels.first_mut() else {
            return Err(Error::new(ErrorKind::Internal, "the walk has left its root"));
        };
        if root.real.is_none() {
            root.real = Some(fs::canonicalize(&root.name)?);
        }
        Ok(root.real.as_deref().unwrap_or(Path::new("")))
    }

    /// Goes down into `name`, which is `path` and, where a link led there, really `real`.
    pub(super) fn enter(&mut self, path: &Path, name: OsString, real: Option<PathBuf>) -> Result<()> {
        if real.is_some() {
            self.resolve_all()?;
        }
        let above = self.levels.last().and_then(|level| level.real.as_deref());
        let real = real.or_else(|| above.map(|above| above.join(&name)));
        if real.is_some() && self.levels.iter().any(|level| level.real == real) {
            return Err(circle(path));
        }
        self.levels.push(Level { name, real });
        Ok(())
    }

    /// Goes up again.
    pub(super) fn leave(&mut self) {
        self.levels.pop();
    }

    fn resolve_all(&mut self) -> Result<()> {
        let mut above = self.real_root()?.to_owned();
        for level in self.levels.iter_mut().skip(1) {
            above = level.real.get_or_insert_with(|| above.join(&level.name)).clone();
        }
        Ok(())
    }
}

/// The error for links that lead in a circle.
pub(super) fn circle(path: &Path) -> Error {
    Error::new(ErrorKind::InvalidChart, "symbolic links lead in a circle")
        .with_reason(Reason::SymlinkLoop)
        .with_context("file", path.display())
        .with_hint("remove the link")
}
