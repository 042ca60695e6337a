"""Which client each row means, by the client table as it was before this file (SPEC.md section 6)."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as arrow
from pyarrow import compute

from include.schemas.client_rows import FIELDS, as_timestamps
from include.schemas.feed import Feed
from include.transforms.validation.problems import join_problems, problem_rows


def match(rows: pd.DataFrame, known: pd.DataFrame) -> pd.DataFrame:
    """Add what the client table knows about each row.

    `rows` needs `id` (lower case, '' for none) and `email_key`; `known` is indexed by client id and has
    `email_key`, `project`, `created`. Adds `email_holder` (id of the client with this e-mail, '' for none),
    `means` (id of the client the row means, '' for a new one without ID), `is_new`, `seen_project`.
    """
    holder = _taken(known.index, _places(rows["email_key"], known["email_key"]), rows.index)
    means = rows["id"].where(rows["id"] != "", holder)
    found = _places(means, known.index)
    return rows.assign(
        email_holder=holder,
        means=means,
        is_new=found < 0,
        seen_project=_taken(known["project"], found, rows.index),
    )


def judge_mode(rows: pd.DataFrame, feed: Feed) -> pd.DataFrame:
    """Problems of rows that this feed may not create or update: ID_UNKNOWN, CLIENT_EXISTS, CLIENT_NOT_FOUND."""
    with_unknown_id = rows[(rows["id"] != "") & rows["is_new"]]
    found = []
    if feed.unknown_id == "reject":
        found.append(problem_rows("ID_UNKNOWN", "id", with_unknown_id["id"]))
    if feed.mode == "create_only":
        existing = rows[~rows["is_new"]]
        facts = [{"detail": f"ID {client}"} for client in existing["means"]]
        found.append(problem_rows("CLIENT_EXISTS", "email", existing["email"], facts=facts))
    if feed.mode == "update_only":
        by_id = with_unknown_id if feed.unknown_id == "create" else with_unknown_id.iloc[:0]
        by_email = rows[(rows["id"] == "") & rows["is_new"]]
        found.append(problem_rows("CLIENT_NOT_FOUND", "id", by_id["id"], facts=[{"detail": "ID"}] * len(by_id)))
        facts = [{"detail": "e-mail"}] * len(by_email)
        found.append(problem_rows("CLIENT_NOT_FOUND", "email", by_email["email"], facts=facts))
    return join_problems(*found)


def warn_of_read_only(rows: pd.DataFrame, known: pd.DataFrame) -> pd.DataFrame:
    """CELL_READ_ONLY where `created` of an existing client is given and is another instant than the stored one."""
    if "created" not in rows:
        return join_problems()
    given = ~rows["is_new"] & (rows["created"] != "")
    created = rows["created"][given]
    stored = known["created"].array.take(_places(rows["means"][given], known.index))
    other = created[(as_timestamps(created) != stored).to_numpy()]
    return problem_rows("CELL_READ_ONLY", FIELDS["created"].name, other, "warning")


def _places(texts: pd.Series, among: pd.Index | pd.Series) -> np.ndarray:
    """Like `get_indexer`, which makes an object of every text."""
    found = compute.index_in(arrow.array(texts.array), value_set=arrow.array(among.array))
    places: np.ndarray = found.fill_null(-1).to_numpy(zero_copy_only=False)
    return places


def _taken(texts: pd.Index | pd.Series, positions: np.ndarray, rows: pd.Index) -> pd.Series:
    """The texts at these positions, '' for -1."""
    found = texts.array.take(positions, allow_fill=True, fill_value="")
    return pd.Series(found, index=rows, dtype="str")
