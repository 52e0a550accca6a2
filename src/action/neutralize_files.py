# Prints the data/neutralize.sql files of the modules that are given second, found in the folders that are given first, as
# [{"module": "…", "path": "…", "sql": "…"}, …]: each after those of the modules that it depends on. Of two folders with the
# same module the first one counts, as it does for Odoo. The third argument names the folders of Odoo's own modules, whose
# files are not read: they are there for the order.
import ast
import json
import os
import sys

folders, wanted, own = (argument.split(",") for argument in sys.argv[1:4])
wanted = {name for name in wanted if name}
places = {}
for folder in folders:
    for name in sorted(os.listdir(folder)) if os.path.isdir(folder) else []:
        manifest = os.path.join(folder, name, "__manifest__.py")
        if name in wanted and name not in places and os.path.isfile(manifest):
            with open(manifest, encoding="utf-8") as file:
                places[name] = (folder, list(ast.literal_eval(file.read()).get("depends", [])))

ordered, seen = [], set()
for first in sorted(places):
    stack = [(first, False)]
    while stack:
        name, done = stack.pop()
        if done:
            ordered.append(name)
        elif name in places and name not in seen:
            seen.add(name)
            stack.append((name, True))
            stack.extend((before, False) for before in sorted(places[name][1], reverse=True))

found = []
for name in ordered:
    folder = places[name][0]
    path = os.path.join(folder, name, "data", "neutralize.sql")
    if folder not in own and os.path.isfile(path):
        with open(path, encoding="utf-8") as file:
            found.append({"module": name, "path": path, "sql": file.read()})
print(json.dumps(found))
