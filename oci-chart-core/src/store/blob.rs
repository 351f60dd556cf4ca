use std::{fmt, sync::Arc};

use bytes::Bytes;

use crate::{
    content::Content,
    context::Context,
    error::Result,
    oci::{Descriptor, MediaType},
    store::{ByteStream, Store, content_chunks, content_stream, counted, verified},
};

/// Content to be stored: a descriptor, and a source that can be opened again after a refused or broken upload.
#[derive(Clone)]
pub struct Blob {
    descriptor: Descriptor,
    source: Source,
    watch: Option<(Context, u64)>,
    anyway: bool,
}

#[derive(Clone)]
enum Source {
    Content(Content),
    Store(Arc<dyn Store>),
}

impl Blob {
    /// `bytes` under `media_type`; their digest is computed here.
    pub fn from_bytes(media_type: MediaType, bytes: impl Into<Bytes>) -> Self {
        let bytes = bytes.into();
        Self {
            descriptor: Descriptor::of(media_type, &bytes),
            source: Source::Content(bytes.into()),
            watch: None,
            anyway: false,
        }
    }

    /// `content`, whose digest is known already. Stores check it while the bytes flow.
    pub fn from_content(descriptor: Descriptor, content: Content) -> Self {
        Self { descriptor, source: Source::Content(content), watch: None, anyway: false }
    }

    /// What `store` holds under `descriptor`, fetched when it is needed.
    pub fn from_store(descriptor: Descriptor, store: Arc<dyn Store>) -> Self {
        Self { descriptor, source: Source::Store(store), watch: None, anyway: false }
    }

    /// The same blob, telling `cx` under the transfer's `id` how far its bytes have come, and stopping when `cx` says so.
    #[must_use]
    pub fn watched(mut self, cx: &Context, id: u64) -> Self {
        self.watch = Some((cx.clone(), id));
        self
    }

    /// The same blob, to be sent even if the store says that it has it: some say so of what they lost.
    #[must_use]
    pub fn even_if_present(mut self) -> Self {
        self.anyway = true;
        self
    }

    /// Whether it is to be sent even if the store says that it has it.
    pub fn is_wanted_anyway(&self) -> bool {
        self.anyway
    }

    /// What it is.
    pub fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    /// The content, where it is at hand and not in another store.
    pub fn content(&self) -> Option<&Content> {
        match &self.source {
            Source::Content(content) => Some(content),
            Source::Store(_) => None,
        }
    }

    /// The store it comes from, where it comes from one.
    pub fn origin(&self) -> Option<&Arc<dyn Store>> {
        match &self.source {
            Source::Content(_) => None,
            Source::Store(store) => Some(store),
        }
    }

    /// The bytes from the beginning, as often as asked, checked against the descriptor.
    ///
    /// # Errors
    ///
    /// Those of [`Store::fetch`] where they come from a store. The stream itself ends with
    /// [`DigestMismatch`](crate::ErrorKind::DigestMismatch), or with what a file has to say.
    pub async fn open(&self) -> Result<ByteStream> {
        let bytes = match &self.source {
            Source::Content(content) => verified(content_stream(content), &self.descriptor),
            // Uploads are read by the connection's own task, which works in nobody's name.
            Source::Store(store) => match &self.watch {
                Some((cx, _)) => cx.scope(store.fetch(&self.descriptor)).await?,
                None => store.fetch(&self.descriptor).await?,
            },
        };
        Ok(self.counted(bytes))
    }

    /// Like [`open`](Self::open), unchecked where the content is at hand: for a destination that checks the digest itself, so that
    /// it is not computed twice.
    ///
    /// # Errors
    ///
    /// Those of [`open`](Self::open).
    pub async fn open_unchecked(&self) -> Result<ByteStream> {
        match &self.source {
            Source::Content(content) => Ok(self.counted(content_chunks(content))),
            Source::Store(_) => self.open().await,
        }
    }

    fn counted(&self, bytes: ByteStream) -> ByteStream {
        match &self.watch {
            Some((cx, id)) => counted(bytes, cx, *id),
            None => bytes,
        }
    }
}

impl fmt::Debug for Blob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Blob({}, {} bytes)", self.descriptor.digest, self.descriptor.size)
    }
}
