"""The words that the library uses: every member is a ``str``, and says the same in every language."""

from ._word import Word as _Word


class ErrorKind(_Word):
    """The kinds of errors, by the names that every language of the library uses."""

    INTERNAL = "internal"
    INVALID_INPUT = "invalid-input"
    IO = "io"
    CANCELLED = "cancelled"
    LIMIT_EXCEEDED = "limit-exceeded"
    UNSUPPORTED = "unsupported"
    INVALID_REFERENCE = "invalid-reference"
    INVALID_VERSION = "invalid-version"
    INVALID_CHART = "invalid-chart"
    INVALID_ARCHIVE = "invalid-archive"
    INVALID_MANIFEST = "invalid-manifest"
    LINT_FAILED = "lint-failed"
    NOT_FOUND = "not-found"
    ALREADY_EXISTS = "already-exists"
    CONFLICT = "conflict"
    UNAUTHENTICATED = "unauthenticated"
    PERMISSION_DENIED = "permission-denied"
    RATE_LIMITED = "rate-limited"
    NETWORK = "network"
    TIMEOUT = "timeout"
    PROTOCOL = "protocol"
    UNAVAILABLE = "unavailable"
    DIGEST_MISMATCH = "digest-mismatch"
    SIGNATURE_INVALID = "signature-invalid"
    POLICY_DENIED = "policy-denied"
    QUOTA_EXCEEDED = "quota-exceeded"
    TLS = "tls"
    NOT_SIGNED = "not-signed"
    COULD_NOT_CHECK = "could-not-check"
    IMMUTABLE_TAG = "immutable-tag"


class TagMode(_Word):
    """What may happen to a tag that exists. Where a mode is taken, a digest is one too: the tag must point there now."""

    CREATE = "create"
    """The tag must be new."""
    ENSURE = "ensure"
    """The tag must be new, or point at this very chart already, which is fine."""
    REPLACE = "replace"
    """The tag is moved, wherever it points."""


class EntryTimes(_Word):
    """Which time a file in a package has."""

    ONE = "one"
    """All the same: the same tree gives the same bytes."""
    SOURCE = "source"
    """Each its own, as in Helm."""


class LayerOrder(_Word):
    """The order of a manifest's layers, where there is a provenance file."""

    CHART_FIRST = "chart-first"
    HELM = "helm"
    """By digest."""


class PushAction(_Word):
    """What a push had to do."""

    PUSHED = "pushed"
    UNCHANGED = "unchanged"
    """The tag pointed at this very manifest."""
    SAME_CHART = "same-chart"
    """The tag points at another manifest with the same chart in it."""


class EventKind(_Word):
    """What an event tells."""

    STARTED = "started"
    PROGRESS = "progress"
    FINISHED = "finished"
    SKIPPED = "skipped"
    WARNING = "warning"
    WAITING = "waiting"


class KeyAlgorithm(_Word):
    """What a key is for."""

    ECDSA_P256 = "ecdsa-p256"
    ECDSA_P384 = "ecdsa-p384"
    ECDSA_P521 = "ecdsa-p521"
    RSA = "rsa"
    ED25519 = "ed25519"


class Format(_Word):
    """The forms in which a chart is signed."""

    SIGNATURE_TAG = "signature-tag"
    """A layer of the manifest tagged ``sha256-HEX.sig``, as cosign 1 and 2 write it."""
    BUNDLE = "bundle"
    """A Sigstore bundle as a referrer, as cosign 3 writes it."""
    PROVENANCE = "provenance"
    """Helm's provenance file."""


class KeyExpiry(_Word):
    """When an OpenPGP key has to be good."""

    STRICT = "strict"
    """When it signed and now, as in Helm."""
    AT_SIGNING = "at-signing"
    """When it signed."""


class TrustOutcome(_Word):
    """What a check of signatures came to."""

    VERIFIED = "verified"
    NOT_VERIFIED = "not-verified"
    COULD_NOT_CHECK = "could-not-check"


class PolicyKind(_Word):
    """What a requirement asks for."""

    KEYS = "keys"
    KEYLESS = "keyless"
    PGP = "pgp"
    ALL = "all"
    ANY = "any"


class Verdict(_Word):
    """What one candidate is worth."""

    VERIFIED = "verified"
    REFUSED = "refused"
    DENIED = "denied"
    UNREAD = "unread"


class AttachedKind(_Word):
    """What an attachment claims to be."""

    SIGNATURE = "signature"
    ATTESTATION = "attestation"
    SBOM = "sbom"
    OTHER = "other"
    MISSING = "missing"


class Check(_Word):
    """What a diagnosis looks at."""

    LAYOUT = "layout"
    PROXY = "proxy"
    NAME = "name"
    CONNECTION = "connection"
    TLS = "tls"
    API = "api"
    CLOCK = "clock"
    CHALLENGE = "challenge"
    CREDENTIALS = "credentials"
    LOGIN = "login"
    PULL = "pull"
    PUSH = "push"
    FEATURES = "features"
    RATE_LIMIT = "rate-limit"


class Status(_Word):
    """What came out of a check."""

    OK = "ok"
    FAILED = "failed"
    UNKNOWN = "unknown"
    SKIPPED = "skipped"


__all__ = [
    "AttachedKind",
    "Check",
    "EntryTimes",
    "ErrorKind",
    "EventKind",
    "Format",
    "KeyAlgorithm",
    "KeyExpiry",
    "LayerOrder",
    "PolicyKind",
    "PushAction",
    "Status",
    "TagMode",
    "TrustOutcome",
    "Verdict",
]
