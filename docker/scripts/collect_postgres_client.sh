#!/bin/bash
# collect_postgres_client.sh TARGET
# Gather PostgreSQL's client programs, with every shared library they need down to the C library, so that they run on
# any Linux image of the same architecture: postgres:17 is built on a newer Debian than the Ubuntu that Odoo comes on,
# and copying programs and libpq alone ends with "version `GLIBC_2.x' not found" one day.
set -euo pipefail

target=$1
programs=(psql pg_dump pg_dumpall pg_restore pg_isready createdb dropdb vacuumdb)

pg_dump=$(find /usr/lib/postgresql -path '*/bin/pg_dump' 2>/dev/null | sort -V | tail -n 1)
if [[ -z $pg_dump ]]; then
    echo "collect_postgres_client: no pg_dump under /usr/lib/postgresql: POSTGRES_IMAGE must be a Debian-based PostgreSQL image" >&2
    exit 1
fi
source_bin=$(dirname "$pg_dump")

mkdir -p "$target"/{bin,lib,libexec}

# Each program is entered through its own loader. argv[0] names the wrapper, because pg_dumpall looks for a pg_dump
# beside itself. Nothing is put into the environment, so a pager or editor started by psql uses its own libraries.
cat >"$target/run" <<'WRAPPER'
#!/bin/sh
here=/opt/postgres-client
program=${0##*/}
exec "$here/lib/loader" --inhibit-cache --library-path "$here/lib" --argv0 "$here/bin/$program" "$here/libexec/$program" "$@"
WRAPPER
chmod 755 "$target/run"

for program in "${programs[@]}"; do
    cp "$source_bin/$program" "$target/libexec/$program"
    cp "$target/run" "$target/bin/$program"
    # `libpq.so.5 => /usr/lib/…/libpq.so.5 (0x…)` for a library, `/lib64/ld-linux-x86-64.so.2 (0x…)` for the loader
    ldd "$source_bin/$program" | awk '$2 == "=>" { print $3 } $1 ~ "^/" { print $1 }'
done | sort -u | while read -r library; do
    cp -L "$library" "$target/lib/"
    case $library in */ld-*) ln -sf "$(basename "$library")" "$target/lib/loader" ;; esac
done
rm "$target/run"

"$source_bin/pg_dump" --version
