"""Installing and updating modules: what of it is seen from outside a database.

A manifest may say `lab_crons` and `lab_params` (records that an update writes again, as data files do)
and `lab_fail` (the update raises). `migrate.sql` beside it runs at every update.
"""

import ast
import json
import logging
from pathlib import Path

from . import database
from .config import SERIES

log = logging.getLogger("odoo.modules.loading")

BOOTSTRAP = Path(__file__).with_name("bootstrap.sql")


class ModuleError(Exception):
    pass


def find(config, module: str) -> Path | None:
    for folder in config.addons_path:
        if (folder / module / "__manifest__.py").is_file():
            return folder / module
    return None


def manifest(config, module: str) -> dict:
    path = find(config, module)
    if not path:
        raise ModuleError(f"module {module} is not on the addons path: {', '.join(map(str, config.addons_path))}")
    return ast.literal_eval((path / "__manifest__.py").read_text())


def bootstrap(cr) -> bool:
    """Gives an empty database Odoo's base tables."""
    if database.has_table(cr, "ir_module_module"):
        return False
    cr.execute(BOOTSTRAP.read_text())
    return True


def install(config, name: str, modules: list[str]) -> None:
    with database.cursor(config, name) as cr:
        fresh = bootstrap(cr)
        wanted = [*(["base", "web"] if fresh else []), *modules]
        for module in wanted:
            install_one(config, cr, module)


def install_one(config, cr, module: str) -> None:
    if state(cr, module) == "installed":
        return
    facts = manifest(config, module)
    for dependency in facts.get("depends", []):
        install_one(config, cr, dependency)
    if state(cr, module) is None:
        row = {"name": module, "shortdesc": json.dumps({"en_US": facts["name"]}), "state": "to install"}
        module_id = database.insert(cr, "ir_module_module", row)
        for dependency in facts.get("depends", []):
            database.insert(cr, "ir_module_module_dependency", {"module_id": module_id, "name": dependency})
    load(config, cr, module, facts)


def update(config, name: str, modules: list[str]) -> None:
    """Updates the modules and, as Odoo does, every installed module that depends on them."""
    modules = ["base" if module == "all" else module for module in modules]
    with database.cursor(config, name) as cr:
        for module in modules:
            refuse_broken(module, manifest(config, module))
        cr.execute(
            """WITH RECURSIVE touched AS (
                   SELECT id, name, 0 AS depth FROM ir_module_module WHERE name = ANY(%s) AND state IN ('installed', 'to upgrade')
                   UNION
                   SELECT m.id, m.name, t.depth + 1
                   FROM touched t
                   JOIN ir_module_module_dependency d ON d.name = t.name
                   JOIN ir_module_module m ON m.id = d.module_id AND m.state IN ('installed', 'to upgrade')
                   WHERE t.depth < 50)
               SELECT name FROM touched GROUP BY name ORDER BY max(depth), name""",
            [modules],
        )
        for (module,) in cr.fetchall():
            if find(config, module):
                load(config, cr, module, manifest(config, module))
            else:
                log.error("module %s: not found, skipped; its crons are brought back all the same", module)
                activate_crons(cr, module)


def load(config, cr, module: str, facts: dict) -> None:
    log.info("loading module %s", module)
    refuse_broken(module, facts)
    for cron in facts.get("lab_crons", []):
        write_cron(cr, module, cron)
    for key, value in facts.get("lab_params", {}).items():
        cr.execute("UPDATE ir_config_parameter SET value = %s WHERE key = %s", [value, key])
        if not cr.rowcount:
            database.insert(cr, "ir_config_parameter", {"key": key, "value": value, "type": "str"})
    activate_crons(cr, module)
    migration = find(config, module) / "migrate.sql"
    if migration.is_file():
        cr.execute(migration.read_text())
    version = f"{SERIES}.{facts.get('version', '1.0')}"
    cr.execute("UPDATE ir_module_module SET state = 'installed', latest_version = %s WHERE name = %s", [version, module])


def refuse_broken(module: str, facts: dict) -> None:
    if facts.get("lab_fail"):
        raise ModuleError(f"module {module} fails, as its manifest says")


def activate_crons(cr, module: str) -> None:
    cr.execute(
        """UPDATE ir_cron SET active = true
           WHERE id IN (SELECT res_id FROM ir_model_data WHERE model = 'ir.cron' AND module = %s)""",
        [module],
    )


def write_cron(cr, module: str, cron: dict) -> None:
    cr.execute("SELECT 1 FROM ir_model_data WHERE module = %s AND name = %s AND model = 'ir.cron'", [module, cron["id"]])
    if cr.fetchone():
        return
    number, unit = cron["every"].split()
    action = database.insert(cr, "ir_act_server", {
        "name": json.dumps({"en_US": cron["name"]}), "type": "ir.actions.server", "binding_type": "action",
        "usage": "ir_cron", "state": "code", "model_name": "res.partner", "model_id": 1, "code": "pass",
    })
    cron_id = database.insert(cr, "ir_cron", {
        "ir_actions_server_id": action, "cron_name": cron["name"], "user_id": 1, "active": True, "priority": 5,
        "interval_number": int(number), "interval_type": unit, "numbercall": -1, "doall": False,
        "nextcall": "2000-01-01",
    })
    database.insert(cr, "ir_model_data", {
        "module": module, "name": cron["id"], "model": "ir.cron", "res_id": cron_id, "noupdate": True,
    })


def state(cr, module: str) -> str | None:
    cr.execute("SELECT state FROM ir_module_module WHERE name = %s", [module])
    row = cr.fetchone()
    return row and row[0]
