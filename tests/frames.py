"""The frames that transforms take, written as literal rows."""

from __future__ import annotations

from datetime import UTC, datetime

import pandas as pd

from include.schemas.feed import Feed
from include.transforms.matching.identity import NO_CLIENTS, join_clients, keys_to_look_up, match, sound_cells
from include.transforms.validation.cells import judge_cells
from include.transforms.validation.cleaning import clean

# When the rows are judged.
NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
NO_RAGGED = pd.Series(dtype="str", index=pd.Index([], dtype="int64"))


def sent_rows(*rows: dict[str, str]) -> pd.DataFrame:
    """Cells as sent: rows from 1, lines from 2, one column for each field that a row names, '' where it does not."""
    names = dict.fromkeys(name for row in rows for name in row)
    index = pd.RangeIndex(1, len(rows) + 1, name="row")
    columns = {name: pd.Series([row.get(name, "") for row in rows], index=index, dtype="str") for name in names}
    return pd.DataFrame({"line": index + 1, **columns}, index=index)


def client_table(**clients: dict[str, object]) -> pd.DataFrame:
    """What the database says of clients: one argument for each ID, with `email`, and perhaps `project`, `created`."""
    known = {id: {"email": "", "project": "", "created": None} | client for id, client in clients.items()}
    columns = pd.DataFrame.from_dict(known, orient="index", columns=["email", "project", "created"])
    created = pd.to_datetime(columns["created"], utc=True).astype(NO_CLIENTS["created"].dtype)
    texts = {"email_key": columns["email"].astype("str"), "project": columns["project"].astype("str")}
    return pd.DataFrame({**texts, "created": created}).rename_axis("id")


def sound_and_keys(
    sent: pd.DataFrame, clients: pd.DataFrame = NO_CLIENTS, feed: Feed | None = None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Judge and match rows that are a whole file, as `prepare` does; gives the frames `sound` and `keys`."""
    rows = clean(sent, {})
    sound = sound_cells(rows, judge_cells(sent, rows, NO_RAGGED, NOW))
    keys = match(sound, *keys_to_look_up(sound), clients)
    return sound, join_clients(keys, feed or Feed(name="x", title="X"))


def reasons(problems: pd.DataFrame) -> list[tuple[int, str, str]]:
    """Give (row, field, code) of each problem."""
    return list(zip(problems["row"].tolist(), problems["field"].tolist(), problems["code"].tolist(), strict=True))
