"""Connections, and the few questions that every part asks of a database."""

import logging
from contextlib import closing, contextmanager

import psycopg2
from psycopg2 import errors, sql

log = logging.getLogger("odoo.sql_db")


def connect(config, database: str):
    return psycopg2.connect(dbname=database, connect_timeout=5, **config.database)


@contextmanager
def cursor(config, database: str):
    """A cursor in one transaction: committed when the block ends, rolled back when it raises."""
    with closing(connect(config, database)) as connection, connection, connection.cursor() as cr:
        yield cr


def owned(config) -> list[str]:
    """The databases that Odoo's crons and its database list see: those whose owner is the connected role."""
    with cursor(config, "postgres") as cr:
        cr.execute(
            """SELECT datname FROM pg_database
               WHERE datdba = (SELECT oid FROM pg_roles WHERE rolname = current_user)
                 AND NOT datistemplate AND datallowconn AND datname <> 'postgres'
               ORDER BY datname"""
        )
        return [name for (name,) in cr.fetchall()]


def create_if_missing(config, database: str) -> bool:
    """Like Odoo, makes a database that it was told to serve and that is not there."""
    with closing(connect(config, "postgres")) as connection:
        connection.autocommit = True
        with connection.cursor() as cr:
            cr.execute("SELECT 1 FROM pg_database WHERE datname = %s", [database])
            if cr.fetchone():
                return False
            statement = sql.SQL("CREATE DATABASE {} ENCODING 'unicode' LC_COLLATE 'C' TEMPLATE template0")
            try:
                cr.execute(statement.format(sql.Identifier(database)))
            except (errors.DuplicateDatabase, errors.UniqueViolation):
                return False
    log.info("created database %s", database)
    return True


def has_table(cr, table: str) -> bool:
    cr.execute("SELECT to_regclass(%s) IS NOT NULL", [f"public.{table}"])
    return cr.fetchone()[0]


def insert(cr, table: str, values: dict) -> int:
    """Inserts the values whose columns this version of Odoo has, and gives the new row's id."""
    cr.execute("SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped", [table])
    columns = {name for (name,) in cr.fetchall()} & values.keys()
    cr.execute(
        sql.SQL("INSERT INTO {} ({}) VALUES ({}) RETURNING id").format(
            sql.Identifier(table),
            sql.SQL(", ").join(map(sql.Identifier, columns)),
            sql.SQL(", ").join(sql.Placeholder(name) for name in columns),
        ),
        values,
    )
    return cr.fetchone()[0]


def parameter(cr, key: str) -> str | None:
    cr.execute("SELECT value FROM ir_config_parameter WHERE key = %s", [key])
    row = cr.fetchone()
    return row and row[0]
