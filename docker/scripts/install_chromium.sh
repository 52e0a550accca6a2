#!/bin/bash
# A Chromium for Odoo's browser tests, found by Odoo as `chromium`.
# Debian packages one. Ubuntu's package is a stub that wants snap, which no container has, so there it is Playwright's.
set -euo pipefail
source "$(dirname "$0")/trust.sh"

export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
# shellcheck source=/dev/null
if . /etc/os-release && [[ $ID == debian ]]; then
    apt-get install -y -qq --no-install-recommends chromium fonts-liberation >/dev/null
else
    apt-get install -y -qq --no-install-recommends libatomic1 >/dev/null # of Playwright's node
    export PLAYWRIGHT_BROWSERS_PATH=/opt/playwright
    uv tool run --no-cache --python /venv/bin/python "playwright==$PLAYWRIGHT_VERSION" install --with-deps --no-shell chromium
    browser=$(find /opt/playwright -type f -path '*/chromium-*/*' -name chrome)
    ln -s "$browser" /usr/local/bin/chromium
fi
rm -rf /var/lib/apt/lists/*
chromium --version
