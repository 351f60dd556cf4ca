#!/usr/bin/env bash
# diff.sh [REVISION]: compares the interface of the C library with that of a revision (default: the last tag), by the debugging
# information of both. Ends with abidiff's status: 0 for none or inner changes, 4 for additions, 8 and above for what breaks callers.
# Additions want a new patch or minor version, breaks another minor one (from 1.0 on: major).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
if ! base=${1:-$(git describe --tags --abbrev=0 2>/dev/null)} || [ -z "$base" ]; then
    echo "abi: nothing is tagged yet, so there is no released interface to compare with; name a revision to compare with that"
    exit 0
fi
if ! command -v abidiff >/dev/null; then
    echo "SKIPPED: abidiff is not installed (Debian: abigail-tools)" >&2
    [ -z "${CI:-}" ]
    exit
fi
work=$PWD/target/abi
mkdir -p "$work"
rm -rf "$work/base" && mkdir "$work/base"
git archive "$base" | tar -x -C "$work/base"
if [ ! -d "$work/base/oci-chart-c" ]; then
    echo "abi: $base has no C library"
    exit 0
fi

# The library of the checkout in $1, with everything about its types. Both are built in one place, since paths are in what is compared.
library() {
    (cd "$1" && CARGO_TARGET_DIR=$work/target cargo rustc -q -p oci-chart-c --lib --crate-type cdylib -- -C debuginfo=2 -C strip=none)
    cp "$work/target/debug/liboci_chart.so" "$2"
    # Where a profile leaves it out, all that is compared is names.
    readelf -S "$2" | grep -q '\.debug_info' || { echo "abi: $2 has no debugging information" >&2; exit 1; }
}
library "$work/base" "$work/old.so"
library "$PWD" "$work/new.so"

# What callers know by pointer only may change inside.
sed -nE 's/^typedef struct (oci_chart_[a-z_]+) \1;$/\1/p' "$work/base/oci-chart-c/include/oci_chart.h" | sort -u >"$work/named"
sed -nE 's/^typedef struct (oci_chart_[a-z_]+) \{$/\1/p' "$work/base/oci-chart-c/include/oci_chart.h" | sort -u >"$work/open"
printf '[suppress_type]\n  name_regexp = (^|::)(%s)$\n' "$(comm -23 "$work/named" "$work/open" | paste -sd '|')" >"$work/opaque.supp"

status=0
abidiff --suppr "$work/opaque.supp" "$work/old.so" "$work/new.so" || status=$?
case $status in
    0) echo "abi: as in $base" ;;
    4) echo "abi: more than in $base, and nothing else" ;;
    *) echo "abi: not that of $base (status $status)" ;;
esac
exit $status
