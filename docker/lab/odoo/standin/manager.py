"""The database manager: whoever reaches it may list, and with the master password take away, what the server can open.

With `list_db` off, each of its pages answers that it is disabled: status 200 and no data, as in Odoo.
"""

import io
import json
import logging
import os
import subprocess
import zipfile
from html import escape
from urllib.parse import parse_qs

from . import database
from .config import SERIES

log = logging.getLogger("odoo.addons.web.controllers.database")

DISABLED = "The database manager has been disabled by the administrator"


class AccessDenied(Exception):
    def __init__(self):
        super().__init__("Access Denied")


def listed(config) -> list[str]:
    if not config.list_db:
        raise AccessDenied
    return config.databases or database.owned(config)


def page(config, error: str = "") -> str:
    try:
        rows = "".join(f"<li>{escape(name)}</li>" for name in listed(config))
    except AccessDenied:
        rows = f"<p>{DISABLED}</p>"
    warning = f'<div class="alert alert-danger">{escape(error)}</div>' if error else ""
    return f"<!DOCTYPE html>\n<html><head><title>Odoo</title></head><body>{warning}<ul>{rows}</ul></body></html>\n"


def names(config) -> str:
    """The answer to a JSON-RPC call."""
    try:
        return json.dumps({"jsonrpc": "2.0", "id": None, "result": listed(config)})
    except AccessDenied as error:
        return json.dumps({"jsonrpc": "2.0", "id": None, "error": {"code": 200, "message": str(error)}})


def backup(config, form: str) -> tuple[str, str | bytes, dict]:
    """A whole database as a zip archive; or the manager's page with the reason why not."""
    values = {key: value[0] for key, value in parse_qs(form).items()}
    try:
        if values.get("master_pwd") != config.admin_passwd or values.get("name") not in listed(config):
            raise AccessDenied
        return "application/octet-stream; charset=binary", archive(config, values["name"]), {}
    except (AccessDenied, subprocess.CalledProcessError) as error:
        log.error("Database.backup: %s", error)
        return "text/html; charset=utf-8", page(config, f"Database backup error: {error}"), {}


def archive(config, name: str) -> bytes:
    variables = {f"PG{key.upper()}": value for key, value in config.database.items() if key in ("host", "port", "user", "password")}
    dump = subprocess.run(["pg_dump", "--no-owner", name], env=os.environ | variables, check=True, capture_output=True).stdout
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("dump.sql", dump)
        file.writestr("manifest.json", json.dumps({"odoo_dump": "1", "db_name": name, "version": SERIES}))
    return buffer.getvalue()
