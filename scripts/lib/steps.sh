# shellcheck shell=bash
# Sourced: `step NAME COMMAND…` runs one step and says how long it took. The first step that fails ends the script,
# and its name is the last line, where a reader looks first.

step_name='' step_began=0

step() {
    step_name=$1 step_began=$SECONDS
    shift
    printf '\n== %s\n' "$step_name" >&2
    # Not in a condition: there, `set -e` would be off inside a function that is run as a step.
    "$@"
    printf '== %s: done in %s s\n' "$step_name" "$((SECONDS - step_began))" >&2
    step_name=
}

name_the_failed_step() {
    local code=$? what=failed
    [[ -n $step_name && $code -ne 0 ]] || return 0
    ((code != 130 && code != 143)) || what=interrupted
    printf '\n%s: %s (exit %s, after %s s)\n' "$what" "$step_name" "$code" "$((SECONDS - step_began))" >&2
}
trap name_the_failed_step EXIT
# Without these, a shell that a signal ends tells its EXIT trap of no failure.
trap 'exit 130' INT
trap 'exit 143' TERM
