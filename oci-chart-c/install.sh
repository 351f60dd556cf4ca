#!/usr/bin/env bash
# Builds and installs the C library, in the layout that cargo-c makes. Wants cargo and a C compiler with its binutils, nothing else.
#
#   PREFIX      where it will be used (default /usr/local)
#   DESTDIR     put before every path on this machine, and written nowhere
#   LIBDIR      default $PREFIX/lib
#   INCLUDEDIR  default $PREFIX/include
#   PROFILE     cargo's profile (default dist)
#   TARGET      cargo's target (default: this machine); its linker and binutils are named as cargo, LD, OBJCOPY, AR and STRIP_TOOL want it
#   BUILT       a directory that has both libraries already; then nothing is built
#   STRIP       yes or no (default: yes for dist)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

prefix=${PREFIX:-/usr/local}
libdir=${LIBDIR:-$prefix/lib}
includedir=${INCLUDEDIR:-$prefix/include}
destdir=${DESTDIR:-}
profile=${PROFILE:-dist}
target=${TARGET:-$(rustc -vV | sed -n 's/^host: //p')}
strip=${STRIP:-$([ "$profile" = dist ] && echo yes || echo no)}
for path in "$prefix" "$libdir" "$includedir"; do
    [[ $path == /* ]] || { echo "install: $path is no absolute path" >&2; exit 2; }
done

main() {
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    local id
    id=$(cargo pkgid -p oci-chart-c)
    version=${id##*[#@]}
    interface=$(interface_of "$version")
    build
    hide_symbols "$work/liboci_chart.a"

    local lib=$destdir$libdir include=$destdir$includedir
    install -d "$lib/pkgconfig" "$lib/cmake/oci_chart" "$include/oci_chart"
    install -m 755 "$built/liboci_chart.so" "$work/liboci_chart.so"
    [ "$strip" = no ] || "${STRIP_TOOL:-strip}" --strip-unneeded "$work/liboci_chart.so"
    # By renaming, since a program may have the file of before in use.
    place 755 "$work/liboci_chart.so" "$lib/liboci_chart.so.$version"
    ln -sfn "liboci_chart.so.$version" "$lib/liboci_chart.so.$interface"
    ln -sfn "liboci_chart.so.$version" "$lib/liboci_chart.so"
    place 644 "$work/liboci_chart.a" "$lib/liboci_chart.a"
    place 644 oci-chart-c/include/oci_chart.h "$include/oci_chart/oci_chart.h"
    local template
    for template in oci_chart.pc oci_chart-static.pc; do
        fill "$template" >"$work/$template"
        place 644 "$work/$template" "$lib/pkgconfig/$template"
    done
    for template in oci_chartConfig.cmake oci_chartConfigVersion.cmake; do
        fill "$template" >"$work/$template"
        place 644 "$work/$template" "$lib/cmake/oci_chart/$template"
    done
    echo "installed liboci_chart $version in $lib ($(stat -c %s "$work/liboci_chart.so") bytes shared, $(stat -c %s "$work/liboci_chart.a") static)"
}

# Until 1.0 a minor version may break its callers; build.rs says the same to the linker.
interface_of() {
    local major=${1%%.*} rest=${1#*.}
    if [ "$major" = 0 ]; then echo "0.${rest%%.*}"; else echo "$major"; fi
}

# Shared and static in one go and nothing else, so that both are optimised as a whole.
build() {
    built=${BUILT:-}
    [ -z "$built" ] || return 0
    # With musl a shared library is left out without a word, unless musl itself is shared.
    [[ $target != *-musl ]] || export RUSTFLAGS="${RUSTFLAGS:-} -C target-feature=-crt-static"
    local linking=() flag
    for flag in $(wished); do
        rustc ${TARGET:+--target "$TARGET"} --crate-type cdylib --crate-name nothing -C "link-arg=-Wl,$flag" -o "$work/nothing.so" - </dev/null 2>"$work/log" &&
            linking+=(-C "link-arg=-Wl,$flag")
    done
    cargo rustc --quiet --locked -p oci-chart-c --lib --profile "$profile" ${TARGET:+--target "$TARGET"} --crate-type cdylib --crate-type staticlib -- "${linking[@]}"
    local directory folder=$profile
    directory=$(cargo metadata --locked --no-deps --format-version 1 | sed -E 's/.*"target_directory":"([^"]*)".*/\1/')
    [ "$profile" != dev ] || folder=debug
    built=$directory/${TARGET:+$TARGET/}$folder
}

# What makes the library smaller, where the linker can do it: functions of the same code once, and addresses in a short form. That one needs a
# loader that knows it (glibc 2.36), so only a library that is used where it was built has it.
wished() {
    echo --icf=all
    local glibc
    glibc=$([ -n "${TARGET:-}" ] || getconf GNU_LIBC_VERSION 2>/dev/null) || return 0
    [[ $glibc != glibc* ]] || [ "$(printf '%s\n' "glibc 2.36" "$glibc" | sort -V | head -1)" != "glibc 2.36" ] || echo -z,pack-relative-relocs
}

# One object, in which only the interface can be seen: else two Rust libraries in one program define each other's symbols.
hide_symbols() {
    "${LD:-ld}" -r --whole-archive "$built/liboci_chart.a" -o "$work/oci_chart.o"
    "${OBJCOPY:-objcopy}" --strip-debug --wildcard --keep-global-symbol='oci_chart_*' "$work/oci_chart.o"
    # Without a plugin, since some systems' ar hands objects to one that cannot read them.
    "${AR:-ar}" --plugin "" rcs "$1" "$work/oci_chart.o" 2>/dev/null || "${AR:-ar}" rcs "$1" "$work/oci_chart.o"
}

# What a program must link besides, as the compiler says it.
native_libs() {
    rustc --print native-static-libs --target "$target" --crate-name nothing --crate-type staticlib -o "$work/nothing.a" - </dev/null 2>&1 |
        sed -n 's/^note: native-static-libs: //p'
}

fill() {
    native=${native:-$(native_libs)}
    sed -e "s|@PREFIX@|$prefix|g" \
        -e "s|@LIBDIR@|${libdir/#$prefix\//\$\{prefix\}/}|g" \
        -e "s|@INCLUDEDIR@|${includedir/#$prefix\//\$\{prefix\}/}|g" \
        -e "s|@INCLUDEDIR_FROM_CMAKE@|$(from_cmake)|g" \
        -e "s|@VERSION@|$version|g" \
        -e "s|@INTERFACE@|$interface|g" \
        -e "s|@INTERFACE_PATTERN@|${interface//./[.]}|g" \
        -e "s|@NATIVE_LIBS@|$native|g" \
        -e "s|@NATIVE_LIBS_LIST@|${native// /;}|g" \
        -e "s|@URL@|$(sed -n 's/^repository = "\(.*\)"/\1/p' Cargo.toml)|g" \
        "oci-chart-c/packaging/$1.in"
}

# The directory of headers, relative to the CMake files where both lie below the prefix, so that the whole can be moved.
from_cmake() {
    if [[ $libdir/ == "$prefix/"* && $includedir/ == "$prefix/"* ]]; then
        echo "\${CMAKE_CURRENT_LIST_DIR}/$(realpath -m --relative-to="$libdir/cmake/oci_chart" "$includedir")"
    else
        echo "$includedir"
    fi
}

place() {
    install -m "$1" "$2" "$3.new"
    mv -f "$3.new" "$3"
}

main
