"""Writes a filestore as Odoo lays it out, and the ir_attachment rows that name its files.

usage: files.py DATABASE FOLDER COUNT SEED
"""

import hashlib
import io
import random
import sys
from pathlib import Path

import psycopg2

SMALLEST, LARGEST = 1_000, 200_000
COLUMNS = ("name", "type", "res_model", "res_id", "store_fname", "checksum", "file_size", "mimetype", "public", "access_token")
KINDS = (
    ("application/pdf", "pdf", "account.move"), ("image/png", "png", "product.template"),
    ("image/jpeg", "jpg", "res.partner"), ("text/javascript", "js", "ir.ui.view"),
)


def main(database: str, folder: Path, count: int, seed: str) -> None:
    rows = io.StringIO()
    for number in range(1, count + 1):
        # One attachment in fifty shares its content, and so its file, with the one before.
        content = file_content(seed, number - (number % 50 == 0))
        checksum = hashlib.sha1(content).hexdigest()
        store(folder, checksum, content)
        mimetype, suffix, model = KINDS[number % len(KINDS)]
        token = f"CANARY-attachment-{number}" if number % 20 == 0 else r"\N"
        values = (
            f"file-{number}.{suffix}", "binary", model, number % 50 + 1, f"{checksum[:2]}/{checksum}", checksum,
            len(content), mimetype, "f", token,
        )
        rows.write("\t".join(map(str, values)) + "\n")
    spool(folder, seed)
    rows.seek(0)
    with psycopg2.connect(dbname=database) as connection, connection.cursor() as cr:
        cr.copy_from(rows, "ir_attachment", columns=COLUMNS)


def file_content(seed: str, number: int) -> bytes:
    chance = random.Random(f"{seed}/{number}")
    # Many small files, few large ones.
    size = int(SMALLEST * (LARGEST / SMALLEST) ** chance.random())
    return chance.randbytes(size)


def store(folder: Path, checksum: str, content: bytes) -> None:
    path = folder / checksum[:2] / checksum
    try:
        path.write_bytes(content)
    except FileNotFoundError:
        path.parent.mkdir()
        path.write_bytes(content)


def spool(folder: Path, seed: str) -> None:
    """The garbage collector's list: empty files named after contents that may be unused."""
    for number in range(10):
        checksum = hashlib.sha1(f"{seed}/unused/{number}".encode()).hexdigest()
        path = folder / "checklist" / checksum[:2] / checksum
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), sys.argv[4])
