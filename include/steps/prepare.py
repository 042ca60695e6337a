"""Decide what each row means and what it would write (SPEC.md sections 3, 6 and 13), in pandas.

Three passes over the pieces of a file: which client each row means; every reason why a row fails, judged as that
client; then, once duplicates are resolved, the values to write. Only a few columns hold the whole file at once.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import partial
from uuid import UUID

import pandas as pd

from include.adapters.database import clients, ledger
from include.codes import Code
from include.errors import StagedWithOtherFields
from include.models import FINAL_STATES, Outcome, State
from include.schemas.client_rows import FIELDS
from include.schemas.client_tables import Import
from include.schemas.feed import Feed
from include.steps.check_feed import check_ids, read_references
from include.steps.context import ImportContext, step
from include.steps.validate import stage
from include.transforms.csv_reading.sent_rows import cells_as_sent
from include.transforms.matching.combined_rows import combine_cells
from include.transforms.matching.defaults import fill, typed
from include.transforms.matching.duplicates import (
    Resolution,
    resolve_duplicates,
    rows_of_repeated_clients,
    with_earlier,
)
from include.transforms.matching.identity import (
    ignore_read_only,
    join_clients,
    judge_mode,
    keys_to_look_up,
    leave_out_known,
    match,
    sound_cells,
    warn_of_read_only,
)
from include.transforms.matching.kept_fields import without_claims, without_never
from include.transforms.matching.references import EarlierRows, resolve_references
from include.transforms.matching.unused_cells import cells_that_count, unused_cells
from include.transforms.matching.usernames import generate
from include.transforms.validation.problems import in_column_order, join_problems, rows_with_errors

_MATCHED = ["identified", "means", "is_new", "email_key", "holder", "username", "project_now"]
_KNOWN = ("client_id", "email_key", "holder", "project_now", "username")


def prepare(context: ImportContext, import_id: str) -> None:
    """Bring a validated import to `prepared`. Repeating it does nothing."""
    entry = ledger.find(context.engine, import_id)
    if entry.has_been(State.PREPARED) or entry.state in FINAL_STATES:
        return
    with step(context, "prepare", import_id):
        prepare_again(context, entry)
        ledger.advance(context.engine, import_id, State.PREPARED, context.clock())


def prepare_again(context: ImportContext, entry: Import) -> None:
    """Prepare from what `validate` left and from the clients as they are now; replaces what was prepared before.

    The file is read again where that is gone (a command line kept it in memory), or was made by a version of this
    project with other fields. Raises FileRefused.
    """
    try:
        _save_prepared(context, entry)
    except (FileNotFoundError, StagedWithOtherFields):
        ledger.change(context.engine, entry.id, **stage(context, entry))
        _save_prepared(context, entry)


def _save_prepared(context: ImportContext, entry: Import) -> None:
    context.staging.save(entry.id, ("prepared",), ((frame,) for frame in decide(context, entry)))


def decide(context: ImportContext, entry: Import) -> Iterator[pd.DataFrame]:
    """Give all rows of the file as `clients.INCOMING` wants them, with their number of `warnings`.

    The same file and clients give the same rows.

    E-mails and usernames that other clients have are judged by the merge.
    """
    keys = _identify(context, entry)
    good = _judge(context, entry, keys)
    combined = ["holder"] if context.feed.duplicates == "combine" else []
    keys = keys[["line", "identified", "means", "is_new", "email_key", *combined, "username"]]  # to use less memory
    resolution = resolve_duplicates(keys, good, context.feed.duplicates)
    keys = with_earlier(keys[["is_new", "email_key", "username"]], resolution.earlier)
    usernames = _usernames(context, keys, resolution.winners)
    del keys, good
    for sent, rows, matched, reasons, unused in _resolved(context, entry, resolution):
        problems = join_problems(reasons, resolution.problems(sent, unused))
        winners = matched[matched.index.isin(resolution.winners)]
        values = _values(rows, winners, context.feed, entry.received_at)
        ids = _with_ids(matched, entry, resolution.replaced)
        yield _incoming(sent, ids, values, usernames, in_column_order(problems, sent.columns))


def _resolved(
    context: ImportContext, entry: Import, resolution: Resolution
) -> Iterator[tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame, pd.DataFrame, dict[int, str]]]:
    """Give `sent`, `rows`, `matched` and `reasons` of each piece, with its rows combined; and its unused cells."""
    replaced, combined, open_cells = resolution.replaced, resolution.combined, None
    used = None
    if len(replaced) and not combined:
        used = cells_that_count((rows for (rows,) in context.staging.load(entry.id, "rows")), replaced)
    for sent, rows, matched, reasons in context.staging.load(entry.id, "sent", "rows", "matched", "reasons"):
        if combined:
            rows, open_cells = combine_cells(rows, replaced, open_cells)
            matched = with_earlier(matched, resolution.earlier)
        unused = {} if used is None else unused_cells(sent, rows, matched["is_new"], replaced, used)
        yield sent, rows, matched, reasons, unused


def _identify(context: ImportContext, entry: Import) -> pd.DataFrame:
    """First pass: `keys` of the whole file, by the clients as they are now."""
    keys = []
    for rows, problems in context.staging.load(entry.id, "rows", "problems"):
        if list(rows) != ["line", *FIELDS]:
            raise StagedWithOtherFields
        sound = sound_cells(rows, problems)
        ids, emails = keys_to_look_up(sound)
        known = clients.find_clients(context.engine, *(given[given != ""].unique().tolist() for given in (ids, emails)))
        keys.append(match(sound, ids, emails, known))
    return without_claims(join_clients(pd.concat(keys), context.feed), context.feed.write)


def _judge(context: ImportContext, entry: Import, keys: pd.DataFrame) -> pd.Series:
    """Second pass: leave all `reasons`, and `matched`: the keys with `project` and `desk` as IDs.

    Gives True for the rows without an error.
    """
    data = read_references(context.engine)
    check_ids(context.feed, data)
    combined = context.feed.duplicates == "combine"
    earlier = EarlierRows(rows_of_repeated_clients(keys)) if combined else None
    failed: list[pd.Index] = []

    def frames() -> Iterator[tuple[pd.DataFrame, ...]]:
        for sent, rows, problems in context.staging.load(entry.id, "sent", "rows", "problems"):
            sound = sound_cells(rows, problems)
            here = keys.loc[sound.index]
            sound = without_never(sound, here["is_new"], context.feed.write)
            problems = ignore_read_only(sent, problems, here)
            of_client = judge_mode(sent, here, context.feed), warn_of_read_only(sent, sound, here)
            reasons = join_problems(problems, *of_client)
            references, unknown = resolve_references(
                sent, sound, here, data, context.feed.defaults, reasons, earlier, context.feed.values
            )
            reasons = join_problems(reasons, leave_out_known(unknown, reasons))
            failed.append(rows_with_errors(reasons))
            yield here[_MATCHED].assign(**references), reasons

    context.staging.save(entry.id, ("matched", "reasons"), frames())
    return pd.Series(~keys.index.isin(failed[0].append(failed[1:])), index=keys.index)


def _usernames(context: ImportContext, keys: pd.DataFrame, winners: pd.Index) -> pd.Series:
    """Generate usernames for new clients that have none."""
    blank = keys["username"] == ""
    without = keys["email_key"][keys["is_new"] & blank & keys.index.isin(winners)]
    return generate(without, keys["username"][~blank], partial(clients.find_usernames, context.engine))


def _with_ids(keys: pd.DataFrame, entry: Import, replaced: pd.Series) -> pd.DataFrame:
    """Add `client_id`: the client that the row means, else a new ID that repeating gives again.

    A duplicate has the ID of the row that counts for its client (`replaced`).

    New IDs follow each other as those of the CRM do (seconds, origin, a counter): an index that gets new ones at its
    end stays in memory, whatever its size. The origin is the end of the import's ID, which is random.
    """
    prefix = f"{int(entry.received_at.timestamp()):08x}{UUID(entry.id).hex[-10:]}"
    new = keys.index[keys["identified"] & (keys["means"] == "")]
    counts = replaced.reindex(new).fillna(new.to_series()).astype("int64") if len(replaced) else new
    generated = pd.Series([f"{prefix}{row:06x}" for row in counts], index=new, dtype="str")
    return keys.assign(client_id=keys["means"].mask(keys.index.isin(new), generated.reindex(keys.index)))


def _values(rows: pd.DataFrame, winners: pd.DataFrame, feed: Feed, received: datetime) -> pd.DataFrame:
    """Give the fields that winning rows write, missing where the client keeps what it has."""
    chosen = rows if len(rows) == len(winners) else rows.loc[winners.index]
    chosen = without_never(chosen, winners["is_new"], feed.write)
    return fill(typed(chosen.assign(**winners[["project", "desk", "is_new"]])), feed.defaults, received)


def _incoming(
    sent: pd.DataFrame, keys: pd.DataFrame, values: pd.DataFrame, usernames: pd.Series, problems: pd.DataFrame
) -> pd.DataFrame:
    """Give every row of the piece, with outcome, and problems and original cells as JSON where there are problems."""
    reasons = _reasons_as_json(problems)
    outcomes = dict.fromkeys(problems["row"][problems["code"] == Code.DUPLICATE_IN_FILE], Outcome.DUPLICATE.value)
    outcomes |= dict.fromkeys(rows_with_errors(problems), Outcome.FAILED.value)
    identified = keys[keys["identified"]]
    known = {name: _present(identified[name]) for name in _KNOWN}
    # Also of a row whose ID is wrong: it says that the file has the client with this e-mail.
    known["email_key"] = _present(keys["email_key"])
    made = usernames[usernames.index.isin(sent.index)]
    if len(made):
        known["username"] = known["username"].fillna(made)
    fields = {name: values[name] for name in FIELDS if name not in ("id", "username")}
    columns = {
        **{name: _of_some(texts, sent.index) for name, texts in (("outcome", outcomes), ("problems", reasons))},
        "cells": _of_some(cells_as_sent(sent, pd.Index(list(reasons))), sent.index),
        "is_new": identified["is_new"].astype("boolean"),
        **known,
        **fields,
    }
    whole = pd.DataFrame(columns, index=sent.index).assign(
        row=sent.index.to_numpy(),
        line=sent["line"],
        identified=sent.index.isin(identified.index),
        generated=sent.index.isin(made.index),
        warnings=_warnings(problems).reindex(sent.index, fill_value=0),
    )
    return whole[[*clients.INCOMING, "warnings"]]


def _warnings(problems: pd.DataFrame) -> pd.Series:
    """Count the warnings of each row that has any."""
    return problems["row"][problems["severity"] == "warning"].value_counts()


def _reasons_as_json(problems: pd.DataFrame) -> dict[int, str]:
    reasons: dict[int, list[object]] = {}
    _, *names = problems
    for row, *problem in zip(*(problems[name].tolist() for name in problems), strict=True):
        reasons.setdefault(row, []).append(dict(zip(names, problem, strict=True)))
    return {row: json.dumps(problems, ensure_ascii=False) for row, problems in reasons.items()}


def _present(texts: pd.Series) -> pd.Series:
    return texts.where(texts != "")


def _of_some(texts: Mapping[int, str], rows: pd.Index) -> pd.Series:
    return pd.Series(texts, dtype="str").reindex(rows)
