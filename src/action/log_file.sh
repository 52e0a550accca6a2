# shellcheck shell=sh
# Shows the last lines of a file that may not be there yet.
# $1 a folder that is ours, $2 the file in it, $3 how many lines, $4 "follow" to go on.
#
# Code in the stack's containers may put a link to any file of this machine in the file's place. Root therefore reads with the
# rights of the folder's owner; begun in the folder, that user need not come through what lies above it.
cd -P -- "$1" 2> /dev/null || exit 0
uid=$(stat -c %u . 2> /dev/null) gid=$(stat -c %g . 2> /dev/null)
as=
if [ "$(id -u)" = 0 ] && [ "${uid:-0}" != 0 ]; then
  if command -v setpriv > /dev/null; then
    as="setpriv --reuid=$uid --regid=$gid --clear-groups"
  elif [ -L "$2" ]; then
    exit 0
  fi
fi
# Follows by name: a file that is not there yet, or is rotated, is opened when it comes.
# shellcheck disable=SC2086 # Three words, or none.
if [ "$4" = follow ]; then exec $as tail -n "$3" -F -- "$2"; fi
# shellcheck disable=SC2086
[ ! -e "$2" ] || exec $as tail -n "$3" -- "$2"
