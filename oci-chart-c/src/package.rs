use std::{ffi::c_char, ptr};

use bytes::Bytes;
use oci_chart_core::Package;

use crate::{
    call::{Caller, oci_chart_call},
    chart::{load_options, oci_chart_chart, oci_chart_load_options},
    error::oci_chart_error,
    ffi::{Kept, Out, Shared, bytes, shared, take, text, text_of},
    guard::{guard, guard_plain},
    status::oci_chart_status,
    string::oci_chart_bytes,
};

/// A packaged chart: its bytes, wherever they lie, and their digest. Immutable: any number of threads may use it at once. Freed with
/// oci_chart_package_free().
pub struct oci_chart_package {
    pub(crate) package: Package,
    digest: Kept,
}

impl Shared for oci_chart_package {}

impl From<Package> for oci_chart_package {
    fn from(package: Package) -> Self {
        Self { package, digest: Kept::default() }
    }
}

/// The package in the file at `path`, and the provenance file beside it (`.prov`) where there is one. The file is read again when it is pushed.
/// `options` and `call` may be NULL. Free the package with oci_chart_package_free().
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oci_chart_package_load(
    path: *const c_char,
    options: *const oci_chart_load_options,
    call: *const oci_chart_call,
    out: *mut *mut oci_chart_package,
    err: *mut *mut oci_chart_error,
) -> oci_chart_status {
    guard("oci_chart_package_load", err, || {
        let out = Out::new(out, "out")?;
        // SAFETY: the header's conventions.
        let (path, options) = unsafe { (text(path, "path")?, load_options(options)?) };
        // SAFETY: the same.
        let mut caller = unsafe { Caller::new(call) }?;
        let package = caller.work(|cancel| Package::from_file(path, &options.with_cancel(cancel)))?;
        out.give(package.into());
        Ok(())
    })
}

/// The package whose bytes these are; they are copied. `options` and `call` may be NULL. Free the package with oci_chart_package_free().
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oci_chart_package_load_bytes(
    data: *const u8,
    data_len: usize,
    options: *const oci_chart_load_options,
    call: *const oci_chart_call,
    out: *mut *mut oci_chart_package,
    err: *mut *mut oci_chart_error,
) -> oci_chart_status {
    guard("oci_chart_package_load_bytes", err, || {
        let out = Out::new(out, "out")?;
        // SAFETY: the header's conventions.
        let (data, options) = unsafe { (bytes(data, data_len, "data")?, load_options(options)?) };
        // SAFETY: the same.
        let mut caller = unsafe { Caller::new(call) }?;
        let data = Bytes::copy_from_slice(data);
        let package = caller.work(|cancel| Package::from_bytes(data, &options.with_cancel(cancel)))?;
        out.give(package.into());
        Ok(())
    })
}

/// The digest of the package's bytes, `sha256:...`. Belongs to the package; NULL only for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oci_chart_package_get_digest(package: *const oci_chart_package) -> *const c_char {
    let make = |package: &oci_chart_package| package.package.digest().to_string();
    // SAFETY: NULL or valid for the call.
    unsafe {
        text_of("oci_chart_package_get_digest", package, |package| package.digest.text(|| make(package)))
    }
}

/// How many bytes the package has; 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oci_chart_package_get_size(package: *const oci_chart_package) -> u64 {
    guard_plain("oci_chart_package_get_size", 0, || {
        // SAFETY: NULL or valid for the call.
        unsafe { package.as_ref() }.map_or(0, |package| package.package.size())
    })
}

/// The package's name as Helm has it, `NAME-VERSION.tgz`. Free the text with oci_chart_string_free().
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oci_chart_package_get_file_name(
    package: *const oci_chart_package,
    out: *mut *mut c_char,
    err: *mut *mut oci_chart_error,
) -> oci_chart_status {
    guard("oci_chart_package_get_file_name", err, || {
        let out = Out::new(out, "out")?;
        // SAFETY: the header's conventions.
        out.give_text(unsafe { shared(package, "package") }?.package.file_name()?);
        Ok(())
    })
}

/// What the Chart.yaml in the package says, as JSON. Free the text with oci_chart_string_free().
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oci_chart_package_get_metadata(
    package: *const oci_chart_package,
    out: *mut *mut c_char,
    err: *mut *mut oci_chart_error,
) -> oci_chart_status {
    guard("oci_chart_package_get_metadata", err, || {
        let out = Out::new(out, "out")?;
        // SAFETY: the header's conventions.
        out.give_text(unsafe { shared(package, "package") }?.package.metadata()?.to_json());
        Ok(())
    })
}

