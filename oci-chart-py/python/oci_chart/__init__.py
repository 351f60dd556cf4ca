"""Helm charts as OCI artifacts: package, push, pull, sign and verify, byte for byte.

>>> from oci_chart import Chart, matches
>>> Chart.load("examples/charts/greeter").package().file_name
'greeter-1.2.0.tgz'
>>> matches("^1.2", "1.9.0")
True

:class:`Client` has the verbs, :mod:`oci_chart.trust` policies and keys, :mod:`oci_chart.auth` logins, :mod:`oci_chart.errors` what can go wrong, and
:mod:`oci_chart.progress` bars. What happens is logged by the logger ``oci_chart``.

Threads share everything here; so do forked children, though ``spawn`` and ``forkserver`` are the safer ways to start processes. Importing starts no
thread. Sub-interpreters are not supported: from CPython 3.12 on importing fails there with an ImportError.
"""

from . import errors
from ._client import Client
from ._native import (
    Attachment,
    Attestation,
    BlobReader,
    CancelToken,
    Chart,
    Credentials,
    Descriptor,
    Event,
    Keyring,
    Package,
    PublicKey,
    PullResult,
    PullSecret,
    PushResult,
    Reference,
    Signer,
    SigningKey,
    matches,
)
from ._native import version as _version
from ._store import Store
from .errors import OciChartError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from . import auth, diagnosis, enums, progress, trust
    from ._retry import Retry
    from .enums import ErrorKind, EventKind, PushAction, TagMode
    from .trust import Policy

__version__: str = _version()
__all__ = [
    "Attachment",
    "Attestation",
    "BlobReader",
    "CancelToken",
    "Chart",
    "Client",
    "Credentials",
    "Descriptor",
    "ErrorKind",
    "Event",
    "EventKind",
    "Keyring",
    "OciChartError",
    "Package",
    "Policy",
    "PublicKey",
    "PullResult",
    "PullSecret",
    "PushAction",
    "PushResult",
    "Reference",
    "Retry",
    "Signer",
    "SigningKey",
    "Store",
    "TagMode",
    "auth",
    "diagnosis",
    "enums",
    "errors",
    "matches",
    "progress",
    "trust",
]

_MODULES = ("auth", "diagnosis", "enums", "progress", "trust")
_LATER = {
    "ErrorKind": "enums",
    "EventKind": "enums",
    "Policy": "trust",
    "PushAction": "enums",
    "Retry": "_retry",
    "TagMode": "enums",
}


def __getattr__(name: str) -> object:
    """What takes long to import is imported when it is first wanted."""
    from importlib import import_module

    if name in _MODULES:
        return import_module(f"{__name__}.{name}")
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found: object = getattr(import_module(f"{__name__}.{_LATER[name]}"), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
