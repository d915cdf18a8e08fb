#!/bin/sh
# Installs the C libraries that Silt links to, if they are missing. Called by the Makefile.
set -eu

if ! command -v swift >/dev/null 2>&1; then
    echo "Silt needs a Swift 6.2 toolchain or newer: https://www.swift.org/install" >&2
    exit 1
fi

if [ "$(uname)" = Darwin ]; then
    for formula in zstd lz4 xxhash openblas openssl@3; do
        brew list --versions "$formula" >/dev/null 2>&1 || brew install "$formula"
    done
    exit 0
fi

missing=""
for package in libzstd-dev liblz4-dev libxxhash-dev libopenblas-dev libssl-dev pkg-config; do
    dpkg -s "$package" >/dev/null 2>&1 || missing="$missing $package"
done
# A venv of Debian's own Python needs a package of its own; others bring it along.
python3 -c 'import ensurepip' >/dev/null 2>&1 || missing="$missing python3-venv"
[ -z "$missing" ] && exit 0

if ! command -v apt-get >/dev/null 2>&1; then
    echo "Install the development files of zstd, lz4, xxHash, OpenBLAS and OpenSSL with your package manager, then try again." >&2
    exit 1
fi
sudo=""
[ "$(id -u)" = 0 ] || sudo=sudo
echo "installing:$missing"
$sudo apt-get update -qq
# shellcheck disable=SC2086  # one argument for each package
DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq $missing >/dev/null
