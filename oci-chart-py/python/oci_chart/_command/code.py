"""Exit codes, which scripts rely on."""

from ..errors import ErrorKind

DONE = 0
OTHER = 1
USAGE = 2
CONFLICT = 3
LINT = 4
AUTHENTICATION = 5
NOT_FOUND = 6
UNAVAILABLE = 7
NOT_VERIFIED = 8
COULD_NOT_CHECK = 9
INTERRUPTED = 130

MEANING = {
    DONE: "done, or nothing to do",
    OTHER: "another error",
    USAGE: "the command line makes no sense",
    CONFLICT: "something else is there already, or was changed meanwhile",
    LINT: "the chart has findings",
    AUTHENTICATION: "not logged in, or not allowed",
    NOT_FOUND: "not there",
    UNAVAILABLE: "cannot be reached, is busy or fails: try later",
    NOT_VERIFIED: "no signature that counts",
    COULD_NOT_CHECK: "whether there is a signature that counts could not be found out",
    INTERRUPTED: "interrupted",
}

OF_KIND = {
    ErrorKind.INTERNAL: OTHER,
    ErrorKind.INVALID_INPUT: USAGE,
    ErrorKind.IO: OTHER,
    ErrorKind.CANCELLED: INTERRUPTED,
    ErrorKind.LIMIT_EXCEEDED: OTHER,
    ErrorKind.UNSUPPORTED: OTHER,
    ErrorKind.INVALID_REFERENCE: USAGE,
    ErrorKind.INVALID_VERSION: USAGE,
    ErrorKind.INVALID_CHART: OTHER,
    ErrorKind.INVALID_ARCHIVE: OTHER,
    ErrorKind.INVALID_MANIFEST: OTHER,
    ErrorKind.LINT_FAILED: LINT,
    ErrorKind.NOT_FOUND: NOT_FOUND,
    ErrorKind.ALREADY_EXISTS: CONFLICT,
    ErrorKind.CONFLICT: CONFLICT,
    ErrorKind.UNAUTHENTICATED: AUTHENTICATION,
    ErrorKind.PERMISSION_DENIED: AUTHENTICATION,
    ErrorKind.RATE_LIMITED: UNAVAILABLE,
    ErrorKind.NETWORK: UNAVAILABLE,
    ErrorKind.TIMEOUT: UNAVAILABLE,
    ErrorKind.PROTOCOL: OTHER,
    ErrorKind.UNAVAILABLE: UNAVAILABLE,
    ErrorKind.DIGEST_MISMATCH: OTHER,
    ErrorKind.SIGNATURE_INVALID: NOT_VERIFIED,
    ErrorKind.POLICY_DENIED: NOT_VERIFIED,
    ErrorKind.QUOTA_EXCEEDED: OTHER,
    ErrorKind.TLS: OTHER,
    ErrorKind.NOT_SIGNED: NOT_VERIFIED,
    ErrorKind.COULD_NOT_CHECK: COULD_NOT_CHECK,
    ErrorKind.IMMUTABLE_TAG: CONFLICT,
}
