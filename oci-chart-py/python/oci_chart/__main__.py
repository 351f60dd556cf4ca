"""The command ``oci-chart``, also as ``python -m oci_chart``."""

import sys

from ._command import main

__all__ = ["main"]

if __name__ == "__main__":
    sys.exit(main())
