//! One repository or layout: lists that are taken page by page, and content by digest.

use std::{
    collections::VecDeque,
    io::Read as _,
    sync::{Mutex, MutexGuard},
};

use bytes::Bytes;
use oci_chart_core::{
    Content, Digest, Error, ErrorKind, Result,
    auth::login_host,
    blocking::{self, Items},
    digest::Hasher,
    name::{RepositoryName, Tag, Target},
    oci,
    store::Blob,
};
use pyo3::{buffer::PyBuffer, prelude::*, types::PyBytes};

use crate::{
    call::{Call, computed, waited},
    client::{ClientCore, Opened, tag_mode, target},
    convert::Source,
    values::{CancelToken, Descriptor, Place},
};

/// How much is hashed at a time.
const BLOCK: usize = 256 << 10;

/// A list or content that calls come back to: the client, and what every call takes.
struct Again {
    client: Opened,
    cancel: Option<CancelToken>,
    timeout: Option<crate::convert::Seconds>,
}

impl Again {
    fn new(py: Python<'_>, client: &ClientCore, call: Call) -> PyResult<Self> {
        let (cancel, timeout) = call.without_progress();
        Ok(Self { client: client.open(py)?, cancel, timeout })
    }

    fn waited<T: Send>(
        &self,
        py: Python<'_>,
        work: impl FnOnce(&mut dyn blocking::Host) -> Result<T> + Send,
    ) -> PyResult<T> {
        let call = Call::again(self.cancel.clone(), self.timeout);
        waited(py, self.client.host(py, call), work)
    }
}

/// What several threads, or a callback of the same one, must not read at a time.
fn alone<T>(inner: &Mutex<T>) -> Result<MutexGuard<'_, T>> {
    inner.try_lock().map_err(|_| {
        Error::new(ErrorKind::InvalidInput, "this is being read already")
            .with_hint("let one thread read it, or open it once for each")
    })
}

struct Pages<T> {
    again: Again,
    inner: Mutex<(Items<T>, VecDeque<T>)>,
}

impl<T: Send + 'static> Pages<T> {
    fn new(again: Again, items: Items<T>) -> Self {
        Self { again, inner: Mutex::new((items, VecDeque::new())) }
    }

    fn next(&self, py: Python<'_>) -> PyResult<Option<T>> {
        // Within a page nothing waits, so there is nobody to be asked.
        if let Ok(mut inner) = self.inner.try_lock()
            && let Some(item) = inner.1.pop_front()
        {
            return Ok(Some(item));
        }
        self.again.waited(py, |host| {
            let (items, ready) = &mut *alone(&self.inner)?;
            if ready.is_empty()
                && let Some(page) = items.next_page(host)?
            {
                ready.extend(page);
            }
            Ok(ready.pop_front())
        })
    }
}

/// Tags, page by page.
#[pyclass(frozen, module = "oci_chart._native")]
pub(crate) struct TagIterator(Pages<Tag>);

#[pymethods]
impl TagIterator {
    fn __iter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Option<String>> {
        Ok(self.0.next(py)?.map(|tag| tag.to_string()))
    }
}

/// Names of repositories, page by page.
#[pyclass(frozen, module = "oci_chart._native")]
pub(crate) struct RepositoryIterator(Pages<RepositoryName>);

#[pymethods]
impl RepositoryIterator {
    fn __iter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Option<String>> {
        Ok(self.0.next(py)?.map(|name| name.to_string()))
    }
}

/// Descriptors, page by page.
#[pyclass(frozen, module = "oci_chart._native")]
pub(crate) struct ReferrerIterator(Pages<oci::Descriptor>);

#[pymethods]
impl ReferrerIterator {
    fn __iter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Option<Descriptor>> {
        Ok(self.0.next(py)?.as_ref().map(Into::into))
    }
}

#[pyfunction]
pub(crate) fn tags(py: Python<'_>, client: &ClientCore, place: Place, call: Call) -> PyResult<TagIterator> {
    let again = Again::new(py, client, call)?;
    let list = || again.client.blocking.list_tags(Target::parse(&place)?.location());
    let items = list().map_err(|error: Error| crate::errors::raise(py, &error))?;
    Ok(TagIterator(Pages::new(again, items)))
}

