"""Settings as Odoo reads them: the file named by ODOO_RC or -c, and the command line over it.

From 19.0 on, Odoo reads `ODOO_<OPTION>` from the environment too, and it weighs more than the file.
"""

import argparse
import configparser
import os
from dataclasses import dataclass
from pathlib import Path

SERIES = os.environ.get("ODOO_VERSION", "18.0")
READS_ENVIRONMENT = float(SERIES) >= 19
VERSION = f"Odoo Server {SERIES} (stand-in of the opw-task lab: this is not Odoo)"
UNSET = ("", "none", "false")

# Accepted because scripts pass them; the stand-in has nothing that they could change.
IGNORED_OPTIONS = (
    "--log-level", "--log-handler", "--load-language", "--limit-memory-soft", "--limit-memory-hard",
    "--limit-time-cpu", "--limit-time-real", "--limit-time-real-cron", "--limit-request", "--db_maxconn",
    "--db_sslmode", "--db-filter", "--dev", "--test-tags", "--i18n-import", "--load", "--http-interface",
)
IGNORED_FLAGS = ("--test-enable", "--i18n-overwrite", "--syslog")


@dataclass
class Config:
    databases: list[str]
    database: dict[str, str]
    addons_path: list[Path]
    filestore: Path
    logfile: str | None
    http_port: int
    gevent_port: int
    http: bool
    cron_threads: int
    init: list[str]
    update: list[str]
    stop_after_init: bool
    list_db: bool
    proxy_mode: bool
    admin_passwd: str


def parser(command: str) -> argparse.ArgumentParser:
    options = argparse.ArgumentParser(prog="odoo-bin", description=VERSION, allow_abbrev=False)
    if command == "server":
        options.add_argument("--version", action="version", version=VERSION)
    if command == "neutralize":
        options.add_argument("--stdout", action="store_true", help="print the SQL, change nothing")
    options.add_argument("-c", "--config", default=os.environ.get("ODOO_RC", "/volumes/config/_generated.conf"))
    options.add_argument("-d", "--database", "--db_name")
    options.add_argument("--db_host")
    options.add_argument("--db_port")
    options.add_argument("-r", "--db_user")
    options.add_argument("-w", "--db_password")
    options.add_argument("-D", "--data-dir")
    options.add_argument("--addons-path")
    options.add_argument("-i", "--init")
    options.add_argument("-u", "--update")
    options.add_argument("--without-demo", nargs="?", const="all")
    options.add_argument("--with-demo", action="store_true")
    options.add_argument("--stop-after-init", action="store_true")
    options.add_argument("--no-http", action="store_true")
    options.add_argument("-p", "--http-port", type=int)
    options.add_argument("--gevent-port", type=int)
    options.add_argument("--max-cron-threads", type=int)
    options.add_argument("--workers", type=int)
    options.add_argument("--logfile")
    options.add_argument("--proxy-mode", action="store_const", const="True")
    options.add_argument("--no-database-list", dest="list_db", action="store_const", const="False")
    for name in IGNORED_OPTIONS:
        options.add_argument(name, help=argparse.SUPPRESS)
    for name in IGNORED_FLAGS:
        options.add_argument(name, action="store_true", help=argparse.SUPPRESS)
    return options


def load(arguments: argparse.Namespace) -> Config:
    file = configparser.RawConfigParser()
    file.read(arguments.config)

    def setting(name: str, given=None, default=None):
        if given is not None:
            return given
        value = os.environ.get(f"ODOO_{name.upper()}") if READS_ENVIRONMENT else None
        if value is None:
            value = file.get("options", name, fallback="")
        value = value.strip()
        return default if value.lower() in UNSET else value

    def is_on(name: str, default: bool, given: str | None = None) -> bool:
        if given is None and READS_ENVIRONMENT:
            given = os.environ.get(f"ODOO_{name.upper()}")
        value = file.get("options", name, fallback=str(default)) if given is None else given
        return value.strip().lower() in ("1", "true", "yes", "on", "t")

    def names(text: str | None) -> list[str]:
        return [name.strip() for name in (text or "").split(",") if name.strip()]

    addons = [Path(path) for path in names(setting("addons_path", arguments.addons_path))]
    data_dir = Path(setting("data_dir", arguments.data_dir, "/volumes/data"))
    connection = {
        "host": setting("db_host", arguments.db_host),
        "port": setting("db_port", arguments.db_port),
        "user": setting("db_user", arguments.db_user),
        "password": setting("db_password", arguments.db_password),
        "application_name": f"odoo-{os.getpid()}",
    }
    return Config(
        databases=names(setting("db_name", arguments.database)),
        database={key: value for key, value in connection.items() if value},
        # Odoo looks in its own addons last, whatever the path says.
        addons_path=list(dict.fromkeys([*addons, Path("/odoo/addons")])),
        filestore=data_dir / "filestore",
        logfile=setting("logfile", arguments.logfile),
        http_port=int(setting("http_port", arguments.http_port, 8069)),
        gevent_port=int(setting("gevent_port", arguments.gevent_port, 8072)),
        http=not arguments.no_http,
        cron_threads=int(setting("max_cron_threads", arguments.max_cron_threads, 2)),
        # These two are no options of the file.
        init=names(setting("init", arguments.init) if READS_ENVIRONMENT else arguments.init),
        update=names(setting("update", arguments.update) if READS_ENVIRONMENT else arguments.update),
        stop_after_init=arguments.stop_after_init,
        list_db=is_on("list_db", True, arguments.list_db),
        proxy_mode=is_on("proxy_mode", False, arguments.proxy_mode),
        admin_passwd=setting("admin_passwd", default="admin"),
    )
