# Prints which Odoo the image has, and the modules of its addon folders, as {"version": "…", "modules": ["…", …]}. The first
# argument names folders that an image may have beyond those of ODOO_ADDONS_PATH. No module's code is run: a manifest is read as
# data, and one that cannot be read so counts as a module.
import ast
import glob
import json
import os
import re
import subprocess
import sys

ODOO = "/odoo/odoo-bin"
RELEASE = "/odoo/odoo/release.py"


def version():
    if os.path.isfile(RELEASE):
        with open(RELEASE, encoding="utf-8") as file:
            found = re.search(r"version_info\s*=\s*\(([^)]*)\)", file.read())
        if found:
            major, minor = [part.strip().strip("'\"") for part in found.group(1).split(",")][:2]
            return f"{major}.{minor}"
    try:
        asked = subprocess.run([ODOO, "--version"], capture_output=True, text=True, timeout=60)
        if asked.returncode == 0:
            return asked.stdout.strip()
    except (OSError, subprocess.TimeoutExpired):
        pass
    return os.environ.get("ODOO_VERSION")


def installable(path):
    with open(path, encoding="utf-8", errors="replace") as file:
        text = file.read()
    if "installable" not in text:
        return True
    try:
        return bool(ast.literal_eval(text).get("installable", True))
    except (ValueError, SyntaxError, AttributeError):
        return True


folders = os.environ.get("ODOO_ADDONS_PATH", "").split(",") + sys.argv[1].split(",")
modules = {}
for folder in dict.fromkeys(folder.strip() for folder in folders):
    for path in glob.glob(os.path.join(folder, "*", "__manifest__.py")) if folder else []:
        # Of two folders with the same module the first one counts, as it does for Odoo.
        modules.setdefault(os.path.basename(os.path.dirname(path)), path)
print(json.dumps({"version": version(), "modules": sorted(name for name, path in modules.items() if installable(path))}))
