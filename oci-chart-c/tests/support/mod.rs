//! The C functions in a form in which tests can be read. Every object is freed, every status looked at.
#![allow(
    dead_code,
    clippy::unwrap_used,
    reason = "each test takes what it needs; what fails here is a failed test"
)]

use std::{
    ffi::{CStr, CString, c_char, c_void},
    net::TcpListener,
    ptr,
    time::{Duration, Instant},
};

use oci_chart::*;
use serde_json::Value;

/// How a call failed.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) status: oci_chart_status,
    pub(crate) reason: String,
    pub(crate) message: String,
    pub(crate) http_status: i32,
    pub(crate) json: String,
    pub(crate) evidence: Option<String>,
}

/// Makes a call and looks at its status and error.
pub(crate) fn checked(
    call: impl FnOnce(*mut *mut oci_chart_error) -> oci_chart_status,
) -> Result<(), Failure> {
    let mut err = ptr::null_mut();
    let status = call(&raw mut err);
    if status == oci_chart_status::Ok {
        assert!(err.is_null(), "a call that worked wrote an error");
        return Ok(());
    }
    assert!(!err.is_null(), "{status:?} without an error");
    let mut json = ptr::null_mut();
    // SAFETY: the error lives until its end below.
    unsafe {
        assert_eq!(oci_chart_error_get_status(err), status);
        assert_eq!(oci_chart_error_to_json(err, &raw mut json, ptr::null_mut()), oci_chart_status::Ok);
        let failure = Failure {
            status,
            reason: kept(oci_chart_error_get_reason(err)).unwrap_or_default(),
            message: text(oci_chart_error_get_message(err)),
            http_status: oci_chart_error_get_http_status(err),
            json: taken(json),
            evidence: kept(oci_chart_error_get_evidence(err)),
        };
        oci_chart_error_free(err);
        Err(failure)
    }
}

/// The text behind a pointer.
pub(crate) unsafe fn text(pointer: *const c_char) -> String {
    // SAFETY: a text, says the caller.
    unsafe { CStr::from_ptr(pointer) }.to_str().unwrap().to_owned()
}

/// The text that an object has, or none.
pub(crate) unsafe fn kept(pointer: *const c_char) -> Option<String> {
    // SAFETY: NULL or a text, says the caller.
    (!pointer.is_null()).then(|| unsafe { text(pointer) })
}

/// The text that a call gave.
pub(crate) fn taken(pointer: *mut c_char) -> String {
    // SAFETY: a text that the library gave, freed once.
    unsafe {
        let found = text(pointer);
        oci_chart_string_free(pointer);
        found
    }
}

pub(crate) fn c(text: &str) -> CString {
    CString::new(text).unwrap()
}

/// A call that gives a text.
pub(crate) fn given(
    call: impl FnOnce(*mut *mut c_char, *mut *mut oci_chart_error) -> oci_chart_status,
) -> Result<String, Failure> {
    let mut out = ptr::null_mut();
    checked(|err| call(&raw mut out, err))?;
    Ok(taken(out))
}

/// A call that gives a document.
pub(crate) fn document(
    call: impl FnOnce(*mut *mut c_char, *mut *mut oci_chart_error) -> oci_chart_status,
) -> Result<Value, Failure> {
    Ok(serde_json::from_str(&given(call)?).unwrap())
}

/// A call that gives bytes, or none.
pub(crate) fn bytes(
    call: impl FnOnce(*mut *mut oci_chart_bytes, *mut *mut oci_chart_error) -> oci_chart_status,
) -> Result<Option<Vec<u8>>, Failure> {
    let mut out = ptr::null_mut();
    checked(|err| call(&raw mut out, err))?;
    if out.is_null() {
        return Ok(None);
    }
    // SAFETY: bytes that the library gave, freed once.
    unsafe {
        let (data, size) = (oci_chart_bytes_get_data(out), oci_chart_bytes_get_size(out));
        let found = std::slice::from_raw_parts(data, size).to_vec();
        oci_chart_bytes_free(out);
        Ok(Some(found))
    }
}

