//! Pointers in and out. Nothing else in this crate follows a raw pointer of the caller's.

use std::{
    ffi::{CStr, CString, c_char},
    path::{Path, PathBuf},
    ptr,
    sync::OnceLock,
};

use oci_chart_core::{Error, ErrorKind, Result};

use crate::guard::guard_plain;

/// What a caller holds by pointer and many threads may use at once.
pub(crate) trait Shared: Send + Sync + 'static {}

/// What a caller holds by pointer and one thread uses at a time.
pub(crate) trait Exclusive: Send + 'static {}

/// The object behind `pointer`.
pub(crate) unsafe fn shared<'a, T: Shared>(pointer: *const T, name: &'static str) -> Result<&'a T> {
    // SAFETY: the caller's pointer is NULL or valid for the call.
    unsafe { pointer.as_ref() }.ok_or_else(|| null(name))
}

/// The object behind `pointer`, for one that only one thread uses at a time.
pub(crate) unsafe fn exclusive<'a, T: Exclusive>(pointer: *mut T, name: &'static str) -> Result<&'a mut T> {
    // SAFETY: the caller's pointer is NULL or valid, and nobody else uses the object during the call.
    unsafe { pointer.as_mut() }.ok_or_else(|| null(name))
}

/// The text behind `pointer`.
pub(crate) unsafe fn text<'a>(pointer: *const c_char, name: &'static str) -> Result<&'a str> {
    // SAFETY: as for `text_or_none`.
    unsafe { text_or_none(pointer, name) }?.ok_or_else(|| null(name))
}

/// The text behind `pointer`, where there is one.
pub(crate) unsafe fn text_or_none<'a>(pointer: *const c_char, name: &'static str) -> Result<Option<&'a str>> {
    if pointer.is_null() {
        return Ok(None);
    }
    // SAFETY: not NULL, so a text that ends with NUL and lives for the call.
    unsafe { CStr::from_ptr(pointer) }.to_str().map(Some).map_err(|error| {
        Error::new(ErrorKind::InvalidInput, format!("`{name}` is not UTF-8"))
            .with_context("argument", name)
            .with_context("valid bytes", error.valid_up_to())
            .with_hint("texts and paths are UTF-8 here")
    })
}

/// The bytes behind `pointer`; NULL is fine where there are none.
pub(crate) unsafe fn bytes<'a>(pointer: *const u8, len: usize, name: &'static str) -> Result<&'a [u8]> {
    match (pointer.is_null(), len) {
        (_, 0) => Ok(&[]),
        (true, _) => Err(null(name)),
        // SAFETY: not NULL, so `len` bytes that nobody changes during the call.
        (false, len) if isize::try_from(len).is_ok() => {
            Ok(unsafe { std::slice::from_raw_parts(pointer, len) })
        }
        _ => Err(too_long(name, len)),
    }
}

/// The place behind `pointer` for `len` bytes; NULL is fine where there are none.
pub(crate) unsafe fn buffer<'a>(pointer: *mut u8, len: usize, name: &'static str) -> Result<&'a mut [u8]> {
    match (pointer.is_null(), len) {
        (_, 0) => Ok(&mut []),
        (true, _) => Err(null(name)),
        // SAFETY: not NULL, so a place for `len` bytes that nobody else uses during the call.
        (false, len) if isize::try_from(len).is_ok() => {
            Ok(unsafe { std::slice::from_raw_parts_mut(pointer, len) })
        }
        _ => Err(too_long(name, len)),
    }
}

/// Where a result goes. Looked at before the work, written after it.
pub(crate) struct Out<T>(*mut T);

impl<T> Out<T> {
    pub(crate) fn new(pointer: *mut T, name: &'static str) -> Result<Self> {
        if pointer.is_null() { Err(null(name)) } else { Ok(Self(pointer)) }
    }

    /// For a result that the caller may not want.
    pub(crate) fn optional(pointer: *mut T) -> Self {
        Self(pointer)
    }

    pub(crate) fn put(self, value: T) {
        if !self.0.is_null() {
            // SAFETY: not NULL, so a place for a `T`; what was there is not dropped, for nobody says that there was anything.
            unsafe { self.0.write(value) };
        }
    }
}

impl<T> Out<*mut T> {
    /// Hands an object over to the caller.
    pub(crate) fn give(self, value: T) {
        if !self.0.is_null() {
            self.put(Box::into_raw(Box::new(value)));
        }
    }
}

impl Out<*mut c_char> {
    /// Hands a text over to the caller.
    pub(crate) fn give_text(self, text: impl Into<String>) {
        if !self.0.is_null() {
            self.put(c_text(text).into_raw());
        }
    }

    /// Hands a path over to the caller, which has to be UTF-8 then.
    pub(crate) fn give_path(self, path: PathBuf) -> Result<()> {
        let path = path.into_os_string().into_string().map_err(|path| {
            Error::new(ErrorKind::Unsupported, "the path is not UTF-8")
                .with_context("path", Path::new(&path).display())
        })?;
        self.give_text(path);
        Ok(())
    }
}

/// A text that an object has for its callers, made when it is asked for and kept as long as the object.
#[derive(Default)]
pub(crate) struct Kept(OnceLock<CString>);

impl Kept {
    pub(crate) fn text(&self, make: impl FnOnce() -> String) -> *const c_char {
        self.text_or_null(|| Some(make()))
    }

    /// NULL where there is none.
    pub(crate) fn text_or_null(&self, make: impl FnOnce() -> Option<String>) -> *const c_char {
        if let Some(known) = self.0.get() {
            return known.as_ptr();
        }
        make().map_or(ptr::null(), |text| self.0.get_or_init(|| c_text(text)).as_ptr())
    }
}

/// The body of the function called `name`, which gives a text that belongs to `object`; NULL for NULL.
pub(crate) unsafe fn text_of<T: Shared>(
    name: &'static str,
    object: *const T,
    text: impl FnOnce(&T) -> *const c_char,
) -> *const c_char {
    // SAFETY: NULL or valid for the call.
    guard_plain(name, ptr::null(), || unsafe { object.as_ref() }.map_or(ptr::null(), text))
}

/// A text as C has it.
pub(crate) fn c_text(text: impl Into<String>) -> CString {
    CString::new(text.into()).unwrap_or_else(|error| {
        let text = String::from_utf8_lossy(&error.into_vec()).replace('\0', "\u{FFFD}");
        CString::new(text).unwrap_or_default()
    })
}

/// Takes an object back from the caller and drops it.
pub(crate) unsafe fn take<T>(pointer: *mut T) {
    if !pointer.is_null() {
        // SAFETY: the caller got it from `give` and does not use it again.
        drop(unsafe { Box::from_raw(pointer) });
    }
}

pub(crate) fn null(name: &'static str) -> Error {
    Error::new(ErrorKind::InvalidInput, format!("`{name}` is NULL")).with_context("argument", name)
}

pub(crate) fn invalid(name: &'static str, message: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidInput, message.into()).with_context("argument", name)
}

fn too_long(name: &'static str, len: usize) -> Error {
    invalid(name, format!("no object has {len} bytes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nul_inside_a_text_is_replaced() {
        assert_eq!(c_text("a\0b").to_str().unwrap(), "a\u{FFFD}b");
        assert_eq!(c_text("").to_bytes_with_nul(), b"\0");
    }
}
