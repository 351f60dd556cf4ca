"""The logger ``oci_chart``: requests at DEBUG, waits at INFO, warnings at WARNING."""

import logging

_logger = logging.getLogger("oci_chart")
# Whoever sets up nothing sees nothing.
_logger.addHandler(logging.NullHandler())


def current() -> tuple[logging.Logger, int]:
    """Called by the native half when a call begins, once somebody has imported `logging`."""
    return _logger, _logger.getEffectiveLevel() if not _logger.disabled else logging.CRITICAL + 1
