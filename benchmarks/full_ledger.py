"""1,000 imports with 1,000,000 rows in the database, for the page's tests and benchmark."""

from __future__ import annotations

import sqlalchemy as sa

IMPORTS, ROWS = 1_000, 1_000  # rows of each import
FULL = f"""
    INSERT INTO clients (id, first_name, email, email_key, username, project, desk)
    SELECT lpad(to_hex(n), 24, '0'), 'A', n || '@example.com', n || '@example.com', 'user' || n,
           '66524609caa3558dd8f8da65', '67a346ad8092c651c919337e'
    FROM generate_series(1, 20000) n;
    INSERT INTO imports (id, feed, file_name, state, received_at, requested_by, dag_id, run_id, read, created, failed,
                         failure_kinds, sha256)
    SELECT lpad(to_hex(n), 32, '0')::uuid, CASE WHEN n % 3 = 0 THEN 'acme' ELSE 'default' END, 'file' || n || '.csv',
           'merged', now() - make_interval(hours => 1000 - n), 'olga', 'import_clients__default', 'run' || n,
           {ROWS}, {ROWS} - 20, 20, '{{"CELL_FORMAT email": 20}}', md5(n::text)
    FROM generate_series(1, {IMPORTS}) n;
    INSERT INTO import_rows (import_id, row, line, outcome, client_id, before, after, problems, cells)
    SELECT lpad(to_hex(i), 32, '0')::uuid, r, r + 1,
           CASE WHEN r % 50 = 0 THEN 'failed' WHEN r <= 300 THEN 'updated' ELSE 'unchanged' END,
           lpad(to_hex((i * 7919 + r) % 20000 + 1), 24, '0'),
           CASE WHEN r <= 300 AND r % 50 <> 0 THEN '{{"first_name": "A"}}'::jsonb END,
           CASE WHEN r <= 300 AND r % 50 <> 0 THEN '{{"first_name": "B"}}'::jsonb END,
           CASE WHEN r % 50 = 0 THEN '[{{"code": "CELL_FORMAT", "field": "email", "severity": "error", "value": "x",
                                         "message": "m", "meant": ""}}]'::jsonb END,
           CASE WHEN r % 50 = 0 THEN jsonb_build_array('A', 'bad' || i || '_' || r || '@example.com') END
    FROM generate_series(1, {IMPORTS}) i, generate_series(1, {ROWS}) r;
    ANALYZE clients, imports, import_rows
"""


def fill(engine: sa.Engine) -> None:
    """Fill empty tables; projects and desks are those of `demo.reference_data`."""
    with engine.begin() as connection:
        for statement in FULL.split(";\n"):
            connection.execute(sa.text(statement))