#[pyfunction]
pub(crate) fn repositories(
    py: Python<'_>,
    client: &ClientCore,
    registry: &str,
    call: Call,
) -> PyResult<RepositoryIterator> {
    let again = Again::new(py, client, call)?;
    let list = || again.client.blocking.list_repositories(&login_host(registry)?);
    let items = list().map_err(|error: Error| crate::errors::raise(py, &error))?;
    Ok(RepositoryIterator(Pages::new(again, items)))
}

#[pyfunction]
pub(crate) fn referrers(
    py: Python<'_>,
    client: &ClientCore,
    reference: Place,
    version: Option<&str>,
    artifact_type: Option<&str>,
    call: Call,
) -> PyResult<ReferrerIterator> {
    let again = Again::new(py, client, call)?;
    let items = again.waited(py, |host| {
        let (location, selector) = target(&reference, version)?;
        let client = &again.client.blocking;
        let subject = client.resolve(&location, &selector, host)?;
        client.list_referrers(&location, &subject, artifact_type.map(Into::into).as_ref())
    })?;
    Ok(ReferrerIterator(Pages::new(again, items)))
}

/// A manifest, whole and checked: its descriptor and its bytes.
#[pyfunction]
#[pyo3(signature = (client, reference, version, call) -> "tuple[Descriptor, bytes]")]
pub(crate) fn manifest<'py>(
    py: Python<'py>,
    client: &ClientCore,
    reference: Place,
    version: Option<&str>,
    call: Call,
) -> PyResult<(Descriptor, Bound<'py, PyBytes>)> {
    let client = client.open(py)?;
    let (descriptor, bytes) = waited(py, client.host(py, call), |host| {
        let (location, selector) = target(&reference, version)?;
        client.blocking.fetch_manifest(&location, &selector, host)
    })?;
    Ok(((&descriptor).into(), PyBytes::new(py, &bytes)))
}

/// Whether the content is there.
#[pyfunction]
pub(crate) fn has(
    py: Python<'_>,
    client: &ClientCore,
    place: Place,
    descriptor: Descriptor,
    call: Call,
) -> PyResult<bool> {
    let client = client.open(py)?;
    waited(py, client.host(py, call), |host| {
        client.blocking.exists(Target::parse(&place)?.location(), &descriptor.core()?, host)
    })
}

/// Content in a file, which appears whole and checked or not at all.
#[pyfunction]
pub(crate) fn fetch_to(
    py: Python<'_>,
    client: &ClientCore,
    place: Place,
    descriptor: Descriptor,
    path: std::path::PathBuf,
    call: Call,
) -> PyResult<()> {
    let client = client.open(py)?;
    waited(py, client.host(py, call), |host| {
        client.blocking.fetch_to(Target::parse(&place)?.location(), &descriptor.core()?, path, host)
    })
}

/// Stores content, and where it is a manifest lets tags point at it.
#[pyfunction]
#[allow(clippy::too_many_arguments, reason = "what the verb takes")]
pub(crate) fn store_content(
    py: Python<'_>,
    client: &ClientCore,
    place: Place,
    content: Source,
    media_type: &str,
    tags: Vec<String>,
    mode: &str,
    call: Call,
) -> PyResult<Descriptor> {
    let again = client.open(py)?;
    let host = again.host(py, call);
    let (digest, content) = computed(py, None, move |token| {
        let digest = digest_of(&content.0, &token)?;
        Ok((digest, content.0))
    })?;
    waited(py, host, |host| {
        let descriptor = oci::Descriptor::new(media_type.into(), digest, content.len());
        let mode = tag_mode(mode)?;
        let tags = tags.iter().map(|tag| Ok((tag.parse()?, mode))).collect::<Result<Vec<_>>>()?;
        let blob = Blob::from_content(descriptor.clone(), content);
        again.blocking.store_blob(Target::parse(&place)?.location(), &blob, &tags, host)?;
        Ok((&descriptor).into())
    })
}

fn digest_of(content: &Content, token: &oci_chart_core::CancelToken) -> Result<Digest> {
    let (mut hasher, mut reader, mut block) = (Hasher::default(), content.open()?, vec![0; BLOCK]);
    loop {
        token.check()?;
        match reader.read(&mut block)? {
            0 => return Ok(hasher.finish()),
            read => hasher.update(block.get(..read).unwrap_or_default()),
        }
    }
}

/// Content that is read in pieces, as files are. Whoever reads to the end has the right bytes: the end is
/// `DigestMismatchError` where they are not.
#[pyclass(frozen, module = "oci_chart")]
pub(crate) struct BlobReader {
    again: Again,
    inner: Mutex<Option<Reading>>,
    descriptor: Descriptor,
}

