"""The whole content of a database as one short word, so that two moments can be told apart."""

from __future__ import annotations

import hashlib
from contextlib import closing
from pathlib import Path

from edge.store.database import open_reader

_TABLES = """
SELECT name, (SELECT group_concat(cid + 1) FROM pragma_table_info(kept.name)) FROM sqlite_schema AS kept
WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name
"""


def digest(path: Path) -> str:
    """Return 32 hexadecimal digits over every row of every table, as committed."""
    whole = hashlib.sha256()
    with closing(open_reader(path)) as connection:
        for name, columns in connection.execute(_TABLES).fetchall():
            whole.update(name.encode())
            for row in connection.execute(f'SELECT * FROM "{name}" ORDER BY {columns}'):
                whole.update(repr(row).encode())
    return whole.hexdigest()[:32]
