"""Cron workers: every second they look into each database that Odoo would look into, and run what is due there."""

import logging
import threading

import psycopg2

from . import database

log = logging.getLogger("odoo.addons.base.models.ir_cron")


def start(config, stopping: threading.Event) -> list[threading.Thread]:
    threads = [
        threading.Thread(target=work, args=(config, stopping), name=f"cron{number}", daemon=True)
        for number in range(config.cron_threads)
    ]
    for thread in threads:
        thread.start()
    return threads


def work(config, stopping: threading.Event) -> None:
    while not stopping.wait(1):
        try:
            for name in config.databases or database.owned(config):
                run_due(config, name)
        except psycopg2.Error as error:
            log.warning("no crons this round: %s", str(error).strip())


def run_due(config, name: str) -> None:
    try:
        with database.cursor(config, name) as cr:
            if not database.has_table(cr, "ir_cron"):
                return
            cr.execute(
                """UPDATE ir_cron SET lastcall = now() AT TIME ZONE 'UTC',
                          nextcall = (now() AT TIME ZONE 'UTC') + (interval_number || ' ' || interval_type)::interval
                   WHERE id IN (SELECT id FROM ir_cron
                                WHERE active AND nextcall <= now() AT TIME ZONE 'UTC'
                                ORDER BY priority, id FOR NO KEY UPDATE SKIP LOCKED)
                   RETURNING cron_name"""
            )
            jobs = [job for (job,) in cr.fetchall()]
            if jobs and database.has_table(cr, "lab_cron_log"):
                for job in jobs:
                    cr.execute("INSERT INTO lab_cron_log (database, cron, ran_at) VALUES (%s, %s, now())", [name, job])
    except psycopg2.Error as error:
        log.warning("crons of database %s did not run: %s", name, str(error).strip())
        return
    for job in jobs:
        log.info("job %s ran in database %s", job, name)
