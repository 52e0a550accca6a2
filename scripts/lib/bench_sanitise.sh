# shellcheck shell=bash
# shellcheck disable=SC2154 # rounds, messages and dump are what the command line said.
# Sourced by scripts/bench: sanitising and verifying against Odoo's own neutralisation, each on a fresh copy of one database,
# in a PostgreSQL of its own, in turns.

server=opw-task-bench-postgres
numbers=.lab/bench-sanitise

in_server() { docker exec -i "$server" "$@"; }
# sql DATABASE ARGUMENT…
sql() { in_server psql --username odoo --no-psqlrc --quiet --tuples-only --no-align -v ON_ERROR_STOP=1 --dbname "$@"; }

start_server() {
    docker rm --force "$server" >/dev/null 2>&1 || true
    docker run --rm --detach --name "$server" --label opw-task.lab=bench --publish 127.0.0.1:0:5432 \
        --env POSTGRES_USER=odoo --env POSTGRES_PASSWORD=lab opw-task-lab/postgres:17 \
        -c shared_preload_libraries=pg_stat_statements -c pg_stat_statements.track_planning=on -c max_wal_size=8GB >/dev/null
    # Over TCP: while the image makes its cluster, a server answers on the socket alone, and goes again.
    local deadline=$((SECONDS + 120))
    until in_server pg_isready --host 127.0.0.1 --username odoo --quiet; do
        ((SECONDS < deadline)) || { say "the bench's PostgreSQL does not answer after 120 s" && return 1; }
        sleep 0.2
    done
    sql postgres --command 'CREATE EXTENSION pg_stat_statements'
}

stop_server() { docker rm --force "$server" >/dev/null 2>&1 || true; }

# The dump that was named, or a database that is generated in the lab's upstream.
load_database() {
    start_server
    sql postgres --command 'CREATE DATABASE original TEMPLATE template0'
    sql original --command 'CREATE EXTENSION unaccent; ALTER FUNCTION unaccent(text) IMMUTABLE'
    if [[ -n $dump ]]; then
        in_server pg_restore --username odoo --no-owner --dbname original <"$dump"
    else
        docker/lab/lab up
        docker/lab/lab generate bench --partners "$partners" --messages "$messages" --files 2000
        docker/lab/lab exec sudo -u odoo pg_dump -Fc -Z0 bench |
            in_server pg_restore --username odoo --no-owner --dbname original
    fi
    sql original --command 'VACUUM ANALYZE'
}

# What Odoo's own neutralisation would run on this database; where people are replaced, the very statements of opw-task.
write_peer() {
    if [[ -n $people ]]; then
        bench_example original script >"$numbers/peer.sql"
        return
    fi
    sql original >"$numbers/has" <<'SQL'
SELECT 'odoo ' || split_part(latest_version, '.', 1) FROM ir_module_module WHERE name = 'base'
UNION ALL SELECT 'module ' || name FROM ir_module_module WHERE state = 'installed'
UNION ALL SELECT 'column ' || table_name || '.' || column_name FROM information_schema.columns WHERE table_schema = 'public'
SQL
    awk -f scripts/lib/neutralise.awk "$numbers/has" tests/data/odoo-neutralise.tsv >"$numbers/peer.sql"
}

prepare_sanitise() {
    rm -rf "$numbers" && mkdir -p "$numbers"
    docker/lab/lab images
    load_database
    cargo build --release --locked --example sanitise_bench
    write_peer
}

# bench_example DATABASE [people|script]
bench_example() {
    local port
    port=$(docker port "$server" 5432/tcp | head -n 1)
    PGPASSWORD=lab target/release/examples/sanitise_bench 127.0.0.1 "${port##*:}" odoo "$@"
}

fresh_copy() {
    sql postgres --command 'DROP DATABASE IF EXISTS copy WITH (FORCE)' --command 'CREATE DATABASE copy TEMPLATE original' \
        --command CHECKPOINT --command 'SELECT pg_stat_statements_reset()' >/dev/null
}

race_sanitise() {
    local round began
    for ((round = 1; round <= rounds; round++)); do
        fresh_copy
        bench_example copy ${people:+"$people"} >"$numbers/out"
        awk '$1 == "sanitise" || $1 == "verify" { sum += $2 } END { printf "%.2f\n", sum }' "$numbers/out" >>"$numbers/ours"
        sql postgres >>"$numbers/server" <<'SQL'
SELECT round((sum(total_exec_time + total_plan_time) / 1000)::numeric, 2) FROM pg_stat_statements
WHERE dbid = (SELECT oid FROM pg_database WHERE datname = 'copy')
SQL
        fresh_copy
        began=$EPOCHREALTIME
        sql copy --single-transaction <"$numbers/peer.sql"
        awk -v a="$began" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.2f\n", b - a }' >>"$numbers/peers"
        say "round $round: $(tr '\n' ' ' <"$numbers/out")s, the peer $(tail -n 1 "$numbers/peers") s"
    done
}

tell_sanitise() {
    local ours peers peer
    ours=$(median <"$numbers/ours") peers=$(median <"$numbers/peers")
    if [[ -n $people ]]; then
        peer="the same statements as a psql script           "
    else
        peer="Odoo's own neutralisation, $(grep -c ';$' "$numbers/peer.sql") statements     "
    fi
    cat <<TEXT

median of $rounds rounds, ${dump:-$messages messages}: $(sql original --command 'SELECT pg_size_pretty(pg_database_size(current_database()))')
  sanitise and verify, hunt and proof included   $ours s, of which the server $(median <"$numbers/server") s
  $peer $peers s
  ratio                                          $(awk -v a="$ours" -v b="$peers" 'BEGIN { printf "%.1f", a / (b ? b : 0.01) }')
TEXT
}
