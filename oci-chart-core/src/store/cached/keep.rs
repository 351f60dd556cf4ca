use std::io::Write as _;

use bytes::{Bytes, BytesMut};
use futures_util::stream;
use tempfile::NamedTempFile;

use super::{cache::Cache, entry};
use crate::{
    oci::Descriptor,
    store::{ByteStream, next},
};

/// Content up to this is written in one go when it is complete, in bytes.
const IN_MEMORY: usize = 1 << 20;

/// Content on its way into the cache. Dropped before its end it leaves nothing.
pub(super) struct Keep {
    cache: Cache,
    descriptor: Descriptor,
    /// What is not on disk yet.
    memory: BytesMut,
    file: Option<NamedTempFile>,
    /// Whether it is given up: the reader gets its bytes all the same.
    failed: bool,
}

impl Keep {
    pub(super) fn new(cache: Cache, descriptor: &Descriptor) -> Self {
        let descriptor = descriptor.clone();
        Self { cache, descriptor, memory: BytesMut::new(), file: None, failed: false }
    }

    /// `bytes`, kept as they go by. Their source has held them against the descriptor when it comes to its end.
    pub(super) fn over(self, bytes: ByteStream) -> ByteStream {
        Box::pin(stream::try_unfold((bytes, self), |(mut bytes, mut keep)| async move {
            match next(&mut bytes).await? {
                Some(piece) => {
                    keep.take(&piece).await;
                    Ok(Some((piece, (bytes, keep))))
                }
                None => {
                    keep.finish().await;
                    Ok(None)
                }
            }
        }))
    }

    async fn take(&mut self, piece: &Bytes) {
        if self.failed {
            return;
        }
        self.memory.extend_from_slice(piece);
        if self.memory.len() > IN_MEMORY {
            self.file = self.flush().await;
            self.failed = self.file.is_none();
        }
    }

    async fn finish(mut self) {
        if self.failed {
            return;
        }
        let Some(file) = self.flush().await else { return };
        let descriptor = self.descriptor;
        let keep = move |inner: &super::cache::Inner| {
            entry::name(file, &entry::place(inner.root(), &descriptor.digest))?;
            inner.account(descriptor.size)
        };
        self.cache.write(keep).await;
    }

    /// What is in memory goes to the file, which is made where there is none.
    async fn flush(&mut self) -> Option<NamedTempFile> {
        let (bytes, file) = (self.memory.split().freeze(), self.file.take());
        let write = move |inner: &super::cache::Inner| {
            let mut file = match file {
                Some(file) => file,
                None => entry::new_file(inner.root())?,
            };
            file.write_all(&bytes)?;
            Ok(file)
        };
        self.cache.write(write).await
    }
}
