# shellcheck shell=sh
# Prints what lies in a stack's folders, a fact a line, its words separated by tabs. It changes nothing.
# $1 state root, $2 Odoo's data folder, $3 PostgreSQL's, $4 the logs', $5 the checkout; then folders that are mounted.
tab=$(printf '\t')

say() {
  printf '%s' "$1"
  shift
  for word; do printf '\t%s' "$word"; done
  echo
}

# Such as the places that disks were mounted at before a stack began, or a new disk's lost+found.
has_empty_folders_alone() {
  for entry in "$1"/* "$1"/.[!.]* "$1"/..?*; do
    if [ ! -e "$entry" ] && [ ! -L "$entry" ]; then continue; fi
    if [ -L "$entry" ] || [ ! -d "$entry" ] || [ ! -r "$entry" ]; then return 1; fi
    [ -z "$(ls -A -- "$entry")" ] || return 1
  done
}

folder() {
  if [ ! -e "$2" ] && [ ! -L "$2" ]; then
    kind=absent
  elif [ ! -d "$2" ]; then
    kind='file'
  elif [ ! -r "$2" ] || [ ! -x "$2" ]; then
    kind=closed
  elif [ -z "$(ls -A -- "$2")" ] || { [ "$1" = root ] && has_empty_folders_alone "$2"; }; then
    kind=empty
  else
    kind=full
  fi
  say folder "$1" "$kind" "$(cd -P -- "$2" 2> /dev/null && pwd)"
}

# Whether the first thing in a folder has the name of a file in a filestore, which is a SHA-1. Folders of two digits are
# PostgreSQL's and those of Odoo's sessions too.
is_hashed() {
  for entry in "$1"/*; do
    entry=${entry##*/}
    case $entry in *[!0-9a-f]*) return 1 ;; esac
    [ "${#entry}" -eq 40 ]
    return
  done
}

# Clusters and filestores in and below a folder.
search() {
  for file in "$1"/PG_VERSION "$1"/*/PG_VERSION "$1"/*/*/PG_VERSION "$1"/*/*/*/PG_VERSION; do
    [ ! -f "$file" ] || say cluster "${file%/*}"
  done
  last=
  for file in "$1"/[0-9a-f][0-9a-f] "$1"/*/[0-9a-f][0-9a-f] "$1"/*/*/[0-9a-f][0-9a-f] \
    "$1"/*/*/*/[0-9a-f][0-9a-f]; do
    parent=${file%/*}
    if [ "$parent" = "$last" ] || [ ! -d "$file" ] || [ -L "$file" ] || ! is_hashed "$file"; then continue; fi
    last=$parent
    say filestore "$parent"
  done
}

begins() {
  [ -f "$1" ] && [ -r "$1" ] || return 1
  IFS= read -r first < "$1" || [ -n "$first" ] || return 1
  case $first in "# Stack "*"$2"*) return 0 ;; *) return 1 ;; esac
}

folder root "$1"
folder data "$2"
folder database "$3"
folder logs "$4"
folder checkout "$5"
folder home "${HOME:-/}"

if [ -e "$1/.opw-task" ] || [ -f "$1/.opw-task.lock" ] ||
  begins "$1/.compose.env" ": all variables merged, for docker compose." ||
  begins "$1/compose/base.yaml" ", rendered by opw-task"; then
  say mark
fi
# shellcheck disable=SC2012 # Names are only shown.
ls -A -- "$1" 2> /dev/null | head -n 12 | while IFS= read -r name; do say entry "$name"; done

if [ -d "$2/filestore" ] || [ -d "$2/sessions" ] || [ -d "$2/addons" ]; then say like data; fi
[ ! -f "$3/PG_VERSION" ] || say like database
for file in "$4"/*.log*; do
  [ ! -f "$file" ] || { say like logs; break; }
done

search "$1"
search "$2"
search "$3"
for closed in "$1"/*; do
  [ ! -d "$closed" ] || [ -r "$closed" ] || say closed "$closed"
done
if [ -f "$1/.opw-task/folders" ] && [ -r "$1/.opw-task/folders" ]; then
  while IFS=$tab read -r kind path; do
    say before "$kind" "$path"
    search "$path"
  done < "$1/.opw-task/folders"
fi

shift 5
for mount; do
  say mount "$mount" "$(cd -P -- "$mount" 2> /dev/null && pwd)"
done
say end
