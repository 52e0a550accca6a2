"""The command line: `odoo-bin [server] …`, `odoo-bin neutralize …`, `odoo-bin shell …`."""

import code
import logging
import os
import signal
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import psycopg2

from . import config as settings
from . import cron, database, modules, neutralize, web

log = logging.getLogger("odoo")

# Odoo's main thread sleeps for up to 60 s at a time, and one signal does not always wake it. Here it never does, unless a
# test says otherwise: 0 stops at once.
SLEEPS_ON = float(os.environ.get("LAB_ODOO_SLEEPS_ON", "60"))

COMMANDS = ("server", "neutralize", "shell")


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
    signals = []

    def told_to_stop(number, _frame) -> None:
        signals.append(number)
        if len(signals) > 1:
            print("Forced shutdown.", file=sys.stderr, flush=True)
            os._exit(0)
        stopping.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, told_to_stop)
    failed = not all([prepared(config, name) for name in config.databases])
    if config.stop_after_init:
        return 255 if failed else 0
    servers = web.start(config) if config.http else []
    workers = cron.start(config, stopping)
    stopping.wait()
    # The signal is noted, and the main thread sleeps its turn out before it looks: meanwhile pages are served.
    time.sleep(SLEEPS_ON)
    log.info("Initiating shutdown")
    for server in servers:
        server.shutdown()
    for worker in workers:
        worker.join(timeout=5)
    return 0


def prepared(config, name: str) -> bool:
    """Prepares a database. As in Odoo an error goes into the log, and does not keep the server from serving."""
    try:
        prepare(config, name)
        return True
    except Exception:
        log.critical("Failed to initialize database `%s`.", name, exc_info=True)
        return False


def prepare(config, name: str) -> None:
    """Creates the database if it is missing, then installs and updates."""
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
