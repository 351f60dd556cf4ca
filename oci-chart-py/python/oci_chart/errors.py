"""What can go wrong: one base class, one class for each kind of error.

Every exception carries ``kind``, ``reason`` (a stable word for the cause, or None), ``operation``, ``context`` (a dict of texts), ``hint``
(what to do about it, or None), ``retryable``, ``retry_after`` (seconds, or None) and ``causes`` (texts, outermost first); those of a check of
signatures also ``evidence``.
"""

from __future__ import annotations as _annotations

import errno as _errno
import os as _os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .enums import ErrorKind
    from .trust import Evidence as _Evidence


class _Kind:
    """What ``kind`` is of a class. Enumerations take long to import, so it is looked up when somebody asks."""

    def __get__(self, instance: OciChartError | None, owner: type[OciChartError]) -> ErrorKind:
        from .enums import ErrorKind

        return ErrorKind(owner._word)


class OciChartError(Exception):
    """The base of all exceptions of this package."""

    if TYPE_CHECKING:
        kind: ErrorKind
        """Of the class; every class of this module but the local ones has its own."""
    else:
        kind = _Kind()
    _word = "internal"
    reason: str | None = None
    operation: str | None = None
    context: dict[str, str]
    hint: str | None = None
    retryable: bool = False
    retry_after: float | None = None
    causes: tuple[str, ...] = ()
    _evidence: str | None = None

    def __init__(self, message: str = "", **details: object) -> None:
        # What stands beside the message is set as it is, so that a copy and an unpickled exception are whole.
        super().__init__(message)
        self.message = message
        self.context = {}
        self.__dict__.update(details)

    def __str__(self) -> str:
        where = f"{self.operation}: " if self.operation else ""
        hint = f" ({self.hint})" if self.hint else ""
        return f"{where}{self.message}{hint}"

    @property
    def evidence(self) -> _Evidence | None:
        """What was found of the signatures, where a policy is not satisfied or could not be checked."""
        if self._evidence is None:
            return None
        from .trust import Evidence

        return Evidence.from_json(self._evidence)

    def __reduce__(self) -> tuple[object, ...]:
        # What an OSError has is no part of its dictionary.
        system = (self.errno, self.strerror, self.filename) if isinstance(self, OSError) else None
        return (_rebuild, (type(self), self.message, self.__dict__, system))


class InternalError(OciChartError):
    """A fault of this library; please report it."""


class InvalidInputError(OciChartError, ValueError):
    """An argument or option that makes no sense."""


class LocalIOError(OciChartError, OSError):
    """The operating system refused a file operation; ``errno`` and ``filename`` are set."""


class LocalPermissionError(LocalIOError, PermissionError):
    """The operating system does not allow it."""


class CancelledError(OciChartError):
    """A :class:`~oci_chart.CancelToken` stopped the call."""


class LimitExceededError(OciChartError):
    """A bound was passed."""


class UnsupportedError(OciChartError, NotImplementedError):
    """The other side, or this build, cannot do it."""


class InvalidReferenceError(OciChartError, ValueError):
    """Not a reference, host, repository name, tag or digest."""


class InvalidVersionError(OciChartError, ValueError):
    """Not a version or version constraint."""


class InvalidChartError(OciChartError, ValueError):
    """A chart that Helm would refuse."""


class InvalidArchiveError(OciChartError, ValueError):
    """An archive that is broken or must not be unpacked."""


class InvalidManifestError(OciChartError, ValueError):
    """A manifest or index that cannot be used."""


class LintFailedError(OciChartError):
    """The chart has findings at or above the given severity."""


class NotFoundError(OciChartError, LookupError):
    """No such file, tag, manifest, blob or repository."""


class LocalNotFoundError(NotFoundError, FileNotFoundError):
    """No such file; ``errno`` and ``filename`` are set."""


class AlreadyExistsError(OciChartError):
    """It exists and may not be replaced."""


class ConflictError(OciChartError):
    """Somebody else changed it in between, or a condition does not hold."""


class UnauthenticatedError(OciChartError):
    """No credentials, or credentials that were refused."""


class PermissionDeniedError(OciChartError):
    """Known, but not allowed."""


class RateLimitedError(OciChartError):
    """Too many requests; ``retry_after`` says how long to wait, if the registry does."""


class NetworkError(OciChartError, ConnectionError):
    """No connection, or one that broke."""


class RequestTimeoutError(OciChartError, TimeoutError):
    """No answer in time."""


class ProtocolError(OciChartError):
    """The other side breaks the protocol."""


class UnavailableError(OciChartError):
    """The other side fails or is being worked on."""


class DigestMismatchError(OciChartError):
    """Bytes that do not have the digest or the size they should have."""


class SignatureInvalidError(OciChartError):
    """A signature that does not fit."""


class PolicyDeniedError(OciChartError):
    """The caller's policy says no."""


class QuotaExceededError(OciChartError):
    """The registry has no room left for this project."""


