# shellcheck shell=bash
# Sourced by the scripts beside this folder: sees to it that the machine has what they need.
#
#   prepare_machine [checks] [lab]    what builds the crate; `checks`: and what checks it; `lab`: and what the lab needs, a
#                                     running Docker engine with compose and buildx, ssh, rsync …
#
# On Debian, as root, it installs what is missing, having said what. Anywhere else it says what is missing and how to get
# it, exits with 2 and changes nothing. Where nothing is missing it says nothing.

least_rust=$(sed -n 's/^rust-version = "\(.*\)"$/\1/p' Cargo.toml)
least_compose=2.20
dockerd_log=/var/log/dockerd.log

: "${HOME:=$(getent passwd "$(id -u)" | cut -d : -f 6)}"
export HOME

# Debian 12 has no compose v2 and no buildx; Debian 13's are single programs that run on both.
plugin_source="deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian trixie main"
plugin_folder=${DOCKER_CONFIG:-$HOME/.docker}/cli-plugins

# Daemons live in sbin, which a plain user's PATH often lacks; rustup's cargo is on the PATH of login shells only.
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin:$HOME/.cargo/bin

say() { printf '%s\n' "$*" >&2; }

has() { command -v "$1" >/dev/null; }

# at_least LEAST VERSION
at_least() { [[ -n ${2:-} && $(printf '%s\n%s\n' "$1" "$2" | sort -V | head -n 1) == "$1" ]]; }

rust_is_there() { has cargo && at_least "$least_rust" "$(cargo --version 2>/dev/null | cut -d ' ' -f 2)"; }

engine_answers() { docker version --format '{{.Server.Version}}' >/dev/null 2>&1; }

compose_is_there() { at_least "$least_compose" "$(docker compose version --short 2>/dev/null | sed 's/^v//')"; }

buildx_is_there() { docker buildx version >/dev/null 2>&1; }

can_install() { [[ $EUID -eq 0 && -f /etc/debian_version ]] && has apt-get; }

# survey [checks] [lab]: sets `packages` (Debian packages to install), `plugins` (Docker plugins to fetch) and `engine` (to start)
survey() {
    packages=() plugins=() engine=
    has cc || packages+=(build-essential)
    has git || packages+=(git)
    if [[ " $* " == *" checks "* ]]; then
        has shellcheck || packages+=(shellcheck)
        # Debian's python3 makes no environments for packages from PyPI by itself.
        python3 -c 'import ensurepip' 2>/dev/null || packages+=(python3-venv)
    fi
    [[ " $* " == *" lab "* ]] || return 0

    has curl || packages+=(curl ca-certificates)
    has ssh || packages+=(openssh-client)
    has sshd || packages+=(openssh-server)
    has rsync || packages+=(rsync)
    has psql || packages+=(postgresql-client)
    has mmdebstrap || packages+=(mmdebstrap)
    if ! engine_answers; then
        engine=start
        # A docker program alone is no engine: it may be the client of somebody else's.
        has docker && has dockerd || packages+=(docker.io)
        has iptables || packages+=(iptables)
    fi
    compose_is_there || plugins+=(docker-compose)
    buildx_is_there || plugins+=(docker-buildx)
}

explain_rust() {
    say "Missing: Rust $least_rust or newer ($(has cargo && cargo --version || echo 'no cargo on PATH'))."
    say "  https://rustup.rs installs it: curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh"
}