macro_rules! owned {
    ($name:ident, $kind:ident, $free:ident) => {
        #[derive(Debug)]
        pub(crate) struct $name(pub(crate) *mut $kind);

        impl Drop for $name {
            fn drop(&mut self) {
                // SAFETY: freed once.
                unsafe { $free(self.0) };
            }
        }
    };
}

owned!(Chart, oci_chart_chart, oci_chart_chart_free);
owned!(Package, oci_chart_package, oci_chart_package_free);
owned!(Pulled, oci_chart_pulled, oci_chart_pulled_free);
owned!(Verified, oci_chart_verified, oci_chart_verified_free);
owned!(Reader, oci_chart_reader, oci_chart_reader_free);
owned!(Signer, oci_chart_signer, oci_chart_signer_free);
owned!(List, oci_chart_list, oci_chart_list_free);
owned!(Publication, oci_chart_publication, oci_chart_publication_free);
owned!(Library, oci_chart_client, oci_chart_client_free);

/// Speaks plain HTTP to `host`, and tries nothing twice.
pub(crate) fn plain_http(options: *mut oci_chart_client_options, host: &str) {
    let host = c(host);
    // SAFETY: good arguments.
    checked(|err| unsafe { oci_chart_client_options_add_plain_http(options, host.as_ptr(), err) }).unwrap();
    // SAFETY: good arguments.
    checked(|err| unsafe { oci_chart_client_options_set_retry(options, 1, 0, 0, err) }).unwrap();
}

impl Library {
    pub(crate) fn new(set: impl FnOnce(*mut oci_chart_client_options)) -> Self {
        let options = oci_chart_client_options_new();
        set(options);
        let mut client = ptr::null_mut();
        // SAFETY: good arguments.
        checked(|err| unsafe { oci_chart_client_new(options, &raw mut client, err) }).unwrap();
        // SAFETY: freed once.
        unsafe { oci_chart_client_options_free(options) };
        Self(client)
    }

    pub(crate) fn plain(host: &str) -> Self {
        Self::new(|options| plain_http(options, host))
    }

    /// A package of a chart called web.
    pub(crate) fn package(&self, version: &str) -> Package {
        let directory = tempfile::tempdir().unwrap();
        let chart = format!("apiVersion: v2\nname: web\nversion: {version}\n");
        fs_err::write(directory.path().join("Chart.yaml"), chart).unwrap();
        Chart::load(directory.path().to_str().unwrap())
            .unwrap()
            .package(&oci_chart_package_options::default())
            .unwrap()
    }

    pub(crate) fn push(
        &self,
        package: &Package,
        target: &str,
        options: Option<&oci_chart_push_options>,
        call: Option<&oci_chart_call>,
    ) -> Result<Value, Failure> {
        let target = c(target);
        document(|out, err| {
            // SAFETY: good arguments.
            unsafe {
                oci_chart_client_push(
                    self.0,
                    package.0,
                    target.as_ptr(),
                    or_null(options),
                    or_null(call),
                    out,
                    err,
                )
            }
        })
    }

    pub(crate) fn pull_with(
        &self,
        target: &str,
        options: *const oci_chart_pull_options,
    ) -> Result<Pulled, Failure> {
        self.pull(target, None, options)
    }

    pub(crate) fn pull(
        &self,
        target: &str,
        version: Option<&str>,
        options: *const oci_chart_pull_options,
    ) -> Result<Pulled, Failure> {
        let (target, version) = (c(target), version.map(c));
        let mut out = ptr::null_mut();
        // SAFETY: good arguments, and options as the test wants them.
        checked(|err| unsafe {
            oci_chart_client_pull(
                self.0,
                target.as_ptr(),
                text_or_null(&version),
                options,
                ptr::null(),
                &raw mut out,
                err,
            )
        })?;
        Ok(Pulled(out))
    }

    pub(crate) fn verify(
        &self,
        target: &str,
        version: Option<&str>,
        policy: &CStr,
        options: Option<&oci_chart_verify_options>,
    ) -> Result<Verified, Failure> {
        let (target, version, mut out) = (c(target), version.map(c), ptr::null_mut());
        let (version, options) = (text_or_null(&version), or_null(options));
        // SAFETY: good arguments.
        checked(|err| unsafe {
            let (target, policy, call) = (target.as_ptr(), policy.as_ptr(), ptr::null());
            oci_chart_client_verify(self.0, target, version, policy, options, call, &raw mut out, err)
        })?;
        Ok(Verified(out))
    }

