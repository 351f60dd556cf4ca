use std::{
    ffi::{c_char, c_void},
    io::Read,
    time::Instant,
};

use bytes::{Buf as _, Bytes};
use oci_chart_core::{
    Content, Error, ErrorKind, Package, Result,
    blocking::BlobReader,
    content::ContentReader,
    name::Tag,
    oci::{Descriptor, MediaType},
    store::Blob,
};

use crate::{
    call::{Caller, oci_chart_call},
    chart::{load_options, oci_chart_load_options},
    client::oci_chart_client,
    error::oci_chart_error,
    ffi::{self, Exclusive, Out, bytes, exclusive, null, shared, take, text, text_or_none},
    guard::{guard, guard_plain},
    json,
    package::oci_chart_package,
    push::tag_mode,
    repository::at,
    status::oci_chart_status,
    work::too_late,
};

/// Fills `buffer` with at most `buffer_len` bytes and sets `*read` to their number, 0 at the end. Return 0; anything else stops the call.
pub type oci_chart_read_callback = Option<
    unsafe extern "C" fn(user_data: *mut c_void, buffer: *mut u8, buffer_len: usize, read: *mut usize) -> i32,
>;

/// Content that is read in pieces, and whose digest is checked at its end: whoever reads until 0 bytes come has the right ones. One thread
/// at a time. Freed with oci_chart_reader_free(), at any time.
pub struct oci_chart_reader(Source);

enum Source {
    Remote { reader: BlobReader, piece: Bytes, failed: Option<ErrorKind> },
    Local(ContentReader),
}

impl Exclusive for oci_chart_reader {}

impl oci_chart_reader {
    pub(crate) fn local(content: &Content) -> Result<Self> {
        Ok(Self(Source::Local(content.open()?)))
    }
}

/// Content of the repository `target`, to be read in pieces; asks for nothing yet. `descriptor` is JSON as this library gives it:
/// `{"mediaType", "digest", "size"}`. Free the reader with oci_chart_reader_free().
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oci_chart_client_open_blob(
    client: *const oci_chart_client,
    target: *const c_char,
    descriptor: *const c_char,
    out: *mut *mut oci_chart_reader,
    err: *mut *mut oci_chart_error,
) -> oci_chart_status {
    guard("oci_chart_client_open_blob", err, || {
        let out = Out::new(out, "out")?;
        // SAFETY: the header's conventions.
        let (client, location, _) = unsafe { at(client, target, std::ptr::null()) }?;
        // SAFETY: the same.
        let descriptor = Descriptor::from_json(unsafe { text(descriptor, "descriptor") }?)?;
        let reader = client.0.open_blob(&location, &descriptor)?;
        out.give(oci_chart_reader(Source::Remote { reader, piece: Bytes::new(), failed: None }));
        Ok(())
    })
}

/// Whether the repository `target` has this content: sets `out` to 1 or 0. `descriptor` is JSON, `{"mediaType", "digest", "size"}`; its media
/// type tells manifests from other content. That it cannot be said is a failure. `call` may be NULL.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oci_chart_client_has_blob(
    client: *const oci_chart_client,
    target: *const c_char,
    descriptor: *const c_char,
    call: *const oci_chart_call,
    out: *mut i32,
    err: *mut *mut oci_chart_error,
) -> oci_chart_status {
    guard("oci_chart_client_has_blob", err, || {
        let out = Out::new(out, "out")?;
        // SAFETY: the header's conventions.
        let (client, location, mut caller) = unsafe { at(client, target, call) }?;
        // SAFETY: the same.
        let descriptor = Descriptor::from_json(unsafe { text(descriptor, "descriptor") }?)?;
        out.put(client.0.exists(&location, &descriptor, &mut caller)?.into());
        Ok(())
    })
}

/// The package's bytes, to be read in pieces. Free the reader with oci_chart_reader_free().
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oci_chart_package_open(
    package: *const oci_chart_package,
    out: *mut *mut oci_chart_reader,
    err: *mut *mut oci_chart_error,
) -> oci_chart_status {
    guard("oci_chart_package_open", err, || {
        let out = Out::new(out, "out")?;
        // SAFETY: the header's conventions.
        out.give(oci_chart_reader::local(unsafe { shared(package, "package") }?.package.content())?);
        Ok(())
    })
}

/// Reads at most `buffer_len` bytes into `buffer` and sets `out` to their number: 0 at the end, and for a length of 0, where `buffer` may
/// be NULL. `call` may be NULL. Where content that comes over a network failed once, every further read fails with the same status: no failure
/// can be taken for the end.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oci_chart_reader_read(
    reader: *mut oci_chart_reader,
    buffer: *mut u8,
    buffer_len: usize,
    call: *const oci_chart_call,
    out: *mut usize,
    err: *mut *mut oci_chart_error,
) -> oci_chart_status {
    guard("oci_chart_reader_read", err, || {
        let out = Out::new(out, "out")?;
        // SAFETY: the header's conventions.
        let (reader, mut caller) = unsafe { (exclusive(reader, "reader")?, Caller::new(call)?) };
        // SAFETY: the same.
        let place = unsafe { ffi::buffer(buffer, buffer_len, "buffer") }?;
        out.put(reader.0.read(place, &mut caller)?);
        Ok(())
    })
}

/// Frees the reader; what was not read is not fetched. NULL is fine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oci_chart_reader_free(reader: *mut oci_chart_reader) {
    // SAFETY: the caller's last use.
    guard_plain("oci_chart_reader_free", (), || unsafe { take(reader) });
}

