"""Helm charts as OCI artifacts: package, push and pull, byte for byte.

>>> from oci_chart import matches
>>> matches("^1.2", "1.9.0")
True
"""

from . import errors
from ._native import (
    CancelToken,
    Chart,
    Client,
    Descriptor,
    Event,
    Package,
    PullResult,
    PushResult,
    Reference,
    matches,
)
from ._native import version as _version
from .errors import ErrorKind, OciChartError

__version__: str = _version()
__all__ = [
    "CancelToken",
    "Chart",
    "Client",
    "Descriptor",
    "ErrorKind",
    "Event",
    "OciChartError",
    "Package",
    "PullResult",
    "PushResult",
    "Reference",
    "errors",
    "matches",
]