    pub(crate) fn verify_subchart(
        &self,
        subchart: *const oci_chart_chart,
        target: &str,
        policy: &CStr,
    ) -> Result<Verified, Failure> {
        let (target, mut out) = (c(target), ptr::null_mut());
        // SAFETY: good arguments.
        checked(|err| unsafe {
            let (target, policy, options, call) =
                (target.as_ptr(), policy.as_ptr(), ptr::null(), ptr::null());
            oci_chart_client_verify_subchart(
                self.0,
                subchart,
                target,
                policy,
                options,
                call,
                &raw mut out,
                err,
            )
        })?;
        Ok(Verified(out))
    }

    pub(crate) fn pull_verified(&self, verified: &Verified, target: Option<&str>) -> Result<Pulled, Failure> {
        let (target, mut out) = (target.map(c), ptr::null_mut());
        // SAFETY: good arguments.
        checked(|err| unsafe {
            let (target, call) = (text_or_null(&target), ptr::null());
            oci_chart_client_pull_verified(self.0, verified.0, target, call, &raw mut out, err)
        })?;
        Ok(Pulled(out))
    }

    pub(crate) fn tags(&self, target: &str, call: Option<&oci_chart_call>) -> Result<String, Failure> {
        let target = c(target);
        // SAFETY: good arguments.
        given(|out, err| unsafe { oci_chart_client_tags(self.0, target.as_ptr(), or_null(call), out, err) })
    }

    pub(crate) fn diagnose(&self, target: &str) -> Result<Value, Failure> {
        let target = c(target);
        // SAFETY: good arguments.
        document(|out, err| unsafe {
            oci_chart_client_diagnose(self.0, target.as_ptr(), ptr::null(), out, err)
        })
    }

    pub(crate) fn manifest(&self, target: &str, version: &str) -> Result<Value, Failure> {
        let (target, version) = (c(target), c(version));
        // SAFETY: good arguments.
        let found = bytes(|out, err| unsafe {
            let (none, nobody) = (ptr::null(), ptr::null_mut());
            oci_chart_client_fetch_manifest(self.0, target.as_ptr(), version.as_ptr(), none, out, nobody, err)
        })?;
        Ok(serde_json::from_slice(&found.unwrap()).unwrap())
    }

    pub(crate) fn open_blob(&self, target: &str, descriptor: &str) -> Result<Reader, Failure> {
        let (target, descriptor) = (c(target), c(descriptor));
        let mut out = ptr::null_mut();
        // SAFETY: good arguments.
        checked(|err| unsafe {
            oci_chart_client_open_blob(self.0, target.as_ptr(), descriptor.as_ptr(), &raw mut out, err)
        })?;
        Ok(Reader(out))
    }
}

impl Chart {
    pub(crate) fn load(path: &str) -> Result<Self, Failure> {
        let (path, mut out) = (c(path), ptr::null_mut());
        // SAFETY: good arguments.
        checked(|err| unsafe {
            oci_chart_chart_load(path.as_ptr(), ptr::null(), ptr::null(), &raw mut out, err)
        })?;
        Ok(Self(out))
    }

    pub(crate) fn package(&self, options: &oci_chart_package_options) -> Result<Package, Failure> {
        let mut out = ptr::null_mut();
        // SAFETY: good arguments.
        checked(|err| unsafe { oci_chart_chart_package(self.0, options, ptr::null(), &raw mut out, err) })?;
        Ok(Package(out))
    }
}

impl Verified {
    pub(crate) fn digest(&self) -> String {
        // SAFETY: good arguments.
        unsafe { text(oci_chart_verified_get_digest(self.0)) }
    }

    pub(crate) fn descriptor(&self) -> Value {
        // SAFETY: good arguments.
        serde_json::from_str(&unsafe { text(oci_chart_verified_get_descriptor(self.0)) }).unwrap()
    }