struct Reading {
    pieces: blocking::BlobReader,
    /// What was fetched and not read yet.
    rest: Bytes,
}

#[pyfunction]
pub(crate) fn open_blob(
    py: Python<'_>,
    client: &ClientCore,
    place: Place,
    descriptor: Descriptor,
    call: Call,
) -> PyResult<BlobReader> {
    let again = Again::new(py, client, call)?;
    let open = || again.client.blocking.open_blob(Target::parse(&place)?.location(), &descriptor.core()?);
    let pieces = open().map_err(|error: Error| crate::errors::raise(py, &error))?;
    let inner = Mutex::new(Some(Reading { pieces, rest: Bytes::new() }));
    Ok(BlobReader { again, inner, descriptor })
}

#[pymethods]
impl BlobReader {
    /// What is read.
    #[getter]
    fn descriptor(&self) -> Descriptor {
        self.descriptor.clone()
    }

    /// So many bytes, or fewer at the end; all that is left without a number.
    #[pyo3(signature = (size = -1, /))]
    fn read<'py>(&self, py: Python<'py>, size: Option<i64>) -> PyResult<Bound<'py, PyBytes>> {
        let most = size.and_then(|size| usize::try_from(size).ok()).unwrap_or(usize::MAX);
        let pieces = self.take(py, most, true)?;
        match pieces.as_slice() {
            [one] => Ok(PyBytes::new(py, one)),
            many => Ok(PyBytes::new(py, &many.concat())),
        }
    }

    /// Fills the buffer as far as one piece goes; how many bytes that were, and 0 at the end.
    #[pyo3(signature = (buffer: "typing_extensions.Buffer", /))]
    fn readinto(&self, py: Python<'_>, buffer: &Bound<'_, PyAny>) -> PyResult<usize> {
        let view =
            py.import("builtins")?.getattr("memoryview")?.call1((buffer,))?.call_method1("cast", ("B",))?;
        let most = view.len()?;
        let pieces = self.take(py, most, false)?;
        let Some(piece) = pieces.first() else { return Ok(0) };
        let start = view.get_item(pyo3::types::PySlice::new(py, 0, isize::try_from(piece.len())?, 1))?;
        PyBuffer::<u8>::get(&start)?.copy_from_slice(py, piece)?;
        Ok(piece.len())
    }

    fn readable(&self) -> bool {
        true
    }

    fn writable(&self) -> bool {
        false
    }

    fn seekable(&self) -> bool {
        false
    }

    /// Ends the download, if it is not over.
    fn close(&self, py: Python<'_>) -> PyResult<()> {
        let reading = alone(&self.inner).map_err(|error| crate::errors::raise(py, &error))?.take();
        py.detach(|| drop(reading));
        Ok(())
    }

    #[getter]
    fn closed(&self) -> bool {
        self.inner.try_lock().is_ok_and(|inner| inner.is_none())
    }

    fn __iter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    /// The next piece, of any size.
    fn __next__<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyBytes>>> {
        Ok(self.take(py, usize::MAX, false)?.first().map(|piece| PyBytes::new(py, piece)))
    }

    fn __enter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    #[pyo3(signature = (*_ignored: "object"))]
    fn __exit__(&self, py: Python<'_>, _ignored: &Bound<'_, pyo3::types::PyTuple>) -> PyResult<()> {
        self.close(py)
    }

    fn __repr__(&self) -> String {
        format!("<BlobReader {}>", self.descriptor.digest)
    }
}

impl BlobReader {
    /// Pieces of at most `most` bytes together: all up to there, or one.
    fn take(&self, py: Python<'_>, most: usize, all: bool) -> PyResult<Vec<Bytes>> {
        self.again.waited(py, |host| {
            let mut inner = alone(&self.inner)?;
            let reading = inner.as_mut().ok_or_else(|| {
                Error::new(ErrorKind::InvalidInput, "the reader is closed")
                    .with_hint("open the content again")
            })?;
            let (mut pieces, mut left) = (Vec::new(), most);
            while left > 0 {
                if reading.rest.is_empty() {
                    let Some(piece) = reading.pieces.next_piece(host)? else { break };
                    reading.rest = piece;
                }
                let piece = reading.rest.split_to(reading.rest.len().min(left));
                left -= piece.len();
                pieces.push(piece);
                if !all {
                    break;
                }
            }
            Ok(pieces)
        })
    }
}
