"""Decide what each row means and what it would write (SPEC.md sections 3, 6 and 13), in pandas."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import partial
from uuid import UUID

import pandas as pd

from include.adapters.database import clients, ledger
from include.models import FINAL_STATES, Import
from include.steps.context import ImportContext, step
from include.transforms.matching.defaults import fill, typed
from include.transforms.matching.duplicates import Resolution, resolve_duplicates
from include.transforms.matching.identity import judge_mode, match, warn_of_read_only
from include.transforms.matching.references import Desk, ReferenceData, resolve
from include.transforms.matching.usernames import generate
from include.transforms.validation.problems import cells_as_sent, join_problems, rows_with_errors, without_errors

# What decides across the file, and what is known of each row by itself.
KEYS = ["line", "means", "is_new", "email_key", "username"]
_MATCHED = ["id", "email_holder", "means", "is_new", "seen_project", "project", "desk"]


def prepare(context: ImportContext, import_id: str) -> None:
    """Bring a validated import to `prepared`. Repeating it does nothing."""
    entry = ledger.find(context.engine, import_id)
    if entry.has_been("prepared") or entry.state in FINAL_STATES:
        return
    with step(context, "prepare", import_id):
        prepare_again(context, entry)
        ledger.advance(context.engine, import_id, "prepared", context.clock())


def prepare_again(context: ImportContext, entry: Import) -> None:
    """Prepare from what `validate` left and from the clients as they are now; overwrites what was prepared before."""
    context.staging.save(entry.id, ("prepared",), ((frame,) for frame in decide(context, entry)))


def decide(context: ImportContext, entry: Import) -> Iterator[pd.DataFrame]:
    """All rows of the file as `clients.INCOMING` wants them; the same file and clients give the same rows.

    The order of judgement is that of SPEC.md section 13; e-mails and usernames of other clients
    are judged by the merge, under its lock.
    """
    feed = context.feed
    keys = _match(context, entry)
    emails_of = partial(_emails_of, context, entry)
    stable_files = resolve_duplicates(
        keys if keys["stands"].all() else keys[keys["stands"]], feed.duplicates, emails_of
    )
    joined = _joined(keys, stable_files)
    keys = keys[["is_new", "email_key", "username"]]  # what follows needs the room
    usernames = _usernames(context, keys, joined, stable_files.winners)
    del keys
    for sent, rows, matched, found in context.staging.load(entry.id, "sent", "rows", "matched", "found"):
        good = rows if len(matched) == len(rows) else rows.loc[matched.index]
        prepared = typed(good.assign(**matched))
        prepared = fill(_with_clients(prepared, joined, entry), feed.defaults, entry.received_at)
        prepared = _with_usernames(prepared, usernames)
        settled_here = stable_files.problems[stable_files.problems["row"].isin(rows.index)]
        yield _as_incoming(sent, prepared, join_problems(found, settled_here))


def _match(context: ImportContext, entry: Import) -> pd.DataFrame:
    """Leave what is known of each good row by itself (`matched`) and all problems `found` so far, a piece at a time.

    Gives what is to be compared with other rows of the file: `KEYS` of every good row.
    """
    references, keys = _reference_data(context), []

    def frames() -> Iterator[tuple[pd.DataFrame, ...]]:
        for sent, rows, problems in context.staging.load(entry.id, "sent", "rows", "problems"):
            judged, found = _judge(context, references, sent, rows, problems)
            stands = ~judged.index.isin(rows_with_errors(found))
            keys.append(judged.assign(stands=stands).reindex(columns=[*KEYS, "stands"], fill_value=""))
            yield judged[_MATCHED], found

    context.staging.save(entry.id, ("matched", "found"), frames())
    return pd.concat(keys)


def _judge(
    context: ImportContext, references: ReferenceData, sent: pd.DataFrame, rows: pd.DataFrame, problems: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """(good rows with what the client table knows of them, all problems): each row judged by itself."""
    feed = context.feed
    good = with_ids(without_errors(rows, problems))
    known = clients.find_clients(context.engine, *_keys_to_look_up(good))
    judged, unknown = resolve(match(good, known), sent, references, feed.defaults)
    return judged, join_problems(problems, unknown, judge_mode(judged, feed), warn_of_read_only(judged, known))


def with_ids(good: pd.DataFrame) -> pd.DataFrame:
    """With what `identity.match` needs: `id` in lower case, `project` and `desk` even if blank."""
    blank = pd.Series("", index=good.index, dtype="str")
    present = {name: good.get(name, blank) for name in ("id", "project", "desk")}
    return good.assign(**present | {"id": present["id"].str.lower()})


def _keys_to_look_up(good: pd.DataFrame) -> tuple[list[str], list[str]]:
    ids = good["id"]
    return ids[ids != ""].unique().tolist(), good["email_key"].unique().tolist()


def _reference_data(context: ImportContext) -> ReferenceData:
    projects, desks = clients.read_reference_data(context.engine)
    return ReferenceData(
        projects={project.id: project.name for project in projects},
        default_project=next((project.id for project in projects if project.is_default), None),
        desks={desk.id: Desk(desk.id, desk.project_id, desk.name, desk.is_default) for desk in desks},
    )


def _emails_of(context: ImportContext, entry: Import, rows: pd.Index) -> pd.Series:
    pieces = (piece["email"] for (piece,) in context.staging.load(entry.id, "rows"))
    found: pd.Series = pd.concat([emails[emails.index.isin(rows)] for emails in pieces])
    return found


def _joined(keys: pd.DataFrame, stable_files: Resolution) -> pd.DataFrame:
    """`client_id` and `is_new` of the rows that name no client and have joined one."""
    existing = pd.Index(keys.loc[~keys["is_new"], "means"].unique() if len(stable_files.joined) else [], dtype="str")
    is_new = existing.get_indexer(pd.Index(stable_files.joined)) < 0
    return pd.DataFrame({"client_id": stable_files.joined, "is_new": is_new})


def _with_clients(rows: pd.DataFrame, joined: pd.DataFrame, entry: Import) -> pd.DataFrame:
    """Add `client_id`: the one the row means or has joined, else a new one that repeating finds again.

    New ids follow each other as those of the CRM do (seconds, who made them, a counter): an index that gets new ones
    at its end stays in memory, whatever its size.
    """
    prefix = f"{int(entry.received_at.timestamp()):08x}{UUID(entry.id).hex[:10]}"
    rows = rows.assign(client_id=rows["means"])
    here = joined.index.intersection(rows.index)
    if len(here):
        rows.loc[here, ["client_id", "is_new"]] = joined.loc[here]
    fresh = rows.index[rows["client_id"] == ""]
    if len(fresh):
        rows.loc[fresh, "client_id"] = [f"{prefix}{row:06x}" for row in fresh]
    return rows


def _usernames(context: ImportContext, keys: pd.DataFrame, joined: pd.DataFrame, winners: pd.Index) -> pd.Series:
    """Generated usernames, for new clients that have none."""
    is_new = keys["is_new"].copy()
    is_new[joined.index] = joined["is_new"]
    blank = keys["username"] == ""
    without = keys["email_key"][is_new & blank & keys.index.isin(winners)]
    return generate(without, keys["username"][~blank], partial(clients.find_usernames, context.engine))


def _with_usernames(prepared: pd.DataFrame, made: pd.Series) -> pd.DataFrame:
    here = prepared.index.isin(made.index)
    if not here.any():
        return prepared.assign(generated=here)
    return prepared.assign(username=prepared["username"].mask(here, made.reindex(prepared.index)), generated=here)


def _as_incoming(sent: pd.DataFrame, prepared: pd.DataFrame, problems: pd.DataFrame) -> pd.DataFrame:
    """Every row of the piece, with outcome, and problems and original cells as JSON where there are problems."""
    reasons: dict[int, list[object]] = {}
    _, *names = problems
    for row, *problem in zip(*(problems[name].tolist() for name in problems), strict=True):
        reasons.setdefault(row, []).append(dict(zip(names, problem, strict=True)))
    outcomes = dict.fromkeys(problems["row"][problems["code"] == "DUPLICATE_IN_FILE"], "duplicate")
    outcomes |= dict.fromkeys(rows_with_errors(problems), "failed")
    # Missing is missing in a column of booleans, too; text and instants have their own way to say so.
    flags = {name: prepared[name].astype("boolean") for name in ("is_new", "generated")}
    whole = prepared.assign(**flags)
    whole = whole if len(whole) == len(sent) else whole.reindex(sent.index)
    as_json = {row: json.dumps(found, ensure_ascii=False) for row, found in reasons.items()}
    whole = whole.assign(
        row=sent.index.to_numpy(),
        line=sent["line"],
        outcome=_of_some(outcomes, sent.index),
        problems=_of_some(as_json, sent.index),
        cells=_of_some(cells_as_sent(sent, pd.Index(list(reasons))), sent.index),
        judged=sent.index.isin(prepared.index),
        generated=whole["generated"].fillna(False),
        **{name: whole[name].where(whole[name] != "") for name in ("email_holder", "seen_project")},
    )
    return whole[list(clients.INCOMING)]


def _of_some(texts: Mapping[int, str], rows: pd.Index) -> pd.Series:
    return pd.Series(texts, dtype="str").reindex(rows)
