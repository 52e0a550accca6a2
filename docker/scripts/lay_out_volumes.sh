#!/bin/bash
# Give the image the paths that stacks of both Odoo versions rely on.
set -euo pipefail

# Odoo runs as `ubuntu`, and the generated config, the filestore and the logs are its to write. Code is not.
mkdir -p /volumes/config /volumes/data /volumes/logs /volumes/addons
chown ubuntu: /volumes/config /volumes/data /volumes/logs

# 19.0 addresses the project as /opt/project.
ln -sfnT /volumes /opt/project

# 18.0 looks for the addons of other repositories in /volumes/enterprise. A base image that brings addons there keeps them.
rmdir /volumes/enterprise 2>/dev/null || true
if [[ ! -e /volumes/enterprise ]]; then
    ln -sT /opt/extra_addons /volumes/enterprise
fi

# Ahead of any older client in /usr/bin, whatever PATH says.
ln -sf /opt/postgres-client/bin/* /usr/local/bin/
