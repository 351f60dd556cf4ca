"""Finishes a generated stub: what its annotations name is imported, and patterns know their classes' fields."""

import pathlib
import re
import sys

from oci_chart import _native

IMPORTS = "import collections.abc\nimport os\nimport typing\nimport typing_extensions\n\n"


def finished(stub: str) -> str:
    head, mark, rest = stub.partition('"""\n\n')
    stub = head + mark + IMPORTS + rest
    # Written as text in the code, where it is more than a name.
    stub = re.sub(r'(: |-> )"([^"]*)"(?=[,)= :])', r"\1\2", stub)
    # What a debug build has for the tests.
    stub = re.sub(r"(?m)^def _\w+\(.*\n(?:    .*\n)*\n?", "", stub)
    stub = re.sub(r"\"_\w+\", ", "", stub, count=1)
    lines, here = [], ""
    for line in stub.splitlines():
        if found := re.match(r"class (\w+)", line):
            here = found[1]
        if line.lstrip().startswith("__match_args__"):
            line = f"    __match_args__ = {getattr(_native, here).__match_args__!r}"
        lines.append(line)
    return "\n".join(lines) + "\n"


path = pathlib.Path(sys.argv[1])
path.write_text(finished(path.read_text()))
