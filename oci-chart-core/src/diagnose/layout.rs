use std::path::Path;

use futures_util::TryStreamExt as _;

use super::{Check, Diagnosis, Finding, Status};
use crate::{
    error::{Error, ErrorKind, Reason},
    limits::Limits,
    name::Location,
    store::{Layout, Store as _},
};

/// Looks at an image layout.
pub(crate) async fn examine(path: &Path, limits: Limits, location: &Location) -> Diagnosis {
    let found = directory(path);
    let readable = match &found {
        Ok(()) => read(path, limits).await,
        Err(_) => Finding::new(Check::Pull, Status::Failed, "there is nothing to read"),
    };
    let layout = match found {
        Ok(()) => Finding::new(Check::Layout, Status::Ok, "an image layout"),
        Err(error) => Finding::failed(Check::Layout, &error),
    };
    Diagnosis { location: location.to_string(), findings: vec![layout, readable, writable(path)] }
}

fn directory(path: &Path) -> Result<(), Error> {
    let is_directory = fs_err::metadata(path)?.is_dir();
    if !is_directory {
        return Err(Error::new(ErrorKind::InvalidInput, "the layout's path is no directory")
            .with_reason(Reason::BadLayout)
            .with_context("path", path.display()));
    }
    fs_err::metadata(path.join("oci-layout")).map(drop).map_err(|error| {
        Error::from(error)
            .with_reason(Reason::BadLayout)
            .with_hint("a push makes the directory a layout; nobody has made this one")
    })
}

async fn read(path: &Path, limits: Limits) -> Finding {
    let store = Layout::new(path).with_limits(limits);
    let tags: Result<Vec<_>, _> = store.tags().try_collect().await;
    match tags {
        Ok(tags) => {
            let summary = format!("{} tags can be read", tags.len());
            Finding::new(Check::Pull, Status::Ok, summary).with_fact("tags", tags.len())
        }
        Err(error) => Finding::failed(Check::Pull, &error),
    }
}

fn writable(path: &Path) -> Finding {
    let nearest = path.ancestors().find_map(|path| fs_err::metadata(path).ok());
    if nearest.is_some_and(|found| found.permissions().readonly()) {
        return Finding::new(Check::Push, Status::Failed, "the directory is read-only")
            .with_hint("change the directory's permissions, or choose another one");
    }
    Finding::new(Check::Push, Status::Unknown, "only a push shows whether the directory can be written")
}
