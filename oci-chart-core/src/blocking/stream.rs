use std::{fmt, pin::Pin, sync::Arc};

use bytes::Bytes;
use futures_util::StreamExt as _;
use tokio::sync::mpsc;

use super::{Client, Host, Runtime};
#[cfg(feature = "registry")]
use crate::name::{Host as RegistryHost, RepositoryName};
use crate::{
    error::Result,
    name::{Location, Tag},
    oci::{Descriptor, MediaType},
    store::{BoxStream, ByteStream, Store, next},
};

/// How many entries are given out at a time where a list has no pages.
const MOST_AT_ONCE: usize = 1000;

/// Lists and content that are taken piece by piece.
impl Client {
    /// All tags, in the store's order, page by page: a page is asked for when it is wanted and not before.
    pub fn list_tags(&self, at: &Location) -> Result<Items<Tag>> {
        let store = self.traced(at)?;
        Ok(Items::new(Arc::clone(&self.runtime), |hands| async move { hands.serve(store.tags()).await }))
    }

    /// All repositories of a registry that the credentials may see, page by page: see [`Registries::catalog`](crate::store::Registries::catalog).
    #[cfg(feature = "registry")]
    pub fn list_repositories(&self, registry: &RegistryHost) -> Result<Items<RepositoryName>> {
        let names = self.client.registries().catalog(registry)?;
        Ok(Items::new(Arc::clone(&self.runtime), |hands| hands.serve(names)))
    }

    /// All manifests whose subject is `subject`, or those of one artifact type, page by page.
    pub fn list_referrers(
        &self,
        at: &Location,
        subject: &Descriptor,
        artifact_type: Option<&MediaType>,
    ) -> Result<Items<Descriptor>> {
        let (store, subject, wanted) = (self.traced(at)?, subject.clone(), artifact_type.cloned());
        Ok(Items::new(Arc::clone(&self.runtime), |hands| async move {
            match &wanted {
                Some(wanted) => hands.serve(store.referrers_of_type(&subject, wanted)).await,
                None => hands.serve(store.referrers(&subject)).await,
            }
        }))
    }

    /// Content, to be read in pieces and checked at its end. Nothing is asked of the store before the first piece is.
    pub fn open_blob(&self, from: &Location, descriptor: &Descriptor) -> Result<BlobReader> {
        Ok(BlobReader {
            runtime: Arc::clone(&self.runtime),
            state: Reading::Closed(self.traced(from)?, descriptor.clone()),
        })
    }
}

/// A list that is taken page by page. Between the pages nothing is done: no request waits, no thread runs.
pub struct Items<T> {
    runtime: Arc<Runtime>,
    pump: Option<Pump<T>>,
}

struct Pump<T> {
    wants: mpsc::Sender<()>,
    given: mpsc::Receiver<Result<Vec<T>>>,
    work: Pin<Box<dyn Future<Output = ()> + Send>>,
}

/// The giving side of a list, which lives beside the store that it borrows from.
struct Hands<T> {
    wanted: mpsc::Receiver<()>,
    gives: mpsc::Sender<Result<Vec<T>>>,
}

impl<T: Send + 'static> Items<T> {
    fn new<F>(runtime: Arc<Runtime>, work: impl FnOnce(Hands<T>) -> F) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let ((wants, wanted), (gives, given)) = (mpsc::channel(1), mpsc::channel(1));
        let work = Box::pin(work(Hands { wanted, gives }));
        Self { runtime, pump: Some(Pump { wants, given, work }) }
    }

    /// The next entries, never none; nothing at the end, and after an error.
    ///
    /// # Errors
    ///
    /// What the store says, and those of [`Runtime::wait`].
    pub fn next_page(&mut self, host: &mut dyn Host) -> Result<Option<Vec<T>>> {
        let Some(mut pump) = self.pump.take() else { return Ok(None) };
        let (page, pump) = self.runtime.wait(host, |cx| async move {
            // Polled within this call alone, so that it is this call's caller who is asked for credentials, told of waits and can stop it.
            let page = cx.run(async { Ok(pump.next().await) }).await?;
            Ok((page, pump))
        })?;
        let page = page.transpose()?;
        self.pump = page.is_some().then_some(pump);
        Ok(page)
    }
}

impl<T> Pump<T> {
    async fn next(&mut self) -> Option<Result<Vec<T>>> {
        // Full means that it was asked already; closed, that it is done.
        let _ = self.wants.try_send(());
        tokio::select! {
            biased;
            page = self.given.recv() => page,
            () = &mut self.work => self.given.try_recv().ok(),
        }
    }
}

impl<T> Hands<T> {
    async fn serve(mut self, items: BoxStream<'_, T>) {
        let mut pages = items.ready_chunks(MOST_AT_ONCE);
        while self.wanted.recv().await.is_some() {
            let Some(page) = pages.next().await else { return };
            let mut good = Vec::with_capacity(page.len());
            for item in page {
                match item {
                    Ok(item) => good.push(item),
                    Err(error) => {
                        // What came before is given out before it.
                        if !good.is_empty() {
                            let _ = self.gives.send(Ok(good)).await;
                            if self.wanted.recv().await.is_none() {
                                return;
                            }
                        }
                        let _ = self.gives.send(Err(error)).await;
                        return;
                    }
                }
            }
            let _ = self.gives.send(Ok(good)).await;
        }
    }
}

impl<T> fmt::Debug for Items<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Items").field("done", &self.pump.is_none()).finish_non_exhaustive()
    }
}

/// Content that is read in pieces. Whoever reads to the end has the right bytes: the last piece is followed by
/// [`DigestMismatch`](crate::ErrorKind::DigestMismatch) where they are not.
pub struct BlobReader {
    runtime: Arc<Runtime>,
    state: Reading,
}

enum Reading {
    Closed(Arc<dyn Store>, Descriptor),
    Open(ByteStream),
    Done,
}

impl BlobReader {
    /// The next piece, of any size but none; nothing at the end, and after an error.
    ///
    /// # Errors
    ///
    /// Those of [`Store::fetch`] and its stream, and those of [`Runtime::wait`].
    pub fn next_piece(&mut self, host: &mut dyn Host) -> Result<Option<Bytes>> {
        let state = std::mem::replace(&mut self.state, Reading::Done);
        let (piece, stream) = self.runtime.wait(host, |cx| async move {
            let work = async {
                let mut stream = match state {
                    Reading::Closed(store, descriptor) => store.fetch(&descriptor).await?,
                    Reading::Open(stream) => stream,
                    Reading::Done => return Ok((None, None)),
                };
                loop {
                    match next(&mut stream).await? {
                        Some(piece) if piece.is_empty() => {}
                        Some(piece) => return Ok((Some(piece), Some(stream))),
                        None => return Ok((None, None)),
                    }
                }
            };
            cx.run(work).await
        })?;
        self.state = stream.map_or(Reading::Done, Reading::Open);
        Ok(piece)
    }
}

impl fmt::Debug for BlobReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BlobReader")
    }
}
