#!/bin/sh
# Makes the Python environment that the Makefile works with: scripts/bootstrap.sh [FOLDER], default .venv.
# Finds a Python from 3.11 to 3.13 that can make one, and installs what is missing by apt-get where it may
# (root, or sudo without a password). PYTHON=/path/to/python names the one to take.
set -eu

cd "$(dirname "$0")/.."
venv=${1:-.venv}
supported="Python 3.11, 3.12 or 3.13"

say() { printf '%s\n' "$*" >&2; }
fail() { say "error: $*"; exit 1; }

is_supported() { "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null; }
makes_environments() { "$1" -c 'import venv, ensurepip' 2>/dev/null; }

# The first supported Python, one that can make environments before one that can't.
find_python() {
    second=
    for name in ${PYTHON:-python3 python3.13 python3.12 python3.11}; do
        path=$(command -v "$name") && is_supported "$path" || continue
        if makes_environments "$path"; then echo "$path"; return; fi
        second=${second:-$path}
    done
    echo "$second"
}

as_root() {
    if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo -n "$@"; fi
}

may_install() {
    command -v apt-get >/dev/null || return 1
    [ "$(id -u)" -eq 0 ] || sudo -n true 2>/dev/null
}

apt_install() {
    say "installing by apt-get: $*"
    output=$(as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -y install \
        --no-install-recommends "$@" 2>&1) || { say "$output"; return 1; }
}

# Debian and Ubuntu keep the part of Python that makes environments in a package of its own.
add_venv_package() {
    version=$("$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    may_install || fail "$1 can't make an environment; install its venv package" \
        "(sudo apt-get install python$version-venv) and run this again."
    as_root apt-get -qq update
    apt_install "python$version-venv" || fail "apt-get could not install python$version-venv;" \
        "install it by hand, or name another Python: make PYTHON=/path/to/python3.12."
}

add_python() {
    found=$(python3 --version 2>/dev/null || echo "no python3")
    advice="adadeep needs $supported and there is $found here; install one and run: make PYTHON=/path/to/python3.12."
    may_install || fail "$advice"
    as_root apt-get -qq update
    for version in 3.13 3.12 3.11; do
        if apt-cache show "python$version-venv" >/dev/null 2>&1; then
            apt_install "python$version" "python$version-venv" && return
        fi
    done
    fail "$advice"
}

make_environment() {
    [ -n "$(find_python)" ] || { [ -z "${PYTHON:-}" ] || fail "$PYTHON is not $supported."; add_python; }
    python=$(find_python)
    [ -n "$python" ] || fail "no $supported here."
    makes_environments "$python" || add_venv_package "$python"
    say "making the environment $venv with $("$python" --version)"
    rm -rf "$venv"
    "$python" -m venv "$venv"
}

is_whole() { "$venv/bin/python" -m pip --version >/dev/null 2>&1 && is_supported "$venv/bin/python"; }

is_whole || make_environment
say "installing adadeep and what it needs into $venv (2 GB with TensorFlow; one to five minutes)"
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --editable '.[dev]' ||
    fail "pip could not install adadeep's dependencies; the lines above say why (no network, no space?)."
