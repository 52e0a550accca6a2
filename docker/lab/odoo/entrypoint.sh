#!/usr/bin/env bash
# Keeps the contract of ghcr.io/adomi-io/odoo: secrets become variables, variables become odoo.conf,
# the hook runs, then Odoo or the given command takes this process over.
set -euo pipefail

for secret in /run/secrets/*; do
    [[ -f $secret && -s $secret ]] || continue
    name=$(basename "$secret")
    export "${name^^}=$(<"$secret")"
done

# Folders that hold something come before the rest of the addons path.
for folder in /volumes/enterprise /volumes/extra_addons; do
    [[ -z $(ls -A "$folder" 2> /dev/null) ]] || ODOO_ADDONS_PATH=$folder${ODOO_ADDONS_PATH:+,$ODOO_ADDONS_PATH}
done
export ODOO_ADDONS_PATH=${ODOO_ADDONS_PATH:-}

export ODOO_ADMIN_PASSWD=${ODOO_ADMIN_PASSWD:-admin}
export ODOO_DATA_DIR=${ODOO_DATA_DIR:-/volumes/data}
export ODOO_DB_HOST=${ODOO_DB_HOST:-} ODOO_DB_PORT=${ODOO_DB_PORT:-5432} ODOO_DB_NAME=${ODOO_DB_NAME:-}
export ODOO_DB_USER=${ODOO_DB_USER:-} ODOO_DB_PASSWORD=${ODOO_DB_PASSWORD:-} ODOO_DB_SSLMODE=${ODOO_DB_SSLMODE:-prefer}
export ODOO_DB_MAXCONN=${ODOO_DB_MAXCONN:-64} ODOO_DB_TEMPLATE=${ODOO_DB_TEMPLATE:-template0}
export ODOO_DBFILTER=${ODOO_DBFILTER:-} ODOO_LIST_DB=${ODOO_LIST_DB:-True} ODOO_PROXY_MODE=${ODOO_PROXY_MODE:-False}
export ODOO_HTTP_PORT=${ODOO_HTTP_PORT:-8069} ODOO_GEVENT_PORT=${ODOO_GEVENT_PORT:-8072}
export ODOO_INIT=${ODOO_INIT:-} ODOO_UPDATE=${ODOO_UPDATE:-} ODOO_WITHOUT_DEMO=${ODOO_WITHOUT_DEMO:-True}
export ODOO_LOGFILE=${ODOO_LOGFILE:-} ODOO_LOG_LEVEL=${ODOO_LOG_LEVEL:-info}
export ODOO_MAX_CRON_THREADS=${ODOO_MAX_CRON_THREADS:-2} ODOO_WORKERS=${ODOO_WORKERS:-0}
export ODOO_LIMIT_TIME_CPU=${ODOO_LIMIT_TIME_CPU:-60} ODOO_LIMIT_TIME_REAL=${ODOO_LIMIT_TIME_REAL:-120}
export ODOO_LIMIT_TIME_REAL_CRON=${ODOO_LIMIT_TIME_REAL_CRON:--1} ODOO_LIMIT_REQUEST=${ODOO_LIMIT_REQUEST:-65536}
export ODOO_LIMIT_MEMORY_SOFT=${ODOO_LIMIT_MEMORY_SOFT:-2147483648} ODOO_LIMIT_MEMORY_HARD=${ODOO_LIMIT_MEMORY_HARD:-2684354560}
export ODOO_SERVER_WIDE_MODULES=${ODOO_SERVER_WIDE_MODULES:-base,rpc,web}
export ODOO_RC=${ODOO_RC:-/volumes/config/_generated.conf}

wait_for_database() {
    local turn
    for ((turn = 0; turn < 150; turn++)); do
        ! pg_isready --quiet --host "$ODOO_DB_HOST" --port "$ODOO_DB_PORT" || return 0
        sleep 0.2
    done
    echo "the database at $ODOO_DB_HOST:$ODOO_DB_PORT does not answer" >&2
    exit 1
}

envsubst < "${IMAGE_CONFIG_LOCATION:-/volumes/config/odoo.conf}" > "$ODOO_RC"

/hook_setup "$@"

case ${1:-odoo} in
    odoo | --) shift || true ;;
    -*) ;;
    *) exec "$@" ;;
esac
wait_for_database
exec /odoo/odoo-bin "$@"
