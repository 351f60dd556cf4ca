use std::{io::Write, path::Path};

use async_trait::async_trait;
use bytes::Bytes;
use fs_err as fs;

use crate::{
    content::{Content, ContentWriter},
    error::{Error, ErrorKind, Result},
    oci::Descriptor,
    store::{ByteStream, Store, collect, next},
    threads::off_thread,
};

/// What every [`Store`] can do on top of its own methods.
#[async_trait]
pub trait StoreExt: Store {
    /// The whole content in memory, if it is at most `limit` bytes.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::LimitExceeded`] above `limit`, and those of [`Store::fetch`] and its stream.
    async fn fetch_bytes(&self, descriptor: &Descriptor, limit: u64) -> Result<Bytes> {
        if descriptor.size > limit {
            return Err(Error::limit(
                "bytes held in memory",
                limit,
                "the content is too large to be held in memory",
            )
            .with_context("digest", descriptor.digest)
            .with_context("bytes", descriptor.size));
        }
        collect(self.fetch(descriptor).await?, descriptor.size).await
    }

    /// The content where it can be read again: in memory, or above 8 MiB in a nameless temporary file.
    ///
    /// # Errors
    ///
    /// Those of [`Store::fetch`] and its stream; [`ErrorKind::Io`] for the temporary file.
    async fn fetch_content(&self, descriptor: &Descriptor) -> Result<Content> {
        gather(self.fetch(descriptor).await?, descriptor).await
    }

    /// The content in a file. The file appears whole and checked, or not at all: on any failure `path` is as it was.
    ///
    /// # Errors
    ///
    /// Those of [`Store::fetch`] and its stream; [`ErrorKind::Io`], with the path.
    async fn fetch_to(&self, descriptor: &Descriptor, path: &Path) -> Result<()> {
        let mut stream = self.fetch(descriptor).await?;
        let directory = match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
            _ => ".".into(),
        };
        let mut file = blocking(move || new_file(&directory)).await?;
        while let Some(piece) = next(&mut stream).await? {
            file = blocking(move || file.write_all(&piece).map(|()| file)).await?;
        }
        let place = path.to_owned();
        blocking(move || file.persist(&place).map(drop).map_err(|error| error.error))
            .await
            .map_err(|error| error.with_context("path", path.display()))
    }
}

/// What `stream` brings, where it can be read again. The stream checks itself.
pub(crate) async fn gather(mut stream: ByteStream, descriptor: &Descriptor) -> Result<Content> {
    if descriptor.size <= ContentWriter::SPILL as u64 {
        return Ok(collect(stream, descriptor.size).await?.into());
    }
    let mut writer = ContentWriter::default();
    while let Some(piece) = next(&mut stream).await? {
        writer = blocking(move || writer.write_all(&piece).map(|()| writer)).await?;
    }
    writer.finish()
}

impl<S: Store + ?Sized> StoreExt for S {}

/// A file without a place yet, next to where it will be, readable by everybody as Helm writes packages.
fn new_file(directory: &Path) -> std::io::Result<tempfile::NamedTempFile> {
    fs::create_dir_all(directory)?;
    let mut builder = tempfile::Builder::new();
    builder.prefix(".oci-chart-");
    crate::platform::readable_by_all(&mut builder);
    builder
        .tempfile_in(directory)
        .map_err(|error| crate::platform::named("create a file in", directory, error))
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> std::io::Result<T> + Send + 'static,
) -> Result<T> {
    match off_thread(work).await {
        Some(result) => result.map_err(Error::from),
        None => Err(Error::new(ErrorKind::Internal, "a file operation ended without a result")),
    }
}
