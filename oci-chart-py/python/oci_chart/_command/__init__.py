"""The command ``oci-chart``: the verbs of the package for a shell.

Each verb is an entry of one table (``table.py``), from which the parser, the help and the completions are made.
"""

from .run import main

__all__ = ["main"]
