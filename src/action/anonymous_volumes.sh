# shellcheck shell=sh
# See anonymous_volumes.rs.
umask 077
notes=$3/volumes

# NAME for each anonymous volume of the project's containers of the image.
here() {
  containers=$(docker ps --all --quiet --filter "label=com.docker.compose.project=$1") || return
  [ -n "$containers" ] || return 0
  # shellcheck disable=SC2086 # Identities are words of hexadecimal digits.
  docker inspect --format '{{$image := .Config.Image}}{{range .Mounts}}{{if eq .Type "volume"}}{{$image}} {{.Destination}} {{.Name}}{{println}}{{end}}{{end}}' $containers |
    while read -r image target name; do
      case $target in /volumes/data | /volumes/logs | /volumes/data/* | /volumes/logs/*) continue ;; esac
      if [ "$image" = "$2" ] && [ "${#name}" -eq 64 ]; then
        case $name in *[!0-9a-f]*) ;; *) echo "$name" ;; esac
      fi
    done
}

now=$(here "$1" "$2") || exit
noted=
[ ! -f "$notes" ] || noted=$(cat -- "$notes")
if [ -z "$now$noted" ]; then exit 0; fi
mkdir -p -- "$3" || exit

left=$now
for name in $noted; do
  case $now in *"$name"*) continue ;; esac
  if [ "$4" = remove ] && docker volume rm -- "$name" > /dev/null 2>&1; then
    echo "$name"
  elif docker volume inspect -- "$name" > /dev/null 2>&1; then
    left="$left
$name"
  fi
done
printf '%s\n' "$left" > "$notes.new" && mv -- "$notes.new" "$notes"
