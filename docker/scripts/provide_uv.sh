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
    # uv is one program without dependencies: taken out of its wheel, it leaves nothing in /venv.
    /venv/bin/python -m pip install --quiet --disable-pip-version-check --no-cache-dir --target "$target/wheel" "uv==$version"
    mv "$target/wheel/bin/uv" "$target/uv"
    rm -r "$target/wheel"
fi
"$target/uv" --version
