#!/usr/bin/env bash
# Installs the outside judges of the test suite, pinned, into bin/ beside this script (or into $OCI_CHART_JUDGES_BIN).
#
# A tool that is already there in the wanted version is left alone, so a second run costs a few milliseconds.
# Wants Go 1.26 or newer. Debian's own packages want root, and only when they are missing.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
bin=${OCI_CHART_JUDGES_BIN:-$here/bin}
mkdir -p "$bin/.stamps"
# The builds below run elsewhere, and Go wants its target absolute.
bin=$(cd "$bin" && pwd)
stamps=$bin/.stamps

main() {
    go_tool helm4 helm.sh/helm/v4/cmd/helm v4.2.4
    own_programs
    go_tool helm3 helm.sh/helm/v3/cmd/helm v3.21.4
    go_tool crane github.com/google/go-containerregistry/cmd/crane v0.21.9
    go_tool regctl github.com/regclient/regclient/cmd/regctl v0.11.5
    go_module orasgo
    go_tool registry3 github.com/distribution/distribution/v3/cmd/registry v3.1.1
    go_tool cosign3 github.com/sigstore/cosign/v3/cmd/cosign v3.1.2
    go_tool cosign2 github.com/sigstore/cosign/v2/cmd/cosign v2.6.4
    go_module sigstorego
    debian_tool docker-registry docker-registry
    debian_tool fish fish
    debian_tool gpg gnupg
    debian_tool gpgconf gnupg
    debian_tool htpasswd apache2-utils
    debian_tool openssl openssl
    debian_tool skopeo skopeo
    debian_tool strace strace
    debian_tool clang clang
    debian_tool valgrind valgrind
    debian_tool cmake cmake
    debian_tool pkg-config pkg-config
    debian_tool zsh zsh
    python_tool clouds botocore==1.44.5 google-auth==2.62.2 cryptography==50.0.2
    node_tool sigstorejs @sigstore/verify@3.1.1 @sigstore/bundle@4.0.0
}

# go_tool NAME PACKAGE VERSION: the program of PACKAGE, under NAME, since several majors share one name.
go_tool() {
    local name=$1 package=$2 version=$3
    local stamp="$package@$version"
    if is_fresh "$name" "$stamp" "$name"; then
        return
    fi
    need_go "$name"
    local started=$SECONDS build
    build=$(mktemp -d "$bin/.build.XXXXXX")
    GOBIN=$build go install -p 2 "$package@$version"
    mv -f "$build"/* "$bin/$name"
    rmdir "$build"
    finish "$name" "$stamp" "$started"
}

# The programs of this directory; their stamp is a digest of the sources.
own_programs() {
    local stamp
    stamp=$(cd "$here" && cat go.mod go.sum ./oracle/*.go ./referrers/*.go | sha256sum)
    if is_fresh own "$stamp" oracle referrers; then
        return
    fi
    need_go "our own programs"
    local started=$SECONDS
    # Where the checkout belongs to another user, asking git for the revision would fail.
    (cd "$here" && go build -buildvcs=false -p 2 -o "$bin/" ./oracle ./referrers)
    finish own "$stamp" "$started"
}

# go_module NAME: a program of ours in a module of its own. The oracle speaks for the oras-go that Helm pins, orasgo for the newest;
# sigstorego's library has more dependencies than all the others.
go_module() {
    local name=$1 stamp
    stamp=$(cd "$here/$name" && cat go.mod go.sum ./*.go | sha256sum)
    if is_fresh "$name" "$stamp" "$name"; then
        return
    fi
    need_go "$name"
    local started=$SECONDS
    (cd "$here/$name" && go build -buildvcs=false -p 2 -o "$bin/" .)
    finish "$name" "$stamp" "$started"
}

need_go() {
    if ! command -v go >/dev/null; then
        echo "judges: $1 cannot be built: install Go 1.26 or newer and run this again" >&2
        exit 1
    fi
}

# python_tool NAME PACKAGE==VERSION...: packages in an environment of their own, whose interpreter is bin/venv/bin/python.
python_tool() {
    local name=$1 stamp
    shift
    stamp="$*"
    if is_fresh "$name" "$stamp" venv/bin/python; then
        return
    fi
    if ! command -v python3 >/dev/null || ! python3 -c 'import ensurepip, venv' 2>/dev/null; then
        echo "judges: $name cannot be installed: install Python 3 with its module venv (Debian: python3-venv) and run this again" >&2
        return 1
    fi
    local started=$SECONDS
    [[ -x $bin/venv/bin/python ]] || python3 -m venv "$bin/venv"
    "$bin/venv/bin/python" -m pip install --quiet --disable-pip-version-check "$@"
    finish "$name" "$stamp" "$started"
}

# node_tool NAME PACKAGE@VERSION...: packages for Node.js in bin/node, which other judges' scripts load them from.
node_tool() {
    local name=$1 stamp
    shift
    stamp="$*"
    if is_fresh "$name" "$stamp" node/node; then
        return
    fi
    if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
        echo "judges: $name cannot be installed: install Node.js 20.17 or newer with npm and run this again" >&2
        return 1
    fi
    local started=$SECONDS
    mkdir -p "$bin/node"
    npm install --silent --no-audit --no-fund --no-save --ignore-scripts --prefix "$bin/node" "$@"
    ln -sf "$(command -v node)" "$bin/node/node"
    finish "$name" "$stamp" "$started"
}

# debian_tool PROGRAM PACKAGE: a program that the system's package manager brings, linked into bin/.
debian_tool() {
    local program=$1 package=$2 found started=$SECONDS
    if [[ -x $bin/$program ]]; then
        return
    fi
    if ! command -v "$program" >/dev/null; then
        if [[ $(id -u) != 0 ]] || ! command -v apt-get >/dev/null; then
            echo "judges: $program is missing; install Debian's package $package (apt-get install $package) and run this again" >&2
            return 1
        fi
        apt_install "$package"
    fi
    found=$(command -v "$program")
    ln -sf "$found" "$bin/$program"
    echo "judges: $program ($found) $((SECONDS - started)) s"
}

apt_install() {
    local log
    log=$(mktemp)
    export DEBIAN_FRONTEND=noninteractive
    if ! { apt-get -q update && apt-get -q install -y --no-install-recommends "$1"; } >"$log" 2>&1; then
        cat "$log" >&2
        rm -f "$log"
        return 1
    fi
    rm -f "$log"
}

# is_fresh NAME STAMP PROGRAM...: the recorded stamp is this one and the programs are there.
is_fresh() {
    local name=$1 stamp=$2 recorded= program
    shift 2
    for program; do
        [[ -x $bin/$program ]] || return 1
    done
    [[ -f $stamps/$name ]] && recorded=$(<"$stamps/$name")
    [[ $recorded == "$stamp" ]]
}

finish() {
    printf '%s\n' "$2" >"$stamps/$1"
    echo "judges: $1 built, $((SECONDS - $3)) s"
}

main
