"""Decide what each row means and what it would write (SPEC.md sections 3, 6 and 13), in pandas."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

import pandas as pd

from include.adapters import client_store, import_ledger
from include.results import FINAL_STATES, Import
from include.steps.corridor import Corridor, step
from include.transforms.deduplication import settle
from include.transforms.defaults import fill, typed
from include.transforms.emails import email_keys
from include.transforms.frames import join_problems, rows_with_errors
from include.transforms.identity import judge_mode, match, warn_of_read_only
from include.transforms.references import Desk, ReferenceData, resolve
from include.transforms.usernames import generate


def prepare(corridor: Corridor, import_id: str) -> None:
    """Bring a validated import to `prepared`. Repeating it does nothing."""
    entry = import_ledger.find(corridor.engine, import_id)
    if entry.has_been("prepared") or entry.state in FINAL_STATES:
        return
    with step(corridor, "prepare", import_id):
        prepare_again(corridor, import_id)
        import_ledger.advance(corridor.engine, import_id, "prepared", corridor.clock())


def prepare_again(corridor: Corridor, import_id: str) -> None:
    """Prepare from what `validate` left and from the clients as they are now; overwrites what was prepared before."""
    entry = import_ledger.find(corridor.engine, import_id)
    rows, sent, problems = (corridor.staging.load(import_id, name) for name in ("rows", "sent", "problems"))
    corridor.staging.save(import_id, "prepared", decide(corridor, entry, rows, sent, problems))


def decide(
    corridor: Corridor, entry: Import, rows: pd.DataFrame, sent: pd.DataFrame, problems: pd.DataFrame
) -> pd.DataFrame:
    """All rows of the file as `client_store.INCOMING` wants them; the same file and clients give the same rows.

    The order of judgement is that of SPEC.md section 13; e-mails and usernames of other clients
    are judged by the merge, under its lock.
    """
    feed = corridor.feed
    good = with_keys(rows.drop(rows_with_errors(problems)))
    known = client_store.find_clients(corridor.engine, *_keys_to_look_up(good))
    judged, references = resolve(match(good, known), sent, _reference_data(corridor), feed.defaults)
    by_row = join_problems(problems, references, judge_mode(judged, feed), warn_of_read_only(judged, known))
    standing = judged.drop(rows_with_errors(by_row), errors="ignore")

    settled = settle(standing, feed.duplicates)
    prepared = _with_clients(typed(judged), settled.clients, entry.id)
    prepared = fill(prepared, feed.defaults, entry.received_at)
    prepared = _with_usernames(corridor, prepared, settled.winners)
    return _as_incoming(rows, prepared, join_problems(by_row, settled.problems))


def with_keys(good: pd.DataFrame) -> pd.DataFrame:
    """Add what `identity.match` needs: `id` in lower case, `email_key`, and `project` and `desk` even if blank."""
    blank = pd.Series("", index=good.index, dtype="str")
    present = {name: good.get(name, blank) for name in ("id", "project", "desk")}
    return good.assign(**present | {"id": present["id"].str.lower(), "email_key": email_keys(good["email"])})


def _keys_to_look_up(good: pd.DataFrame) -> tuple[list[str], list[str]]:
    ids = good["id"]
    return ids[ids != ""].unique().tolist(), good["email_key"].unique().tolist()


def _reference_data(corridor: Corridor) -> ReferenceData:
    projects, desks = client_store.read_reference_data(corridor.engine)
    return ReferenceData(
        projects={project.id: project.name for project in projects},
        default_project=next((project.id for project in projects if project.is_default), None),
        desks={desk.id: Desk(desk.id, desk.project_id, desk.name, desk.is_default) for desk in desks},
    )


def _with_clients(judged: pd.DataFrame, clients: pd.Series, import_id: str) -> pd.DataFrame:
    """Add `client_id`: the one the row's group means, else a new one that repeating finds again."""
    group = clients.reindex(judged.index)
    client_id = judged["means"].where(group.isna() | group.str.startswith("email "), group)
    fresh = client_id == ""
    if fresh.any():
        made = [hashlib.sha256(f"{import_id}:{row}".encode()).hexdigest()[:24] for row in judged.index[fresh]]
        client_id = client_id.mask(fresh, pd.Series(made, index=judged.index[fresh], dtype="str"))
    existing = pd.Index(judged.loc[~judged["is_new"], "means"].unique())
    return judged.assign(client_id=client_id, is_new=existing.get_indexer(pd.Index(client_id)) < 0)


def _with_usernames(corridor: Corridor, prepared: pd.DataFrame, winners: pd.Index) -> pd.DataFrame:
    given = prepared["username"].dropna()
    without = prepared.loc[winners]
    without = without[without["is_new"] & without["username"].isna()]
    made = generate(
        without["email_key"], given, lambda candidates: client_store.find_usernames(corridor.engine, candidates)
    )
    generated = prepared.index.isin(made.index)
    if not len(made):
        return prepared.assign(generated=generated)
    username = prepared["username"].mask(generated, made.reindex(prepared.index))
    return prepared.assign(username=username, generated=generated)


def _as_incoming(rows: pd.DataFrame, prepared: pd.DataFrame, problems: pd.DataFrame) -> pd.DataFrame:
    """Every row of the file, with outcome, and problems and original cells as JSON where there are problems."""
    reasons: dict[int, list[object]] = {}
    for row, problem in zip(problems["row"], problems.drop(columns="row").to_dict("records"), strict=True):
        reasons.setdefault(row, []).append(problem)
    outcome = pd.Series(None, index=rows.index, dtype="str")
    outcome.loc[problems.loc[problems["code"] == "DUPLICATE_IN_FILE", "row"].unique()] = "duplicate"
    outcome.loc[rows_with_errors(problems)] = "failed"
    # Missing is missing in a column of booleans, too; text and instants have their own way to say so.
    flags = {name: prepared[name].astype(object) for name in ("is_new", "generated")}
    whole = prepared.assign(**flags).reindex(rows.index)
    whole = whole.assign(
        row=rows.index.to_numpy(),
        line=rows["line"],
        outcome=outcome,
        problems=_as_json(reasons, rows.index),
        cells=_as_json({row: list(rows["cells"][row]) for row in reasons}, rows.index),
        judged=rows.index.isin(prepared.index),
        generated=whole["generated"].eq(True),
    )
    for name in ("email_holder", "seen_project"):
        whole[name] = whole[name].where(whole[name] != "")
    return whole[list(client_store.INCOMING)]


def _as_json(by_row: Mapping[int, object], rows: pd.Index) -> pd.Series:
    written = {row: json.dumps(value, ensure_ascii=False) for row, value in by_row.items()}
    return pd.Series(written, dtype="str").reindex(rows)
