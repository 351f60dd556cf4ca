use std::{
    io::{ErrorKind as IoErrorKind, Read as _},
    path::{Path, PathBuf},
};

use zeroize::Zeroizing;

use crate::{
    error::{Error, ErrorKind, Result},
    threads::off_thread,
};

/// No file of credentials is nearly as long, in bytes.
const MOST_BYTES: u64 = 1 << 20;

/// The text of a file with credentials; `None` where there is none.
pub(super) async fn read(path: PathBuf) -> Result<Option<Zeroizing<String>>> {
    // A pipe or a network drive may take its time.
    let read = off_thread(move || read_now(&path)).await;
    read.ok_or_else(|| Error::new(ErrorKind::Internal, "reading a file ended without a result"))?
}

/// The text of a file that somebody named, which therefore must be there.
pub(super) async fn read_named(path: PathBuf, named_by: &'static str) -> Result<Zeroizing<String>> {
    let shown = path.display().to_string();
    match read(path).await {
        Ok(Some(text)) => Ok(text),
        Ok(None) => Err(Error::new(ErrorKind::NotFound, "a file of credentials is not there")
            .with_context("path", shown)
            .with_context("named by", named_by)),
        Err(error) => Err(error.with_context("named by", named_by)),
    }
}

fn read_now(path: &Path) -> Result<Option<Zeroizing<String>>> {
    let file = match fs_err::File::open(path) {
        Ok(file) => file,
        Err(error) if matches!(error.kind(), IoErrorKind::NotFound | IoErrorKind::NotADirectory) => {
            return Ok(None);
        }
        Err(error) => return Err(error.into()),
    };
    let mut text = Zeroizing::new(String::new());
    file.take(MOST_BYTES + 1).read_to_string(&mut text)?;
    if text.len() as u64 > MOST_BYTES {
        let error = Error::new(ErrorKind::LimitExceeded, "a file of credentials is too long");
        return Err(error.with_context("path", path.display()).with_context("bound", MOST_BYTES));
    }
    Ok(Some(text))
}