    pub(crate) fn evidence(&self) -> Value {
        // SAFETY: good arguments.
        serde_json::from_str(&unsafe { text(oci_chart_verified_get_evidence(self.0)) }).unwrap()
    }
}

impl Pulled {
    pub(crate) fn digest(&self) -> String {
        // SAFETY: good arguments.
        unsafe { text(oci_chart_pulled_get_digest(self.0)) }
    }

    pub(crate) fn package(&self) -> Package {
        let mut out = ptr::null_mut();
        // SAFETY: good arguments.
        checked(|err| unsafe { oci_chart_pulled_get_package(self.0, &raw mut out, err) }).unwrap();
        Package(out)
    }
}

impl Package {
    pub(crate) fn digest(&self) -> String {
        // SAFETY: good arguments.
        unsafe { text(oci_chart_package_get_digest(self.0)) }
    }

    pub(crate) fn metadata(&self) -> Result<Value, Failure> {
        // SAFETY: good arguments.
        document(|out, err| unsafe { oci_chart_package_get_metadata(self.0, out, err) })
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut out = ptr::null_mut();
        // SAFETY: good arguments.
        checked(|err| unsafe { oci_chart_package_open(self.0, &raw mut out, err) }).unwrap();
        Reader(out).read_to_end(1000).unwrap()
    }

    /// Through a callback that gives so many bytes at a time; more than there is room for is a lie.
    pub(crate) fn from_stream(bytes: &[u8], step: usize) -> Result<Self, Failure> {
        let (mut source, mut out) = (Source { bytes, step }, ptr::null_mut());
        let data = (&raw mut source).cast();
        // SAFETY: good arguments.
        checked(|err| unsafe {
            oci_chart_package_load_stream(Some(supply), data, ptr::null(), ptr::null(), &raw mut out, err)
        })?;
        Ok(Self(out))
    }
}

struct Source<'a> {
    bytes: &'a [u8],
    step: usize,
}

unsafe extern "C" fn supply(data: *mut c_void, buffer: *mut u8, room: usize, read: *mut usize) -> i32 {
    // SAFETY: what the test gave, and a place for `room` bytes.
    unsafe {
        let source = &mut *data.cast::<Source<'_>>();
        if source.step > room {
            read.write(source.step);
            return 0;
        }
        let (now, later) = source.bytes.split_at(source.step.min(source.bytes.len()));
        std::slice::from_raw_parts_mut(buffer, now.len()).copy_from_slice(now);
        source.bytes = later;
        read.write(now.len());
    }
    0
}

impl Reader {
    pub(crate) fn read(&self, most: usize, call: Option<&oci_chart_call>) -> Result<Vec<u8>, Failure> {
        let (mut buffer, mut count) = (vec![0; most], 0);
        // SAFETY: good arguments.
        checked(|err| unsafe {
            oci_chart_reader_read(self.0, buffer.as_mut_ptr(), most, or_null(call), &raw mut count, err)
        })?;
        buffer.truncate(count);
        Ok(buffer)
    }

    pub(crate) fn read_to_end(&self, step: usize) -> Result<Vec<u8>, Failure> {
        let mut all = Vec::new();
        loop {
            match self.read(step, None)? {
                piece if piece.is_empty() => return Ok(all),
                piece => all.extend(piece),
            }
        }
    }
}

pub(crate) fn or_null<T>(value: Option<&T>) -> *const T {
    value.map_or(ptr::null(), ptr::from_ref)
}

pub(crate) fn text_or_null(text: &Option<CString>) -> *const c_char {
    text.as_ref().map_or(ptr::null(), |text| text.as_ptr())
}

/// The address of a server that takes connections and says nothing.
pub(crate) fn silent_server() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || listener.incoming().collect::<Vec<_>>());
    address
}

/// What `look` finds before the time is over.
pub(crate) fn within<T>(time: Duration, mut look: impl FnMut() -> Option<T>) -> Option<T> {
    let end = Instant::now() + time;
    while Instant::now() < end {
        if let Some(found) = look() {
            return Some(found);
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    None
}
