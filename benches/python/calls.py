"""Prints nanoseconds a call, `NAME NANOSECONDS` a line: the median of some runs, without what the loop itself takes."""

import statistics
import timeit

from oci_chart import Reference, matches
from oci_chart._native import version

CALLS = 20_000
LOOP = "pass"
WORK = {
    "version": "version()",
    "matches": "matches('^1.2', '1.9.0')",
    "reference": "Reference('oci://registry.example/charts/web:1.0.0')",
}


def nanoseconds(text: str) -> float:
    names = {"matches": matches, "Reference": Reference, "version": version}
    runs = timeit.repeat(text, globals=names, number=CALLS, repeat=7)
    return statistics.median(runs) / CALLS * 1e9


loop = nanoseconds(LOOP)
for name, text in WORK.items():
    print(name, nanoseconds(text) - loop)
