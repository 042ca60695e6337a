"""Which client each row means, by the client table as it was before this file (SPEC.md section 6).

Only the cells `id` and `email` decide, whatever else is wrong with the row. The frame `keys` has one record per row
whose cells fit the columns: index `row`, and

line         physical line
has_id       the row gives a valid ID
identified   ID and e-mail say which client is meant, known or new
means        ID of that client, '' for a new one without ID
is_new       no such client yet
email_key    normal form of the row's e-mail, '' for none
holder       ID of the client that has this e-mail, '' for none
username     as given, '' for none
project_now  project of an existing client, '' for a new one
created_now  when an existing client was created, NaT for a new one
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow
from pyarrow import compute

from include.codes import Code
from include.schemas.cell_rules import as_timestamps
from include.schemas.client_rows import FIELDS
from include.schemas.email_addresses import email_keys
from include.schemas.feed import Feed
from include.transforms.csv_reading.sent_rows import column_as_sent
from include.transforms.validation.problems import join_problems, no_problems, problem_rows

NO_CLIENTS = pd.DataFrame(
    {
        **{name: pd.Series(dtype="str") for name in ("id", "email_key", "project")},
        "created": pd.Series(dtype="datetime64[us, UTC]"),
    }
).set_index("id")


def sound_cells(rows: pd.DataFrame, problems: pd.DataFrame) -> pd.DataFrame:
    """Blank the cells that have an error and leave out rows that fit no columns.

    Adds `id_is_wrong`: an ID is given that is no ID, so the client is unknown. A project or desk stays as it is: it is
    judged as one that does not exist, where a blank one would mean another.
    """
    errors = problems[problems["severity"] == "error"]
    if errors.empty:
        return rows.assign(id_is_wrong=False)
    sound = rows.drop(errors["row"][errors["code"] == Code.ROW_RAGGED])
    wrong = {str(field): sound.index.isin(failed) for field, failed in errors.groupby("field")["row"] if field}
    blanked = {
        field: sound[field].mask(cells, "") for field, cells in wrong.items() if FIELDS[field].kind != "reference"
    }
    return sound.assign(**blanked, id_is_wrong=wrong.get("id", False))


def keys_to_look_up(sound: pd.DataFrame) -> tuple[pd.Series, pd.Series]:
    """Give the IDs in lower case and the e-mails in normal form, '' for none."""
    return sound["id"].str.lower(), email_keys(sound["email"])


def match(sound: pd.DataFrame, given: pd.Series, keys: pd.Series, known: pd.DataFrame) -> pd.DataFrame:
    """Give `keys` of some rows.

    `sound` comes from `sound_cells`, `given` and `keys` from `keys_to_look_up`; `known` is indexed by client id and has
    `email_key`, `project`, `created`.
    """
    holder = _texts_at(_positions(keys, known["email_key"]), known.index, sound.index)
    identified = ~sound["id_is_wrong"] & ((given != "") | (keys != ""))
    means = given.where(given != "", holder).where(identified, "")
    position = _positions(means, known.index)
    return pd.DataFrame(
        {
            "line": sound["line"],
            "has_id": given != "",
            "identified": identified,
            "means": means,
            "is_new": identified & (position < 0),
            "email_key": keys,
            "holder": holder,
            "username": sound["username"],
            "project_now": _texts_at(position, known["project"], sound.index),
            "created_now": known["created"].array.take(position, allow_fill=True),
        }
    )


def join_clients(keys: pd.DataFrame, feed: Feed) -> pd.DataFrame:
    """Let a row without ID, whose e-mail no client has, join the one client that other rows with this e-mail name.

    `keys` are those of the whole file. Where rows name several clients, the row stands for a new client of its own.
    An unknown ID names a client only where the feed creates it.
    """
    without = keys["identified"] & (keys["means"] == "")
    naming = keys["has_id"] & keys["identified"] & (keys["email_key"] != "")
    if feed.unknown_id == "reject":
        naming &= ~keys["is_new"]
    if not without.any() or not naming.any():
        return keys
    named = keys.loc[naming, ["email_key", "means"]].drop_duplicates()
    unambiguous = named[~named["email_key"].duplicated(keep=False)].set_index("email_key")["means"]
    joined = keys.loc[without, "email_key"].map(unambiguous).dropna().astype("str")
    return _as_the_named_client(keys, joined)


def _as_the_named_client(keys: pd.DataFrame, joined: pd.Series) -> pd.DataFrame:
    """Give joined rows (row to client id) what the client table says of that client."""
    about = ["is_new", "project_now", "created_now"]
    clients = keys[keys["means"].isin(joined.unique())].drop_duplicates("means").set_index("means")[about]
    changed = keys.copy()
    changed.loc[joined.index, "means"] = joined
    for name in about:
        changed.loc[joined.index, name] = clients[name].loc[joined].array
    return changed


def judge_mode(sent: pd.DataFrame, keys: pd.DataFrame, feed: Feed) -> pd.DataFrame:
    """Find rows that this feed may not create or update: ID_UNKNOWN, CLIENT_EXISTS, CLIENT_NOT_FOUND."""
    unknown_id = keys.index[keys["has_id"] & keys["is_new"]]
    problems = []
    if feed.unknown_id == "reject":
        problems.append(problem_rows(Code.ID_UNKNOWN, "id", column_as_sent(sent, "id", unknown_id)))
    if feed.mode == "create_only":
        existing = keys[keys["identified"] & ~keys["is_new"]]
        detail = "ID " + existing["means"]
        problems.append(
            problem_rows(Code.CLIENT_EXISTS, "email", column_as_sent(sent, "email", existing.index), {"detail": detail})
        )
    if feed.mode == "update_only":
        if feed.unknown_id == "create":
            problems.append(_not_found(sent, "id", unknown_id, "ID"))
        problems.append(_not_found(sent, "email", keys.index[~keys["has_id"] & keys["is_new"]], "e-mail"))
    return join_problems(*problems)


def _not_found(sent: pd.DataFrame, field: str, rows: pd.Index, what: str) -> pd.DataFrame:
    return problem_rows(
        Code.CLIENT_NOT_FOUND, field, column_as_sent(sent, field, rows), {"detail": pd.Series(what, index=rows)}
    )


def ignore_read_only(sent: pd.DataFrame, problems: pd.DataFrame, keys: pd.DataFrame) -> pd.DataFrame:
    """Warn, instead of what is wrong with the cell, where `created` of an existing client has an error."""
    existing = keys.index[keys["identified"] & ~keys["is_new"]]
    ignored = (problems["field"] == "created") & (problems["severity"] == "error") & problems["row"].isin(existing)
    if not ignored.any():
        return problems
    cells = column_as_sent(sent, "created", pd.Index(problems["row"][ignored].unique(), name="row"))
    return join_problems(problems[~ignored], problem_rows(Code.CELL_READ_ONLY, "created", cells))


def leave_out_known(found: pd.DataFrame, problems: pd.DataFrame) -> pd.DataFrame:
    """Leave out of `found` what it says of cells that have an error in `problems` already."""
    errors = problems[problems["severity"] == "error"]
    if found.empty or errors.empty:
        return found
    cells, known = (pd.MultiIndex.from_frame(frame[["row", "field"]]) for frame in (found, errors))
    return found[~cells.isin(known)]


def warn_of_read_only(sent: pd.DataFrame, sound: pd.DataFrame, keys: pd.DataFrame) -> pd.DataFrame:
    """Warn where `created` of an existing client is given and is another instant than the stored one."""
    given = keys["created_now"].notna() & (sound["created"] != "")
    if not given.any():
        return no_problems()
    stored = keys["created_now"][given]
    other = stored.index[(as_timestamps(sound["created"][given]) != stored).to_numpy()]
    return problem_rows(Code.CELL_READ_ONLY, "created", column_as_sent(sent, "created", other))


def _positions(texts: pd.Series, among: pd.Index | pd.Series) -> np.ndarray:
    """Like `Index.get_indexer`, which would make a Python object of every text; -1 where it is not among them."""
    positions = compute.index_in(pyarrow.array(texts.array), value_set=pyarrow.array(among.array))
    indexes: np.ndarray = positions.fill_null(-1).to_numpy(zero_copy_only=False)
    return indexes


def _texts_at(positions: np.ndarray, texts: pd.Index | pd.Series, rows: pd.Index) -> pd.Series:
    """Give the texts at these positions, '' for -1."""
    return pd.Series(texts.array.take(positions, allow_fill=True, fill_value=""), index=rows, dtype="str")