/// The provenance file of the package. Free it with oci_chart_bytes_free(); it is set to NULL where there is none.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oci_chart_package_get_provenance(
    package: *const oci_chart_package,
    out: *mut *mut oci_chart_bytes,
    err: *mut *mut oci_chart_error,
) -> oci_chart_status {
    guard("oci_chart_package_get_provenance", err, || {
        let out = Out::new(out, "out")?;
        // SAFETY: the header's conventions.
        match unsafe { shared(package, "package") }?.package.provenance() {
            Some(provenance) => out.give(oci_chart_bytes(provenance.clone())),
            None => out.put(ptr::null_mut()),
        }
        Ok(())
    })
}

/// The same package with a provenance file, whose bytes are copied. Free it with oci_chart_package_free().
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oci_chart_package_with_provenance(
    package: *const oci_chart_package,
    data: *const u8,
    data_len: usize,
    out: *mut *mut oci_chart_package,
    err: *mut *mut oci_chart_error,
) -> oci_chart_status {
    guard("oci_chart_package_with_provenance", err, || {
        let out = Out::new(out, "out")?;
        // SAFETY: the header's conventions.
        let (package, data) = unsafe { (shared(package, "package")?, bytes(data, data_len, "data")?) };
        out.give(package.package.with_provenance(Bytes::copy_from_slice(data)).into());
        Ok(())
    })
}

/// The chart in the package, which is loaded each time. `call` may be NULL. Free the chart with oci_chart_chart_free().
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oci_chart_package_get_chart(
    package: *const oci_chart_package,
    call: *const oci_chart_call,
    out: *mut *mut oci_chart_chart,
    err: *mut *mut oci_chart_error,
) -> oci_chart_status {
    guard("oci_chart_package_get_chart", err, || {
        let out = Out::new(out, "out")?;
        // SAFETY: the header's conventions.
        let (package, mut caller) = unsafe { (&shared(package, "package")?.package, Caller::new(call)?) };
        out.give(caller.work(|cancel| package.with_cancel(cancel).chart())?.into());
        Ok(())
    })
}

/// Writes the package into `directory`, which is made if it is not there, under Helm's name for it, and its provenance file beside it.
/// Files appear whole or not at all and replace what was there; where the call is stopped, none does. `call` may be NULL. `out` may be NULL;
/// else it receives the path, to be freed with oci_chart_string_free().
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oci_chart_package_write(
    package: *const oci_chart_package,
    directory: *const c_char,
    call: *const oci_chart_call,
    out: *mut *mut c_char,
    err: *mut *mut oci_chart_error,
) -> oci_chart_status {
    guard("oci_chart_package_write", err, || {
        let out = Out::optional(out);
        // SAFETY: the header's conventions.
        let (package, directory) =
            unsafe { (&shared(package, "package")?.package, text(directory, "directory")?) };
        // SAFETY: the same.
        let mut caller = unsafe { Caller::new(call) }?;
        out.give_path(caller.work(|cancel| package.with_cancel(cancel).write_to_dir(directory))?)
    })
}

/// Unpacks the chart into a new directory of its own name below `directory`: whole, or not at all. `call` may be NULL. `out` may be
/// NULL; else it receives the path of the new directory, to be freed with oci_chart_string_free().
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oci_chart_package_unpack(
    package: *const oci_chart_package,
    directory: *const c_char,
    call: *const oci_chart_call,
    out: *mut *mut c_char,
    err: *mut *mut oci_chart_error,
) -> oci_chart_status {
    guard("oci_chart_package_unpack", err, || {
        let out = Out::optional(out);
        // SAFETY: the header's conventions.
        let (package, directory) =
            unsafe { (&shared(package, "package")?.package, text(directory, "directory")?) };
        // SAFETY: the same.
        let mut caller = unsafe { Caller::new(call) }?;
        out.give_path(caller.work(|cancel| package.with_cancel(cancel).unpack(directory))?.path)
    })
}

/// Frees the package. NULL is fine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oci_chart_package_free(package: *mut oci_chart_package) {
    // SAFETY: the caller's last use.
    guard_plain("oci_chart_package_free", (), || unsafe { take(package) });
}
