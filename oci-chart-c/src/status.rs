use std::ffi::{CStr, c_char};

use oci_chart_core::ErrorKind;

use crate::guard::guard_plain;

macro_rules! statuses {
    ($($status:ident = $number:literal, $name:literal;)*) => {
        impl From<ErrorKind> for oci_chart_status {
            fn from(kind: ErrorKind) -> Self {
                match kind.code() as i32 {
                    $($number => Self::$status,)*
                    // A kind without a number here; a test keeps that from happening.
                    _ => Self::Internal,
                }
            }
        }

        fn name(status: i32) -> Option<&'static CStr> {
            match status { $($number => Some($name),)* _ => None }
        }
    };
}

/// How a call ended. The numbers are those of the Rust library's kinds of errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(i32)]
#[non_exhaustive]
pub enum oci_chart_status {
    /// It did what it should.
    Ok = 0,
    /// A fault of this library; please report it.
    Internal = 1,
    /// An argument or option that makes no sense.
    InvalidInput = 2,
    /// The operating system refused a file operation.
    Io = 3,
    /// The caller stopped the call: by its token, or by the answer of a callback.
    Cancelled = 4,
    /// A limit was passed; the error's context says which one.
    LimitExceeded = 5,
    /// The other side, or this build, cannot do it.
    Unsupported = 6,
    /// Not a reference, host, repository name, tag or digest.
    InvalidReference = 10,
    /// Not a version or version constraint.
    InvalidVersion = 11,
    /// A chart that Helm would refuse.
    InvalidChart = 12,
    /// An archive that is broken or must not be unpacked.
    InvalidArchive = 13,
    /// A manifest or index that cannot be used.
    InvalidManifest = 14,
    /// The chart has findings at or above the given severity.
    LintFailed = 15,
    /// No such file, tag, manifest, blob or repository.
    NotFound = 20,
    /// It exists and may not be replaced.
    AlreadyExists = 21,
    /// Somebody else changed it in between, or a condition does not hold.
    Conflict = 22,
    /// No credentials, or credentials that were refused.
    Unauthenticated = 23,
    /// Known, but not allowed.
    PermissionDenied = 24,
    /// Too many requests.
    RateLimited = 25,
    /// No connection, or one that broke.
    Network = 26,
    /// No answer in time.
    Timeout = 27,
    /// The other side breaks the protocol.
    Protocol = 28,
    /// The other side fails or is being worked on.
    Unavailable = 29,
    /// Bytes that do not have the digest or the size they should have.
    DigestMismatch = 30,
    /// A signature that does not fit.
    SignatureInvalid = 31,
    /// The caller's policy says no.
    PolicyDenied = 32,
    /// The registry's storage quota is used up.
    QuotaExceeded = 33,
    /// No secure connection: certificate, name or protocol version.
    Tls = 34,
    /// No signature where one is asked for.
    NotSigned = 35,
    /// Neither right nor wrong: what the check needs could not be had.
    CouldNotCheck = 36,
    /// The registry holds this tag as immutable.
    ImmutableTag = 37,
}

statuses! {
    Ok = 0, c"ok";
    Internal = 1, c"internal";
    InvalidInput = 2, c"invalid-input";
    Io = 3, c"io";
    Cancelled = 4, c"cancelled";
    LimitExceeded = 5, c"limit-exceeded";
    Unsupported = 6, c"unsupported";
    InvalidReference = 10, c"invalid-reference";
    InvalidVersion = 11, c"invalid-version";
    InvalidChart = 12, c"invalid-chart";
    InvalidArchive = 13, c"invalid-archive";
    InvalidManifest = 14, c"invalid-manifest";
    LintFailed = 15, c"lint-failed";
    NotFound = 20, c"not-found";
    AlreadyExists = 21, c"already-exists";
    Conflict = 22, c"conflict";
    Unauthenticated = 23, c"unauthenticated";
    PermissionDenied = 24, c"permission-denied";
    RateLimited = 25, c"rate-limited";
    Network = 26, c"network";
    Timeout = 27, c"timeout";
    Protocol = 28, c"protocol";
    Unavailable = 29, c"unavailable";
    DigestMismatch = 30, c"digest-mismatch";
    SignatureInvalid = 31, c"signature-invalid";
    PolicyDenied = 32, c"policy-denied";
    QuotaExceeded = 33, c"quota-exceeded";
    Tls = 34, c"tls";
    NotSigned = 35, c"not-signed";
    CouldNotCheck = 36, c"could-not-check";
    ImmutableTag = 37, c"immutable-tag";
}

/// The name of a status: `ok`, `not-found`, ... and `unknown` for a number that this version does not know. Never NULL; lives for ever.
#[unsafe(no_mangle)]
pub extern "C" fn oci_chart_status_string(status: i32) -> *const c_char {
    guard_plain("oci_chart_status_string", c"unknown".as_ptr(), || {
        name(status).unwrap_or(c"unknown").as_ptr()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_error_is_a_status_of_its_number_and_name() {
        for kind in ErrorKind::ALL {
            let status = oci_chart_status::from(*kind);
            assert_eq!(status as i32, kind.code() as i32, "{kind} has no status");
            assert_eq!(name(status as i32).unwrap().to_str().unwrap(), kind.name());
        }
        let known = (0..1000).filter(|number| name(*number).is_some()).count();
        assert_eq!(known, ErrorKind::ALL.len() + 1, "a status without a kind");
    }
}
