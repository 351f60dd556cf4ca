#!/usr/bin/env python3
"""Writes a C program that calls every function of the header with NULL and 0 for everything, and once more with a panic inside."""

import pathlib
import re
import sys

header = pathlib.Path(sys.argv[1]).read_text()
header = re.sub(r"/\*.*?\*/|^\s*#.*?$", "", header, flags=re.S | re.M)
found = re.findall(r"OCI_CHART_API\s+(?:OCI_CHART_MUST_USE\s+)?([^;()]*?)(\w+)\(([^;]*)\);", header)
# What makes mischief is no part of the interface.
functions = [(kind.strip(), name, parameters) for kind, name, parameters in found if "_testing_" not in name]
assert len(functions) > 40, "the header is not understood"


def arguments(parameters: str, err: str) -> str:
    names = [] if parameters.strip() == "void" else parameters.split(",")
    return ", ".join(err if re.search(r"\*\*err$", name.strip()) else "0" for name in names)


lines = [
    "/* Written by nulls.py. */",
    '#include "support.h"',
    "#include <string.h>",
    "",
    "typedef oci_chart_status fallible(oci_chart_error **);",
    "typedef void plain(void);",
    "",
]
rows = []
for kind, name, parameters in functions:
    fails = bool(re.search(r"\*\*err$", parameters.strip()))
    call = f"{name}({arguments(parameters, 'err')})"
    if fails:
        assert kind == "oci_chart_status", name
        lines.append(f"static oci_chart_status call_{name}(oci_chart_error **err) {{ return {call}; }}")
        rows.append(f'    {{"{name}", call_{name}, NULL}},')
    else:
        made = re.fullmatch(r"struct (oci_chart_\w+) \*", kind)
        body = f"{made[1]}_free({call});" if made else f"(void){call};"
        lines.append(f"static void call_{name}(void) {{ {body} }}")
        rows.append(f'    {{"{name}", NULL, call_{name}}},')
lines += ["", "static const struct { const char *name; fallible *fallible; plain *plain; } all[] = {", *rows, "};"]
lines.append("""
static void refuse(size_t n)
{
    if (all[n].plain) {
        all[n].plain();
        return;
    }
    oci_chart_error *err = NULL;
    MUST_FAIL(all[n].fallible(&err), OCI_CHART_STATUS_INVALID_INPUT);
    CHECK(all[n].fallible(NULL) == OCI_CHART_STATUS_INVALID_INPUT);
}

#ifdef OCI_CHART_TESTING
static void explode(size_t n)
{
    CHECK(oci_chart_testing_panic_in(all[n].name, NULL) == OCI_CHART_STATUS_OK);
    if (all[n].plain) {
        all[n].plain();
        CHECK(oci_chart_testing_panic_in(NULL, NULL) == OCI_CHART_STATUS_OK);
        return;
    }
    oci_chart_error *err = NULL;
    CHECK(all[n].fallible(&err) == OCI_CHART_STATUS_INTERNAL);
    CHECK(err && strstr(oci_chart_error_get_message(err), all[n].name));
    oci_chart_error_free(err);
    CHECK(oci_chart_testing_panic_in(all[n].name, NULL) == OCI_CHART_STATUS_OK);
    CHECK(all[n].fallible(NULL) == OCI_CHART_STATUS_INTERNAL);
    refuse(n);
}
#endif

int main(void)
{
    size_t count = sizeof all / sizeof *all;
    for (size_t n = 0; n < count; n++) {
        refuse(n);
#ifdef OCI_CHART_TESTING
        explode(n);
#endif
    }
    printf("nulls: %zu functions\\n", count);
    return 0;
}""")
print("\n".join(lines))
