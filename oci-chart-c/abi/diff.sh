#!/usr/bin/env bash
# diff.sh [REVISION]: compares the interface of the C library with that of a revision (default: the last tag): functions and types by the
# debugging information of both, constants by their headers. Additions are allowed; a break fails unless the version says so, which is another
# minor one (from 1.0 on: major) and gives the library another soname. As long as nothing is tagged there is no interface to keep: it says so, and
# succeeds.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
work=$PWD/target/abi
header=oci-chart-c/include/oci_chart.h
breaks="name changed from|offset changed from|return type changed|type of '.*' changed|entity changed|parameter .* was (added|removed)|(member|enumerator)s? (deletion|change)"

main() {
    local base=${1:-$(git describe --tags --abbrev=0 2>/dev/null)} status=0 changed
    if [ -z "$base" ]; then
        echo "abi: nothing is tagged yet, so there is no released interface to keep; name a revision to compare with that (make abi BASE=REVISION)"
        return
    fi
    git rev-parse --quiet --verify "$base^{commit}" >/dev/null || { echo "abi: there is no revision $base" >&2; exit 1; }
    wanted
    mkdir -p "$work"
    rm -rf "$work/base" && mkdir "$work/base"
    git archive "$base" | tar -x -C "$work/base"
    if [ ! -e "$work/base/$header" ]; then
        echo "abi: $base has no C library"
        return
    fi
    library "$work/base" "$work/old.so"
    library "$PWD" "$work/new.so"
    opaque
    abidiff --suppr "$work/opaque.supp" "$work/old.so" "$work/new.so" | tee "$work/report" || status=$?
    # Its bits: 1 and 2 are its own failures, 4 any change, 8 a function that is gone. What else breaks callers its words say: what grows at its end
    # has nothing but another size and an insertion.
    [ $((status & 3)) = 0 ] || { echo "abi: abidiff failed (status $status)" >&2; exit 1; }
    changed=$(comm -23 <(constants "$work/base/$header") <(constants "$header"))
    [ -z "$changed" ] || printf 'Constants that are no longer there, or are others:\n%s\n' "$changed"
    if [ $((status & 8)) != 0 ] || [ -n "$changed" ] || grep -Eq "$breaks" "$work/report"; then
        broken "$base"
    elif [ "$status" != 0 ] || ! cmp -s <(constants "$work/base/$header") <(constants "$header"); then
        echo "abi: more than in $base, and nothing else"
    else
        echo "abi: as in $base"
    fi
}

wanted() {
    command -v abidiff >/dev/null && return
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        mkdir -p "$work"
        { apt-get -q update && DEBIAN_FRONTEND=noninteractive apt-get -q install -y --no-install-recommends abigail-tools; } >"$work/apt" 2>&1 || cat "$work/apt" >&2
    fi
    command -v abidiff >/dev/null || { echo "abi: abidiff is missing; install it (Debian: abigail-tools) and run this again" >&2; exit 1; }
}

# The library of the checkout in $1, with everything about its types. Both are built in one place, since paths are in what is compared.
library() {
    (cd "$1" && CARGO_TARGET_DIR=$work/target cargo rustc -q -p oci-chart-c --lib --crate-type cdylib -- -C debuginfo=2 -C strip=none)
    cp "$work/target/debug/liboci_chart.so" "$2"
    # Where a profile leaves it out, all that is compared is names.
    readelf -S "$2" | grep -q '\.debug_info' || { echo "abi: $2 has no debugging information" >&2; exit 1; }
}

# What callers know by pointer only may change inside.
opaque() {
    sed -nE 's/^typedef struct (oci_chart_[a-z_]+) \1;$/\1/p' "$work/base/$header" | sort -u >"$work/named"
    sed -nE 's/^typedef struct (oci_chart_[a-z_]+) \{$/\1/p' "$work/base/$header" | sort -u >"$work/open"
    printf '[suppress_type]\n  name_regexp = (^|::)(%s)$\n' "$(comm -23 "$work/named" "$work/open" | paste -sd '|')" >"$work/opaque.supp"
}

# Macros are in no debugging information, and neither are enumerations that no function is given: numbers stand for them.
constants() {
    sed -nE 's/^#define (OCI_CHART_[A-Z0-9_]+) (-?[0-9]+)$/\1 = \2/p; s/^ +(OCI_CHART_[A-Z0-9_]+ = -?[0-9]+),$/\1/p' "$1" | grep -v '^OCI_CHART_VERSION_' | LC_ALL=C sort -u
}

broken() {
    local before after
    before=$(interface "$work/base") after=$(interface .)
    if [ "$before" != "$after" ]; then
        echo "abi: not that of $1, as its version says: $after after $before"
        return
    fi
    echo "abi: not that of $1, though both are $after: give the workspace another minor version (from 1.0 on: major)" >&2
    exit 1
}

# What of a version stands for the interface: MAJOR.MINOR, from 1.0 on MAJOR.
interface() {
    sed -nE '/^\[workspace\.package\]/,/^$/ s/^version = "(0\.[0-9]+|[1-9][0-9]*).*"$/\1/p' "$1/Cargo.toml"
}

main "$@"
