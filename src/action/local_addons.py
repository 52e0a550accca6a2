# Prints the modules of the folders that are given, as {"name": ["dependency", …]}. A folder with web_enterprise in it
# is Odoo's own enterprise source: nothing there is the project's, and updating all of it takes hours.
import ast
import json
import os
import sys

found = {}
for folder in sys.argv[1].split(","):
    names = sorted(os.listdir(folder)) if os.path.isdir(folder) else []
    if "web_enterprise" in names:
        continue
    for name in names:
        path = os.path.join(folder, name, "__manifest__.py")
        if os.path.isfile(path):
            with open(path, encoding="utf-8") as file:
                manifest = ast.literal_eval(file.read())
            if manifest.get("installable", True):
                found[name] = list(manifest.get("depends", []))
print(json.dumps(found))
