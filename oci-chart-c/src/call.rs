use std::{
    ffi::{c_char, c_void},
    ops::ControlFlow,
    time::Duration,
};

use oci_chart_core::{
    CancelToken, Error, ErrorKind, Event, Result, auth::Credentials, blocking::Host, name,
    store::LoggedRequest, trust::PublicKey,
};

use crate::{
    answer::oci_chart_answer,
    cancel::oci_chart_cancel_token,
    event::{Held, oci_chart_event},
    ffi::c_text,
    options::{Growing, growing},
    request::{Told, oci_chart_request},
};

/// Hears what a call does, and at the latest every 50 ms that it still lives (OCI_CHART_EVENT_KIND_TICK). Return 0 to go on; anything else
/// stops the call. `event` and what it points to live until the callback returns.
pub type oci_chart_event_callback =
    Option<unsafe extern "C" fn(user_data: *mut c_void, event: *const oci_chart_event) -> i32>;

/// Is asked for the login at `host` (as `registry.example:5000`), if the client was told so with
/// oci_chart_client_options_use_call_credentials(). Give it with oci_chart_answer_set_login() or oci_chart_answer_set_token(); nothing
/// means anonymous. Return 0; anything else stops the call. Asked once a call and host, and again if the registry refuses what it was
/// given.
pub type oci_chart_credentials_callback = Option<
    unsafe extern "C" fn(user_data: *mut c_void, host: *const c_char, answer: *mut oci_chart_answer) -> i32,
>;

/// Is asked for the signature over `message` by the private half of `key` (PEM), by a signer made with oci_chart_signer_new_callback().
/// Give it with oci_chart_answer_set_bytes(), encoded as cosign has it: ASN.1 for ECDSA, the bytes for RSA (PKCS #1 v1.5) and Ed25519.
/// Return 0; anything else stops the call.
pub type oci_chart_sign_callback = Option<
    unsafe extern "C" fn(
        user_data: *mut c_void,
        key: *const c_char,
        message: *const u8,
        message_len: usize,
        answer: *mut oci_chart_answer,
    ) -> i32,
>;

/// Hears of every request of a call, each try and each redirect for itself, when it is done: for people who look for a fault. Return 0 to go
/// on; anything else stops the call, at the latest after 50 ms. `request` and what it points to live until the callback returns. Whoever is
/// slow misses some.
pub type oci_chart_request_callback =
    Option<unsafe extern "C" fn(user_data: *mut c_void, request: *const oci_chart_request) -> i32>;

/// What a call is given beside its work. Make it with OCI_CHART_CALL_INIT; it and what it points to is read while the call runs and not kept.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct oci_chart_call {
    /// sizeof(oci_chart_call), set by OCI_CHART_CALL_INIT.
    pub struct_size: usize,
    /// Stops the call when it is used; NULL for none.
    pub cancel: *const oci_chart_cancel_token,
    /// How long the call may take, in milliseconds; 0 for as long as it takes. It fails with OCI_CHART_STATUS_TIMEOUT then.
    pub timeout_ms: u64,
    /// Given to the callbacks as it is.
    pub user_data: *mut c_void,
    /// Hears what the call does; NULL for nobody.
    pub on_event: oci_chart_event_callback,
    /// Asked for logins; NULL for anonymous.
    pub on_credentials: oci_chart_credentials_callback,
    /// Asked for signatures; NULL for none.
    pub on_sign: oci_chart_sign_callback,
    /// Hears of requests; NULL for nobody.
    pub on_request: oci_chart_request_callback,
}

impl Default for oci_chart_call {
    fn default() -> Self {
        Self {
            struct_size: size_of::<Self>(),
            cancel: std::ptr::null(),
            timeout_ms: 0,
            user_data: std::ptr::null_mut(),
            on_event: None,
            on_credentials: None,
            on_sign: None,
            on_request: None,
        }
    }
}

// SAFETY: a number first, then numbers, pointers and optional function pointers.
unsafe impl Growing for oci_chart_call {}

/// The caller's side of a running call. Not `Send`: it never leaves the caller's thread.
pub(crate) struct Caller {
    call: oci_chart_call,
    cancel: Option<CancelToken>,
    /// A callback that cannot stop the call itself has asked for its end.
    is_stopped: bool,
}

