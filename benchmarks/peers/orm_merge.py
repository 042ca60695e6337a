"""pandas and the SQLAlchemy ORM: `read_csv`, then `Session.merge` of every row, which is how the ORM spells upsert."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import sqlalchemy as sa
from sqlalchemy.orm import Session, registry

from benchmarks.client_files import HEADER


class Client:
    """Mapped to the table as it is in the database."""


def prepare(url: str) -> Callable[[Path], None]:
    engine = sa.create_engine(sa.make_url(url).set(drivername="postgresql+psycopg"))
    registry().map_imperatively(Client, sa.Table("clients", sa.MetaData(), autoload_with=engine))

    def load(path: Path) -> None:
        frame = pd.read_csv(path, dtype=dict.fromkeys(HEADER[:6], str), parse_dates=["Created"])
        frame.columns = [name.lower().replace(" ", "_") for name in HEADER]
        frame = frame.assign(email_key=frame["email"].str.lower())
        frame = frame.assign(username=frame["email_key"].str.partition("@")[0])
        with Session(engine) as session, session.begin():
            for values in frame.to_dict("records"):
                session.merge(Client(**values))

    return load
