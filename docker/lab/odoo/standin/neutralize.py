"""`odoo-bin neutralize`: the SQL files of the installed modules, in one transaction."""

import logging

from . import database, modules

log = logging.getLogger("odoo.modules.neutralize")


def queries(config, cr) -> list[str]:
    cr.execute("SELECT name FROM ir_module_module WHERE state IN ('installed', 'to upgrade', 'to remove') ORDER BY name")
    paths = [modules.find(config, name) for (name,) in cr.fetchall()]
    files = [path / "data/neutralize.sql" for path in paths if path]
    # A module without a file, or off the addons path, is passed over in silence: so does Odoo.
    return [file.read_text() for file in files if file.is_file()]


def neutralize(config, name: str, stdout: bool) -> None:
    with database.cursor(config, name) as cr:
        found = queries(config, cr)
        if stdout:
            print("BEGIN;", *found, "COMMIT;", sep="\n")
            return
        log.info("neutralizing database %s", name)
        for query in found:
            cr.execute(query)
        log.info("database %s is neutralized", name)
