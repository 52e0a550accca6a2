#!/bin/bash
# install_prod_requirements.sh [UV SYNC OPTION…]
# Install into /venv, beside what the base image has there: the project's locked packages (/volumes/pyproject.toml and
# /volumes/uv.lock), then Odoo's requirements, then those of every addon. Nothing that Odoo brought is removed.
# Without options, the development group is left out.
set -euo pipefail
source "$(dirname "$0")/trust.sh"

selection=("$@")
((${#selection[@]})) || selection=(--no-dev)

export UV_PROJECT_ENVIRONMENT=/venv VIRTUAL_ENV=/venv
export UV_PYTHON_INSTALL_DIR=/opt/python UV_LINK_MODE=copy UV_COMPILE_BYTECODE=1 UV_NO_PROGRESS=1

install() {
    echo "requirements: $1"
    uv pip install --python /venv/bin/python --requirement "$1" || {
        echo "requirements: $1 could not be installed; uv says why above" >&2
        exit 1
    }
}

wanted=${PYTHON_VERSION:-}
present=$(/venv/bin/python -c 'import sys; print("%d.%d" % sys.version_info[:2])')
if [[ -n $wanted && $wanted != "$present" && $wanted != "$present".* ]]; then
    if [[ ! -f /odoo/requirements.txt ]]; then
        echo "requirements: PYTHON_VERSION is $wanted, /venv has $present, and without /odoo/requirements.txt" >&2
        echo "it cannot be made anew. Leave PYTHON_VERSION empty, or take a base image with that Python." >&2
        exit 1
    fi
    echo "requirements: /venv is made anew with Python $wanted instead of $present"
    uv venv --clear --seed --python "$wanted" /venv
    install /odoo/requirements.txt
    if [[ -f /odoo/setup.py ]]; then
        uv pip install --python /venv/bin/python /odoo # for the `odoo` command
    fi
fi

# --python: were the project to ask for another Python than /venv has, uv would replace /venv; this way it says so.
# --inexact: leave what is not in the lock.
uv sync --project /volumes --python /venv/bin/python --frozen --inexact --no-install-project "${selection[@]}"

for requirements in /odoo/requirements.txt \
    /opt/extra_addons/.requirements/*.txt /opt/extra_addons/*/requirements.txt \
    /volumes/addons/requirements.txt /volumes/addons/*/requirements.txt; do
    [[ ! -f $requirements ]] || install "$requirements"
done

# Odoo runs as `ubuntu`: a Python that only root can reach would be noticed on the first start.
if ! said=$(runuser --user ubuntu -- /venv/bin/python -c 'import sys' 2>&1); then
    echo "requirements: the user ubuntu cannot run /venv/bin/python: $said" >&2
    exit 1
fi
