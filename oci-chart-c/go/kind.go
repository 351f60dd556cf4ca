package ocichart

import "strconv"

// Kind is what an [Error] means, flat and few. Each is an error itself, for errors.Is:
//
//	if errors.Is(err, ocichart.ErrNotFound) { ... }
//
// The numbers are those of the C library and of every other language; they never change.
type Kind int32

// The kinds of errors. A newer library may have more.
const (
	// ErrInternal: a fault of this library; please report it.
	ErrInternal Kind = 1
	// ErrInvalidInput: an argument or option that makes no sense.
	ErrInvalidInput Kind = 2
	// ErrIO: the operating system refused a file operation.
	ErrIO Kind = 3
	// ErrCancelled: the caller stopped the call.
	ErrCancelled Kind = 4
	// ErrLimitExceeded: a bound of Limits was passed.
	ErrLimitExceeded Kind = 5
	// ErrUnsupported: the other side, or this build, cannot do it.
	ErrUnsupported Kind = 6
	// ErrInvalidReference: not a reference, host, repository name, tag or digest.
	ErrInvalidReference Kind = 10
	// ErrInvalidVersion: not a version or version constraint.
	ErrInvalidVersion Kind = 11
	// ErrInvalidChart: a chart that Helm would refuse.
	ErrInvalidChart Kind = 12
	// ErrInvalidArchive: an archive that is broken or must not be unpacked.
	ErrInvalidArchive Kind = 13
	// ErrInvalidManifest: a manifest or index that cannot be used.
	ErrInvalidManifest Kind = 14
	// ErrLintFailed: the chart has findings at or above the given severity.
	ErrLintFailed Kind = 15
	// ErrNotFound: no such file, tag, manifest, blob or repository.
	ErrNotFound Kind = 20
	// ErrAlreadyExists: it exists and may not be replaced.
	ErrAlreadyExists Kind = 21
	// ErrConflict: somebody else changed it in between, or a condition does not hold.
	ErrConflict Kind = 22
	// ErrUnauthenticated: no credentials, or credentials that were refused.
	ErrUnauthenticated Kind = 23
	// ErrPermissionDenied: known, but not allowed.
	ErrPermissionDenied Kind = 24
	// ErrRateLimited: too many requests.
	ErrRateLimited Kind = 25
	// ErrNetwork: no connection, or one that broke.
	ErrNetwork Kind = 26
	// ErrTimeout: no answer in time.
	ErrTimeout Kind = 27
	// ErrProtocol: the other side breaks the protocol.
	ErrProtocol Kind = 28
	// ErrUnavailable: the other side fails or is being worked on.
	ErrUnavailable Kind = 29
	// ErrDigestMismatch: bytes that do not have the digest or the size they should have.
	ErrDigestMismatch Kind = 30
	// ErrSignatureInvalid: a signature that does not fit.
	ErrSignatureInvalid Kind = 31
	// ErrPolicyDenied: the caller's policy says no.
	ErrPolicyDenied Kind = 32
	// ErrQuotaExceeded: the registry's storage quota is used up.
	ErrQuotaExceeded Kind = 33
	// ErrTLS: no secure connection: certificate, name or protocol version.
	ErrTLS Kind = 34
	// ErrNotSigned: no signature where one is asked for.
	ErrNotSigned Kind = 35
	// ErrCouldNotCheck: neither right nor wrong: what the check needs could not be had.
	ErrCouldNotCheck Kind = 36
	// ErrImmutableTag: the registry holds this tag as immutable.
	ErrImmutableTag Kind = 37
)

var kindNames = map[Kind]string{
	ErrInternal:         "internal",
	ErrInvalidInput:     "invalid-input",
	ErrIO:               "io",
	ErrCancelled:        "cancelled",
	ErrLimitExceeded:    "limit-exceeded",
	ErrUnsupported:      "unsupported",
	ErrInvalidReference: "invalid-reference",
	ErrInvalidVersion:   "invalid-version",
	ErrInvalidChart:     "invalid-chart",
	ErrInvalidArchive:   "invalid-archive",
	ErrInvalidManifest:  "invalid-manifest",
	ErrLintFailed:       "lint-failed",
	ErrNotFound:         "not-found",
	ErrAlreadyExists:    "already-exists",
	ErrConflict:         "conflict",
	ErrUnauthenticated:  "unauthenticated",
	ErrPermissionDenied: "permission-denied",
	ErrRateLimited:      "rate-limited",
	ErrNetwork:          "network",
	ErrTimeout:          "timeout",
	ErrProtocol:         "protocol",
	ErrUnavailable:      "unavailable",
	ErrDigestMismatch:   "digest-mismatch",
	ErrSignatureInvalid: "signature-invalid",
	ErrPolicyDenied:     "policy-denied",
	ErrQuotaExceeded:    "quota-exceeded",
	ErrTLS:              "tls",
	ErrNotSigned:        "not-signed",
	ErrCouldNotCheck:    "could-not-check",
	ErrImmutableTag:     "immutable-tag",
}

// String gives the kind's name in words, the same in every language.
func (kind Kind) String() string {
	if name, known := kindNames[kind]; known {
		return name
	}
	return "kind " + strconv.Itoa(int(kind))
}

// Error gives the same as String.
func (kind Kind) Error() string { return kind.String() }
