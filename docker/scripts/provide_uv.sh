#!/bin/bash
# provide_uv.sh VERSION TARGET
# Put uv at TARGET/uv: the base image's own where it has one, else this version from PyPI.
set -euo pipefail
source "$(dirname "$0")/trust.sh"

version=$1 target=$2
mkdir -p "$target"
if own=$(command -v uv); then
    cp -L "$own" "$target/uv"
else
    # uv is one program without dependencies: installed aside and taken from there, it leaves nothing in /venv,
    # which need not have a pip either.
    python3 -m venv "$target/venv"
    "$target/venv/bin/pip" install --quiet --disable-pip-version-check --no-cache-dir "uv==$version"
    mv "$target/venv/bin/uv" "$target/uv"
    rm -r "$target/venv"
fi
"$target/uv" --version
