#!/bin/bash
# fetch_addons.sh TARGET
# Put the modules of every repository in ODOO_ADDON_REPOSITORIES side by side into TARGET, where Odoo can use it as one
# addons path. Entries, separated by commas: `owner/repo` (on ODOO_ADDON_HOST) or any git URL, each with an optional
# `@branch`, tag or commit; the default is `main`. Leaves behind:
#   TARGET/<module>                   the modules
#   TARGET/.requirements/<repo>.txt   a repository's own requirements
#   TARGET/.revisions                 what was fetched: repository, ref, commit
#
# The token is a file that is opened only when git asks for credentials of ODOO_ADDON_HOST: it is in no URL, no argument
# list, no environment and no git config.
set -euo pipefail
source "$(dirname "$0")/trust.sh"

target=$1
repositories=${ODOO_ADDON_REPOSITORIES:-}
host=${ODOO_ADDON_HOST:-https://github.com}
token=/run/secrets/github_token
known_hosts=/run/secrets/ssh_known_hosts

fail() {
    printf 'fetch_addons: %s\n' "$@" >&2
    exit 1
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$target/.requirements"
: >"$target/.revisions"

# Nobody can answer a question here, and no other configuration may join in.
export HOME=$work GIT_CONFIG_NOSYSTEM=1 GIT_TERMINAL_PROMPT=0
export GIT_SSH_COMMAND="ssh -o BatchMode=yes -o StrictHostKeyChecking=yes -o UserKnownHostsFile=$known_hosts"
if [[ -s $token ]]; then
    export GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0="credential.$host.helper"
    # shellcheck disable=SC2016 # git expands it, each time it needs the token
    export GIT_CONFIG_VALUE_0='!answer() { [ "$1" = get ] && printf "username=x-access-token\npassword=%s\n" "$(tr -d "\r\n" <'"$token"')"; }; answer'
fi

# parse ENTRY: sets name (for people), url, ref and directory (for files)
parse() {
    local entry=$1
    if [[ $entry =~ ^(https?|git)://[^/]*@ ]]; then
        # Not repeated in the message: what stands there is likely a password.
        fail "an entry of ODOO_ADDON_REPOSITORIES has credentials in its URL" \
            "build arguments are kept in the build's records: give the token as the secret github_token instead"
    elif [[ $entry =~ ^([a-z+]+://([^@/]+@)?[^@]+)(@(.+))?$ ]]; then
        url=${BASH_REMATCH[1]} ref=${BASH_REMATCH[4]:-main}
    elif [[ $entry =~ ^([^@/:]+@[^@/:]+:[^@]+)(@(.+))?$ ]]; then
        url=${BASH_REMATCH[1]} ref=${BASH_REMATCH[3]:-main}
    elif [[ $entry =~ ^([A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+)(@(.+))?$ ]]; then
        url=$host/${BASH_REMATCH[1]}.git ref=${BASH_REMATCH[3]:-main}
    else
        fail "'$entry' in ODOO_ADDON_REPOSITORIES is neither owner/repo[@branch] nor a git URL[@branch]"
    fi
    name=$entry
    directory=$(basename "$url" .git)
}

# checkout: the commit that ref stands for, without history, at $work/$directory. No remote is configured,
# so there is nothing that could remember a URL; this also takes commits, where `clone --branch` does not.
checkout() {
    local clone=$work/$directory
    if [[ $url == ssh://* || $url == *@*:* ]] && ! command -v ssh >/dev/null; then
        apt-get update -qq && apt-get install -y -qq --no-install-recommends openssh-client >/dev/null
    fi
    git init --quiet "$clone"
    git -C "$clone" fetch --quiet --depth 1 --no-tags "$url" "$ref" ||
        fail "$name: '$ref' could not be fetched from $url; git says why above" "$(what_it_may_need)"
    git -C "$clone" -c advice.detachedHead=false checkout --quiet FETCH_HEAD
    commit=$(git -C "$clone" rev-parse HEAD)
    rm -rf "$clone/.git"
}

# what_it_may_need: in words, for a repository that could not be fetched
what_it_may_need() {
    if [[ $url == ssh://* || $url == *@*:* ]]; then
        echo "ssh needs: docker build --ssh default --secret id=ssh_known_hosts,src=\$HOME/.ssh/known_hosts"
    elif [[ $url != "$host"/* ]]; then
        echo "a token is sent only to ODOO_ADDON_HOST, which is $host"
    elif [[ -s $token ]]; then
        echo "a token was given: does '$ref' exist, and may this token read the repository?"
    else
        echo "no token was given; a private repository needs: docker build --secret id=github_token,env=GITHUB_TOKEN"
    fi
}

# take_modules: move the modules of $work/$directory into the target
take_modules() {
    local clone=$work/$directory module manifests=0 manifest
    if [[ -f $clone/__manifest__.py ]]; then
        move "$clone" "$directory"
        return
    fi
    if [[ -f $clone/requirements.txt ]]; then
        mv "$clone/requirements.txt" "$target/.requirements/$directory.txt"
    fi
    # Modules stand at the root of a repository or in a folder such as addons/.
    while IFS= read -r manifest; do
        module=$(dirname "$manifest")
        [[ -d $module ]] || continue # went along with the module around it
        move "$module" "$(basename "$module")"
        manifests=$((manifests + 1))
    done < <(find "$clone" -mindepth 2 -maxdepth 4 -name __manifest__.py | sort)
    ((manifests > 0)) || fail "$name: no Odoo module (a folder with __manifest__.py) at commit $commit"
}

move() {
    [[ ! -e $target/$2 ]] || fail "$name: the module $2 came with an earlier repository already; one of the two must go"
    mv "$1" "$target/$2"
}

IFS=, read -r -a entries <<<"${repositories//[[:space:]]/}"
for entry in "${entries[@]}"; do
    [[ -n $entry ]] || continue
    parse "$entry"
    checkout
    take_modules
    printf '%s %s %s\n' "$url" "$ref" "$commit" >>"$target/.revisions"
    echo "fetch_addons: $name at $commit"
done

# Nothing here is a secret, and Odoo runs as another user.
chmod -R a+rX "$target"