# explain: what is missing, for a machine on which we do not install
explain() {
    ((${#packages[@]} || ${#plugins[@]})) || [[ -n $engine ]] || return 0
    say "This machine lacks:"
    if ((${#packages[@]})); then
        say "  packages: ${packages[*]}"
        if has apt-get; then
            say "    sudo apt-get install ${packages[*]}"
        else
            say "    these are Debian's names; your package manager has the same programs, perhaps under other names"
        fi
    fi
    if ((${#plugins[@]})); then
        say "  Docker plugins: ${plugins[*]} (compose $least_compose or newer)"
        say "    https://docs.docker.com/compose/install/linux/ and https://github.com/docker/buildx#installing"
    fi
    if [[ -n $engine ]]; then
        say "  a Docker engine that this user may talk to${DOCKER_HOST:+ at $DOCKER_HOST}"
        say "    start it (systemctl start docker), and join its group (usermod -aG docker $(id -un)), or run this as root"
    fi
    say "On Debian, as root, this script sets all of it up by itself."
}

announce() {
    say "This machine will get, because it is missing:"
    ((!${#packages[@]})) || say "  Debian packages: ${packages[*]}"
    ((!${#plugins[@]})) || say "  Docker plugins from Debian 13 in $plugin_folder: ${plugins[*]}"
    if [[ -n $engine ]]; then
        if [[ -d /run/systemd/system ]]; then
            say "  a running Docker engine: systemctl start docker"
        else
            say "  a running Docker engine: dockerd in the background, its log in $dockerd_log"
        fi
    fi
}

install_packages() (
    export DEBIAN_FRONTEND=noninteractive
    # Programs are wanted, not services: without this, openssh-server would open port 22 of this machine.
    if [[ ! -e /usr/sbin/policy-rc.d ]]; then
        trap 'rm -f /usr/sbin/policy-rc.d' EXIT
        printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
        chmod +x /usr/sbin/policy-rc.d
    fi
    apt-get update -qq
    apt-get install -y -qq --no-install-recommends "${packages[@]}" >/dev/null
)

# The package lists of Debian 13 are kept apart and thrown away, so that this machine's apt never sees them.
fetch_plugins() (
    scratch=$(mktemp -d)
    trap 'rm -rf "$scratch"' EXIT
    cd "$scratch" || exit
    mkdir -p lists/partial cache/archives/partial
    echo "$plugin_source" >sources.list
    apt=(apt-get -qq -o Dir::Etc::sourcelist="$scratch/sources.list" -o Dir::Etc::sourceparts=- -o Dir::State::lists="$scratch/lists"
        -o Dir::Cache="$scratch/cache" -o APT::Sandbox::User=root)
    "${apt[@]}" update
    "${apt[@]}" download "${plugins[@]}"
    for package in ./*.deb; do
        dpkg -x "$package" unpacked
    done
    mkdir -p "$plugin_folder"
    for plugin in "${plugins[@]}"; do
        install -m 755 "unpacked/usr/libexec/docker/cli-plugins/$plugin" "$plugin_folder/"
    done
)

start_engine() {
    local deadline=$((SECONDS + 60)) dockerd=
    if [[ -n ${DOCKER_HOST:-} && $DOCKER_HOST != unix:///var/run/docker.sock ]]; then
        say "No Docker engine answers at DOCKER_HOST=$DOCKER_HOST. Start it there, or unset DOCKER_HOST to use this machine's own."
        exit 2
    fi
    if [[ -d /run/systemd/system ]]; then
        systemctl start docker
    else
        # Apart from this terminal, so that Ctrl-C on this script does not end the engine.
        setsid dockerd >>"$dockerd_log" 2>&1 </dev/null &
        dockerd=$!
    fi
    until engine_answers; do
        if [[ -n $dockerd ]] && ! kill -0 "$dockerd" 2>/dev/null; then
            say "dockerd ended instead of starting; the end of $dockerd_log:"
            tail -n 20 "$dockerd_log" >&2
            exit 2
        fi
        if ((SECONDS > deadline)); then
            say "The Docker engine does not answer after 60 s. What it says: $([[ -n $dockerd ]] && echo "$dockerd_log" || echo 'journalctl -u docker')"
            exit 2
        fi
        sleep 0.2
    done
}

prepare_machine() {
    local packages plugins engine
    survey "$@"
    if ! rust_is_there; then
        explain_rust
        can_install || explain
        exit 2
    fi
    if ((!${#packages[@]} && !${#plugins[@]})) && [[ -z $engine ]]; then
        return 0
    fi
    if ! can_install; then
        explain
        exit 2
    fi

    announce
    ((!${#packages[@]})) || install_packages
    ((!${#plugins[@]})) || fetch_plugins
    [[ -z $engine ]] || start_engine

    hash -r
    survey "$@"
    if ((${#packages[@]} || ${#plugins[@]})) || [[ -n $engine ]]; then
        say "Set up, and still:"
        explain
        exit 2
    fi
}
