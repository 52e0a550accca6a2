# shellcheck shell=sh
# Prints `NAME password`, `NAME configuration` or `NAME addons` for each volume below /v that holds such.
for name; do
  folder=/v/$name/_data
  if [ -f "$folder/_generated.conf" ]; then
    if grep -q '^db_password *= *[^ ]' "$folder/_generated.conf"; then
      echo "$name password"
    else
      echo "$name configuration"
    fi
    continue
  fi
  for file in "$folder"/*/__manifest__.py "$folder"/*/*/__manifest__.py; do
    [ ! -f "$file" ] || { echo "$name addons"; break; }
  done
done
