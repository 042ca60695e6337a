"""The CRM's projects and desks, from CSV files. Loading them again brings them up to date."""

from __future__ import annotations

import csv
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from include.schemas.client_tables import Desk, Project

SAMPLES = Path(__file__).parent / "samples"


def load(engine: sa.Engine, folder: Path = SAMPLES) -> None:
    with engine.begin() as connection:
        for table in (Project.__table__, Desk.__table__):
            with (folder / f"{table.name}.csv").open(newline="", encoding="utf-8") as lines:
                rows = [{**row, "is_default": row["is_default"] == "true"} for row in csv.DictReader(lines)]
            statement = insert(table).values(rows)
            changes = {c.name: statement.excluded[c.name] for c in table.columns if c.name != "id"}
            connection.execute(statement.on_conflict_do_update(index_elements=["id"], set_=changes))