/// Content of the repository `target` as a file at `path`, which appears whole and checked or not at all. `descriptor` is JSON:
/// `{"mediaType", "digest", "size"}`. `call` may be NULL.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oci_chart_client_fetch_blob(
    client: *const oci_chart_client,
    target: *const c_char,
    descriptor: *const c_char,
    path: *const c_char,
    call: *const oci_chart_call,
    err: *mut *mut oci_chart_error,
) -> oci_chart_status {
    guard("oci_chart_client_fetch_blob", err, || {
        // SAFETY: the header's conventions.
        let (client, location, mut caller) = unsafe { at(client, target, call) }?;
        // SAFETY: the same.
        let (descriptor, path) = unsafe { (text(descriptor, "descriptor")?, text(path, "path")?) };
        client.0.fetch_to(&location, &Descriptor::from_json(descriptor)?, path, &mut caller)
    })
}

/// Puts bytes into the repository `target`, as content of this media type; a manifest also under `tag`, as `mode` (an oci_chart_tag_mode) and
/// `expected_digest` say it for oci_chart_client_tag(). `tag`, `expected_digest` and `call` may be NULL; without a tag the mode is nothing.
/// `out` may be NULL; else it receives the descriptor as JSON, to be freed with oci_chart_string_free().
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oci_chart_client_store_blob(
    client: *const oci_chart_client,
    target: *const c_char,
    media_type: *const c_char,
    data: *const u8,
    data_len: usize,
    tag: *const c_char,
    mode: i32,
    expected_digest: *const c_char,
    call: *const oci_chart_call,
    out: *mut *mut c_char,
    err: *mut *mut oci_chart_error,
) -> oci_chart_status {
    guard("oci_chart_client_store_blob", err, || {
        let out = Out::optional(out);
        // SAFETY: the header's conventions.
        let (client, location, mut caller) = unsafe { at(client, target, call) }?;
        // SAFETY: the same.
        let (media_type, data) = unsafe { (text(media_type, "media_type")?, bytes(data, data_len, "data")?) };
        // SAFETY: the same.
        let (tag, mode) = unsafe { (text_or_none(tag, "tag")?, tag_mode(mode, expected_digest)?) };
        let blob = Blob::from_bytes(MediaType::from(media_type), Bytes::copy_from_slice(data));
        let tags: Vec<_> = tag.map(|tag| Ok((Tag::parse(tag)?, mode))).into_iter().collect::<Result<_>>()?;
        client.0.store_blob(&location, &blob, &tags, &mut caller)?;
        out.give_text(json::descriptor(blob.descriptor()));
        Ok(())
    })
}

/// The package whose bytes `read` gives until it gives none; above 8 MiB they go through a nameless temporary file. `user_data` may be NULL:
/// it is given to `read` as it is. `options` and `call` may be NULL. Of the call its token and its time-out count, and are looked at
/// between two reads; `read` itself may stop the call. Free the package with oci_chart_package_free().
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oci_chart_package_load_stream(
    read: oci_chart_read_callback,
    user_data: *mut c_void,
    options: *const oci_chart_load_options,
    call: *const oci_chart_call,
    out: *mut *mut oci_chart_package,
    err: *mut *mut oci_chart_error,
) -> oci_chart_status {
    guard("oci_chart_package_load_stream", err, || {
        let out = Out::new(out, "out")?;
        let read = read.ok_or_else(|| null("read"))?;
        // SAFETY: the header's conventions.
        let (options, caller) = unsafe { (load_options(options)?, Caller::new(call)?) };
        let stream = Stream { read, user_data, deadline: caller.deadline() };
        out.give(Package::from_reader(stream, &options.with_cancel(caller.cancel()))?.into());
        Ok(())
    })
}

/// A caller's stream.
struct Stream {
    read: unsafe extern "C" fn(*mut c_void, *mut u8, usize, *mut usize) -> i32,
    user_data: *mut c_void,
    deadline: Option<Instant>,
}

impl Read for Stream {
    fn read(&mut self, place: &mut [u8]) -> std::io::Result<usize> {
        if self.deadline.is_some_and(|end| Instant::now() >= end) {
            return Err(too_late().into());
        }
        let mut count = 0;
        // SAFETY: the caller's own function, on the caller's thread, with its own data.
        let stopped = unsafe { (self.read)(self.user_data, place.as_mut_ptr(), place.len(), &raw mut count) };
        if stopped != 0 {
            return Err(Error::cancelled().with_context("callback", "read").into());
        }
        if count > place.len() {
            return Err(Error::new(
                ErrorKind::InvalidInput,
                "`read` says that it gave more than there is room for",
            )
            .into());
        }
        Ok(count)
    }
}

impl Source {
    fn read(&mut self, place: &mut [u8], caller: &mut Caller) -> Result<usize> {
        if place.is_empty() {
            return Ok(0);
        }
        match self {
            Self::Local(reader) => Ok(reader.read(place)?),
            Self::Remote { reader, piece, failed } => {
                if let Some(kind) = failed {
                    return Err(Error::new(*kind, "an earlier read of this content failed"));
                }
                if piece.is_empty() {
                    let next = reader.next_piece(caller).inspect_err(|error| *failed = Some(error.kind()))?;
                    *piece = next.unwrap_or_default();
                }
                let count = piece.len().min(place.len());
                piece.copy_to_slice(place.get_mut(..count).unwrap_or_default());
                Ok(count)
            }
        }
    }
}
