//! Structs that grow at their end.

use oci_chart_core::{Error, ErrorKind, Reason, Result};

use crate::ffi::invalid;

/// A struct that begins with its size as the caller knows it, and whose default is all zero behind that.
///
/// # Safety
///
/// `repr(C)`, the size first, and every pattern of bits a value: numbers, pointers, optional function pointers.
pub(crate) unsafe trait Growing: Copy + Default {}

/// Longer than any struct will become: what says more is not filled in.
const LONGEST: usize = 4096;

/// The options behind `pointer`, or their defaults where it is NULL. Fields that the caller does not know are zero; fields that this
/// library does not know must be.
pub(crate) unsafe fn growing<T: Growing>(pointer: *const T, name: &'static str) -> Result<T> {
    let mut known = T::default();
    if pointer.is_null() {
        return Ok(known);
    }
    // SAFETY: not NULL, so a struct that begins with its size.
    let size = unsafe { pointer.cast::<usize>().read() };
    if !(size_of::<usize>()..=LONGEST).contains(&size) {
        return Err(invalid(name, format!("`{name}` says that it has {size} bytes"))
            .with_hint("make it with its _INIT macro, which sets struct_size"));
    }
    let copied = size.min(size_of::<T>());
    // SAFETY: the caller's struct has `size` bytes, ours `size_of::<T>()`, and any bits are a `T`.
    unsafe { std::ptr::copy_nonoverlapping(pointer.cast::<u8>(), (&raw mut known).cast::<u8>(), copied) };
    // SAFETY: the same `size` bytes.
    let rest = unsafe { std::slice::from_raw_parts(pointer.cast::<u8>().add(copied), size - copied) };
    if rest.iter().any(|byte| *byte != 0) {
        return Err(Error::new(ErrorKind::Unsupported, format!("`{name}` has options of a newer version"))
            .with_reason(Reason::FeatureMissing)
            .with_context("argument", name)
            .with_context("known bytes", size_of::<T>())
            .with_hint("link with the library that the header belongs to"));
    }
    Ok(known)
}

/// Refuses flags that have no meaning.
pub(crate) fn check_flags(flags: u32, known: u32, name: &'static str) -> Result<()> {
    match flags & !known {
        0 => Ok(()),
        unknown => Err(invalid(name, format!("flags of no meaning: {unknown:#x}"))),
    }
}
