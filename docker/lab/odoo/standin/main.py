"""The command line: `odoo-bin [server] …`, `odoo-bin neutralize …`, `odoo-bin shell …`."""

import code
import logging
import signal
import sys
import threading
from pathlib import Path
from types import SimpleNamespace

import psycopg2

from . import config as settings
from . import cron, database, modules, neutralize, web

log = logging.getLogger("odoo")

COMMANDS = ("server", "neutralize", "shell", "wait-for-database")


def main(arguments: list[str]) -> int:
    command = "server"
    if arguments and not arguments[0].startswith("-"):
        command, *arguments = arguments
    if command not in COMMANDS:
        print(f"Unknown command '{command}'", file=sys.stderr)
        return 1
    options = settings.parser(command).parse_args(arguments)
    config = settings.load(options)
    start_log(config.logfile)
    if command == "server":
        return serve(config)
    if command == "wait-for-database":
        database.wait(config)
        return 0
    if not config.databases:
        print(f"odoo-bin {command}: no database named; use -d", file=sys.stderr)
        return 1
    if command == "neutralize":
        return neutralise(config, options.stdout)
    return shell(config)


def start_log(logfile: str | None) -> None:
    if logfile:
        Path(logfile).parent.mkdir(parents=True, exist_ok=True)
    logging.basicConfig(
        filename=logfile, level=logging.INFO, format="%(asctime)s %(process)d %(levelname)s ? %(name)s: %(message)s"
    )


def serve(config) -> int:
    log.info(settings.VERSION)
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    for name in config.databases:
        prepare(config, name)
    if config.stop_after_init:
        return 0
    servers = web.start(config) if config.http else []
    workers = cron.start(config, stopping)
    stopping.wait()
    log.info("stopping")
    for server in servers:
        server.shutdown()
    for worker in workers:
        worker.join(timeout=5)
    return 0


def prepare(config, name: str) -> None:
    """Creates the database if it is missing, then installs and updates. An error ends the process: exit 1, traceback."""
    created = database.create_if_missing(config, name)
    if created or config.init:
        modules.install(config, name, config.init)
    if config.update:
        modules.update(config, name, config.update)


def neutralise(config, stdout: bool) -> int:
    for name in config.databases:
        try:
            neutralize.neutralize(config, name, stdout)
        except psycopg2.Error as error:
            log.critical("An error occurred during the neutralization. THE DATABASE IS NOT NEUTRALIZED! %s", error)
            return 1
    return 0


def shell(config) -> int:
    """Python with `env.cr` in reach: from the terminal, or from standard input as a script."""
    with database.cursor(config, config.databases[0]) as cr:
        names = {"env": SimpleNamespace(cr=cr), "cr": cr}
        if sys.stdin.isatty():
            code.interact(banner=settings.VERSION, local=names)
        else:
            exec(compile(sys.stdin.read(), "<stdin>", "exec"), names)
    return 0