class TlsError(OciChartError, ConnectionError):
    """No trust in the other side's certificate, or no common TLS."""


class NotSignedError(OciChartError):
    """There is no signature."""


class CouldNotCheckError(OciChartError):
    """Whether it is signed could not be found out."""


class ImmutableTagError(OciChartError):
    """The registry does not let this tag move."""


_CLASSES: dict[str, type[OciChartError]] = {
    "internal": InternalError,
    "invalid-input": InvalidInputError,
    "io": LocalIOError,
    "cancelled": CancelledError,
    "limit-exceeded": LimitExceededError,
    "unsupported": UnsupportedError,
    "invalid-reference": InvalidReferenceError,
    "invalid-version": InvalidVersionError,
    "invalid-chart": InvalidChartError,
    "invalid-archive": InvalidArchiveError,
    "invalid-manifest": InvalidManifestError,
    "lint-failed": LintFailedError,
    "not-found": NotFoundError,
    "already-exists": AlreadyExistsError,
    "conflict": ConflictError,
    "unauthenticated": UnauthenticatedError,
    "permission-denied": PermissionDeniedError,
    "rate-limited": RateLimitedError,
    "network": NetworkError,
    "timeout": RequestTimeoutError,
    "protocol": ProtocolError,
    "unavailable": UnavailableError,
    "digest-mismatch": DigestMismatchError,
    "signature-invalid": SignatureInvalidError,
    "policy-denied": PolicyDeniedError,
    "quota-exceeded": QuotaExceededError,
    "tls": TlsError,
    "not-signed": NotSignedError,
    "could-not-check": CouldNotCheckError,
    "immutable-tag": ImmutableTagError,
}
for _word, _class in _CLASSES.items():
    _class._word = _word

# For these Python has classes that scripts catch.
_LOCAL: dict[tuple[type[OciChartError], int | None], type[OciChartError]] = {
    (LocalIOError, _errno.EACCES): LocalPermissionError,
    (LocalIOError, _errno.EPERM): LocalPermissionError,
    (NotFoundError, _errno.ENOENT): LocalNotFoundError,
}

__all__ = [
    "AlreadyExistsError",
    "CancelledError",
    "ConflictError",
    "CouldNotCheckError",
    "DigestMismatchError",
    "ErrorKind",
    "ImmutableTagError",
    "InternalError",
    "InvalidArchiveError",
    "InvalidChartError",
    "InvalidInputError",
    "InvalidManifestError",
    "InvalidReferenceError",
    "InvalidVersionError",
    "LimitExceededError",
    "LintFailedError",
    "LocalIOError",
    "LocalNotFoundError",
    "LocalPermissionError",
    "NetworkError",
    "NotFoundError",
    "NotSignedError",
    "OciChartError",
    "PermissionDeniedError",
    "PolicyDeniedError",
    "ProtocolError",
    "QuotaExceededError",
    "RateLimitedError",
    "RequestTimeoutError",
    "SignatureInvalidError",
    "TlsError",
    "UnauthenticatedError",
    "UnavailableError",
    "UnsupportedError",
]


def _make(
    kind: str,
    message: str,
    reason: str | None,
    operation: str | None,
    context: dict[str, str],
    hint: str | None,
    retryable: bool,
    retry_after: float | None,
    causes: list[str],
    errno: int | None,
    evidence: str | None,
) -> OciChartError:
    """Called by the native half for every error of the core."""
    of_kind = _CLASSES[kind]
    error = _LOCAL.get((of_kind, errno), of_kind)(message)
    error.__dict__.update(
        reason=reason,
        operation=operation,
        context=context,
        hint=hint,
        retryable=retryable,
        retry_after=retry_after,
        causes=tuple(causes),
    )
    if evidence is not None:
        error._evidence = evidence
    if isinstance(error, OSError) and errno is not None:
        error.errno = errno
        error.strerror = _os.strerror(errno)
        error.filename = _file(causes, context)
    return error


def _file(causes: list[str], context: dict[str, str]) -> str | None:
    """The file that an operation failed on: the causes name it, between backticks; the context at least what it was about."""
    for cause in causes:
        before, _, rest = cause.partition("`")
        if before.startswith("failed to ") and "`" in rest:
            return rest.rpartition("`")[0]
    return next((context[name] for name in ("path", "file", "directory", "chart", "package") if name in context), None)


def _rebuild(
    cls: type[OciChartError],
    message: str,
    state: dict[str, object],
    system: tuple[int | None, str | None, str | None] | None,
) -> OciChartError:
    error = cls(message)
    error.__dict__.update(state)
    if isinstance(error, OSError) and system is not None:
        error.errno, error.strerror, error.filename = system
    return error


def __getattr__(name: str) -> object:
    """The enumeration of kinds is imported when it is first wanted."""
    if name != "ErrorKind":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from .enums import ErrorKind

    globals()[name] = ErrorKind
    return ErrorKind
