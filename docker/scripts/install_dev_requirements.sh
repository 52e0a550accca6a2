#!/bin/bash
# As install_prod_requirements.sh, with the project's development group and extras.
set -euo pipefail
exec bash "$(dirname "$0")/install_prod_requirements.sh" --all-groups --all-extras
