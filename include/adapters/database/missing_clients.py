"""The clients of a feed that its file lacks: rows of `incoming` that stand in no line, and make a client inactive.

They are planned, weighed, recorded and applied as the file's own rows are.
"""

from __future__ import annotations

import sqlalchemy as sa

# The file has a client that a row means, or whose e-mail a row has, failed rows too. `holder` and `email_key` as the
# client has them now: when the plan finds another e-mail, the client was changed since. Rows are numbered on behind
# those of the file, in the order of IDs, so that the same clients are the same plan.
_ADD = sa.text("""
    INSERT INTO incoming (row, line, identified, generated, is_new, client_id, holder, email_key, active)
    SELECT :read + row_number() OVER (ORDER BY c.id), 0, true, false, false, c.id, c.id, c.email_key, false
    FROM clients c
    WHERE c.created_by_feed = :feed AND c.active
      AND NOT EXISTS (SELECT FROM incoming i WHERE i.client_id = c.id)
      AND NOT EXISTS (SELECT FROM incoming i WHERE i.email_key = c.email_key)
""")
_DROP_PLANNED = sa.text("DELETE FROM planned p USING incoming i WHERE i.row = p.row AND i.line = 0")
_DROP = sa.text("DELETE FROM incoming WHERE line = 0")
# A failed row without an e-mail and without the ID of a client may be any client.
_NAMELESS = sa.text("""
    SELECT count(*) FROM incoming i
    WHERE i.outcome = 'failed' AND i.email_key IS NULL
      AND NOT EXISTS (SELECT FROM clients c WHERE c.id = i.client_id)
""")


def add(connection: sa.Connection, feed: str, read: int) -> None:
    """Add the active clients that the feed has created and the loaded file of `read` records lacks."""
    connection.execute(_ADD, {"feed": feed, "read": read})


def drop(connection: sa.Connection) -> None:
    """Take them out of what is planned."""
    connection.execute(_DROP_PLANNED)
    connection.execute(_DROP)


def count_nameless(connection: sa.Connection) -> int:
    """Count the failed rows that name no client."""
    return connection.scalar(_NAMELESS) or 0
