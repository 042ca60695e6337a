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
from include.models import FINAL_STATES, Outcome, State
from include.schemas.client_rows import FIELDS
from include.schemas.client_tables import Import
from include.schemas.feed import Feed
from include.steps.context import ImportContext, step
from include.transforms.csv_reading.sent_rows import cells_as_sent
from include.transforms.matching.defaults import fill, typed
from include.transforms.matching.duplicates import resolve_duplicates
from include.transforms.matching.identity import (
    join_clients,
    judge_mode,
    keys_to_look_up,
    match,
    sound_cells,
    warn_of_read_only,
)
from include.transforms.matching.references import Desk, ReferenceData, resolve_references
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
    """Prepare from what `validate` left and from the clients as they are now; replaces what was prepared before."""
    context.staging.save(entry.id, ("prepared",), ((frame,) for frame in decide(context, entry)))


def decide(context: ImportContext, entry: Import) -> Iterator[pd.DataFrame]:
    """Give all rows of the file as `clients.INCOMING` wants them, with their number of `warnings`.

    The same file and clients give the same rows.

    E-mails and usernames that other clients have are judged by the merge.
    """
    keys = _identify(context, entry)
    good = _judge(context, entry, keys)
    keys = keys[["line", "identified", "means", "is_new", "email_key", "username"]]  # what follows needs the memory
    resolution = resolve_duplicates(keys, good, context.feed.duplicates)
    keys = keys[["is_new", "email_key", "username"]]
    usernames = _usernames(context, keys, resolution.winners)
    del keys, good
    for sent, rows, matched, reasons in context.staging.load(entry.id, "sent", "rows", "matched", "reasons"):
        problems = join_problems(reasons, resolution.problems(sent))
        winners = matched[matched.index.isin(resolution.winners)]
        values = _values(rows, winners, context.feed, entry.received_at)
        yield _incoming(sent, _with_ids(matched, entry), values, usernames, in_column_order(problems, sent.columns))


def _identify(context: ImportContext, entry: Import) -> pd.DataFrame:
    """First pass: `keys` of the whole file, by the clients as they are now."""
    keys = []
    for rows, problems in context.staging.load(entry.id, "rows", "problems"):
        sound = sound_cells(rows, problems)
        ids, emails = keys_to_look_up(sound)
        known = clients.find_clients(context.engine, *(given[given != ""].unique().tolist() for given in (ids, emails)))
        keys.append(match(sound, ids, emails, known))
    return join_clients(pd.concat(keys), context.feed)


def _judge(context: ImportContext, entry: Import, keys: pd.DataFrame) -> pd.Series:
    """Second pass: leave all `reasons`, and `matched`: the keys with `project` and `desk` as IDs.

    Gives True for the rows without an error.
    """
    data = _reference_data(context)
    failed: list[pd.Index] = []

    def frames() -> Iterator[tuple[pd.DataFrame, ...]]:
        for sent, rows, problems in context.staging.load(entry.id, "sent", "rows", "problems"):
            sound = sound_cells(rows, problems)
            here = keys.loc[sound.index]
            references, unknown = resolve_references(sent, sound, here, data, context.feed.defaults)
            of_client = judge_mode(sent, here, context.feed), warn_of_read_only(sent, sound, here)
            reasons = join_problems(problems, unknown, *of_client)
            failed.append(rows_with_errors(reasons))
            yield here[_MATCHED].assign(**references), reasons

    context.staging.save(entry.id, ("matched", "reasons"), frames())
    return pd.Series(~keys.index.isin(failed[0].append(failed[1:])), index=keys.index)


def _reference_data(context: ImportContext) -> ReferenceData:
    projects, desks = clients.read_reference_data(context.engine)
    default = next((project.id for project in projects if project.is_default), None)
    names = {project.id: project.name for project in projects}
    return ReferenceData(names, default, {desk.id: Desk(*desk) for desk in desks})


def _usernames(context: ImportContext, keys: pd.DataFrame, winners: pd.Index) -> pd.Series:
    """Generate usernames for new clients that have none."""
    blank = keys["username"] == ""
    without = keys["email_key"][keys["is_new"] & blank & keys.index.isin(winners)]
    return generate(without, keys["username"][~blank], partial(clients.find_usernames, context.engine))


def _with_ids(keys: pd.DataFrame, entry: Import) -> pd.DataFrame:
    """Add `client_id`: the client that the row means, else a new ID that repeating gives again.

    New IDs follow each other as those of the CRM do (seconds, origin, a counter): an index that gets new ones at its
    end stays in memory, whatever its size.
    """
    prefix = f"{int(entry.received_at.timestamp()):08x}{UUID(entry.id).hex[:10]}"
    new = keys.index[keys["identified"] & (keys["means"] == "")]
    generated = pd.Series([f"{prefix}{row:06x}" for row in new], index=new, dtype="str")
    return keys.assign(client_id=keys["means"].mask(keys.index.isin(new), generated.reindex(keys.index)))


def _values(rows: pd.DataFrame, winners: pd.DataFrame, feed: Feed, received: datetime) -> pd.DataFrame:
    """Give the fields that winning rows write, missing where the client keeps what it has."""
    chosen = rows if len(rows) == len(winners) else rows.loc[winners.index]
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