impl Caller {
    pub(crate) unsafe fn new(call: *const oci_chart_call) -> Result<Self> {
        // SAFETY: NULL or a call for as long as it runs.
        let call = unsafe { growing(call, "call") }?;
        // SAFETY: NULL or a token for as long as the call runs; of which a clone is kept.
        let cancel = unsafe { call.cancel.as_ref() }.map(|token| token.0.clone());
        Ok(Self { call, cancel, is_stopped: false })
    }

    /// The token for work that waits for nothing.
    pub(crate) fn cancel(&self) -> CancelToken {
        self.cancel.clone().unwrap_or_default()
    }

    /// Whether the caller wants turns while it waits, or may not wait for ever.
    pub(crate) fn is_watched(&self) -> bool {
        self.call.on_event.is_some() || self.call.timeout_ms > 0
    }

    /// Asks a callback that gives an answer.
    fn ask(
        &self,
        name: &'static str,
        callback: impl FnOnce(*mut oci_chart_answer) -> i32,
    ) -> Result<oci_chart_answer> {
        let mut answer = oci_chart_answer::default();
        let stopped = callback(&raw mut answer);
        if let Some(message) = answer.failure.take() {
            return Err(Error::new(ErrorKind::Cancelled, message).with_context("callback", name));
        }
        if stopped != 0 {
            return Err(Error::cancelled().with_context("callback", name));
        }
        Ok(answer)
    }
}

impl Host for Caller {
    fn event(&mut self, event: Event) -> ControlFlow<()> {
        if self.is_stopped {
            return ControlFlow::Break(());
        }
        let Some(callback) = self.call.on_event else { return ControlFlow::Continue(()) };
        let held = Held::new(event);
        // SAFETY: the caller's own function, on the caller's thread, with its own data.
        match unsafe { callback(self.call.user_data, &raw const held.event) } {
            0 => ControlFlow::Continue(()),
            _ => ControlFlow::Break(()),
        }
    }

    /// Whoever is told of requests may stop the call there, which takes effect with the next event.
    fn wants_events(&self) -> bool {
        self.call.on_event.is_some() || self.call.on_request.is_some()
    }

    fn cancel_token(&self) -> Option<CancelToken> {
        self.cancel.clone()
    }

    fn timeout(&self) -> Option<Duration> {
        Some(self.call.timeout_ms).filter(|wait| *wait > 0).map(Duration::from_millis)
    }

    fn wants_requests(&self) -> bool {
        self.call.on_request.is_some()
    }

    fn request(&mut self, request: &LoggedRequest) {
        let Some(callback) = self.call.on_request else { return };
        let told = Told::new(request);
        // SAFETY: the caller's own function, on the caller's thread, with its own data.
        self.is_stopped |= unsafe { callback(self.call.user_data, &raw const told.request) } != 0;
    }

    fn credentials(&mut self, host: &name::Host) -> Result<Option<Credentials>> {
        let Some(callback) = self.call.on_credentials else { return Ok(None) };
        let host = c_text(host.to_string());
        // SAFETY: the caller's own function, on the caller's thread, with its own data.
        let ask = |answer| unsafe { callback(self.call.user_data, host.as_ptr(), answer) };
        Ok(self.ask("on_credentials", ask)?.credentials)
    }

    fn sign(&mut self, key: &PublicKey, message: &[u8]) -> Result<Vec<u8>> {
        let callback = self.call.on_sign.ok_or_else(|| {
            Error::new(ErrorKind::Unsupported, "the call has no on_sign")
                .with_hint("a signer of this kind signs by the callback of each call")
        })?;
        let key = c_text(key.to_pem());
        // SAFETY: the caller's own function, on the caller's thread, with its own data.
        let ask = |answer| unsafe {
            callback(self.call.user_data, key.as_ptr(), message.as_ptr(), message.len(), answer)
        };
        let given = self.ask("on_sign", ask)?.bytes;
        given.ok_or_else(|| Error::new(ErrorKind::InvalidInput, "on_sign gave no signature"))
    }
}
