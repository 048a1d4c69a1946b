"""The lookup of plates of stays inside by what is near, kept in step with the stays."""

from __future__ import annotations

import sqlite3

from edge.parking.plate import lookup_keys
from edge.parking.session import Session, SessionState


def index_session(connection: sqlite3.Connection, session: Session) -> None:
    """Keep the lookup of plates inside in step with a stay that was just written."""
    row = connection.execute(
        "SELECT plate FROM plates_inside WHERE session_id = ?", (session.session_id,)
    ).fetchone()
    wanted = session.plate if session.state is SessionState.INSIDE else ""
    if (row[0] if row else "") == wanted:
        return
    connection.execute("DELETE FROM plates_inside WHERE session_id = ?", (session.session_id,))
    if wanted:
        connection.execute("INSERT INTO plates_inside VALUES (?, ?)", (session.session_id, wanted))
        keys = ((key, session.session_id) for key in lookup_keys(wanted))
        connection.executemany("INSERT INTO plate_keys VALUES (?, ?)", keys)
