"""Projects and desks: from a cell to an ID that exists (SPEC.md section 13)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np
import pandas as pd

from include.codes import Code, show
from include.schemas.words import listed
from include.transforms.csv_reading.sent_rows import column_as_sent
from include.transforms.validation.problems import join_problems, problem_rows, rows_with_errors

DEFAULT = "default"
_NAME_ONE = "Name one in the row, or in the feed file (key `defaults`)."
# Also one of another system, or one that was cut: hexadecimal digits, and at least one that no word has.
_LIKE_AN_ID = re.compile("(?=.*[0-9])[0-9A-Fa-f]+")


@dataclass(frozen=True)
class Desk:
    id: str
    project_id: str
    name: str
    is_default: bool


@dataclass(frozen=True)
class ReferenceData:
    """The CRM's projects (id to name), its default project, and its desks by id."""

    projects: Mapping[str, str]
    default_project: str | None
    desks: Mapping[str, Desk]


@dataclass(frozen=True)
class _NotFound:
    """`meant` is the ID of the only one with the name that was sent, '' otherwise."""

    field: str
    sentence: str
    meant: str = ""


@dataclass(frozen=True)
class _Verdict:
    """`project` and `desk` are IDs, None: the client keeps what it has."""

    project: str | None
    desk: str | None
    problems: list[_NotFound]


class EarlierRows:
    """What the rows so far make of clients that several rows of a file mean, where these count one after another.

    `clients` maps such rows to the number of their client. The pieces of the file come in the order of its rows.
    """

    def __init__(self, clients: pd.Series) -> None:
        self._clients = clients
        self._so_far: dict[int, tuple[str | None, str | None]] = {}

    def judge_in_order(
        self, judged_by: pd.DataFrame, failed: pd.Index, judge: _Judge
    ) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Give `judged_by` with each client as the rows before leave it, and what each row and those before it say.

        A row that has `failed`, or fails here, leaves the client as it is.
        """
        some = judged_by[judged_by.index.isin(self._clients.index)]
        clients, fails = self._clients[some.index].tolist(), some.index.isin(failed).tolist()
        verdict, before, after = cache(judge.verdict), [], []
        for client, has_failed, cells in zip(clients, fails, some.itertuples(index=False), strict=True):
            project, desk = self._so_far.get(client, (None, None))
            before.append((cells.is_new and client not in self._so_far, project or cells.now))
            judged = verdict(cells.project, cells.desk, *before[-1])
            after.append((judged.project or project, judged.desk or desk))
            if not has_failed and not judged.problems:
                self._so_far[client] = after[-1]
        corrected = judged_by.copy()
        corrected.loc[some.index, ["is_new", "now"]] = pd.DataFrame(before, some.index, ["is_new", "now"])
        return corrected, pd.DataFrame(after, some.index, ["project", "desk"], dtype="str")


def resolve_references(
    sent: pd.DataFrame, sound: pd.DataFrame, keys: pd.DataFrame, data: ReferenceData, defaults: Mapping[str, object],
    reasons: pd.DataFrame | None = None, earlier: EarlierRows | None = None,
    values: Mapping[str, Mapping[str, str]] | None = None,
) -> tuple[pd.DataFrame, pd.DataFrame]:  # fmt: skip
    """Give `project` and `desk` as IDs, missing where the client keeps what it has; and CELL_REFERENCE_NOT_FOUND.

    Each row is judged as the client it means (`keys`); where that is not known, only by the cells themselves.
    Rows that say the same are judged once: a file names few projects and desks. Where the rows of one client count one
    after another, `earlier` knows what those before say, and `reasons` why rows fail already. Sentences name the feed's
    words (`values`).
    """
    judge = _Judge(data, str(defaults.get("project", DEFAULT)), str(defaults.get("desk", DEFAULT)), values or {})
    judged_by = pd.DataFrame(
        {"project": sound["project"], "desk": sound["desk"], "is_new": keys["is_new"], "now": keys["project_now"]}
    )
    together = None
    if earlier is not None and reasons is not None:
        judged_by, together = earlier.judge_in_order(judged_by, rows_with_errors(reasons), judge)
    groups = _alike(judged_by)
    firsts = judged_by[~groups.duplicated()]
    verdicts = [judge.verdict(*cells) for cells in firsts.itertuples(index=False, name=None)]
    problems = [_problems_about(field, verdicts, groups, sent) for field in ("project", "desk")]
    resolved = pd.DataFrame(
        {
            "project": _of_each([verdict.project for verdict in verdicts], groups),
            "desk": _of_each([verdict.desk for verdict in verdicts], groups),
        }
    )
    if together is not None:
        resolved.loc[together.index] = together
    return resolved, join_problems(*problems)


def _problems_about(field: str, verdicts: list[_Verdict], groups: pd.Series, sent: pd.DataFrame) -> pd.DataFrame:
    wrong = {number: p for number, verdict in enumerate(verdicts) for p in verdict.problems if p.field == field}
    failed = groups[groups.isin(list(wrong))]
    cells = column_as_sent(sent, field, failed.index)
    sentences = failed.map({number: problem.sentence for number, problem in wrong.items()})
    meant = failed.map({number: problem.meant for number, problem in wrong.items()})
    return problem_rows(Code.CELL_REFERENCE_NOT_FOUND, field, cells, {"detail": sentences}, meant=meant)


def _alike(cells: pd.DataFrame) -> pd.Series:
    """Number the rows, equal where all cells are, from 0 in the order of rows."""
    combined = np.zeros(len(cells), dtype="int64")
    for name in cells:
        numbers, distinct = pd.factorize(cells[name])
        combined = combined * max(1, len(distinct)) + numbers
    return pd.Series(pd.factorize(combined)[0], index=cells.index)


class _Judge:
    def __init__(
        self, data: ReferenceData, default_project: str, default_desk: str, values: Mapping[str, Mapping[str, str]]
    ) -> None:
        self._data, self._words = data, values
        named = default_project.lower()
        self._default_project = data.default_project if named == DEFAULT else named
        self._default_desk = default_desk.lower()
        self._projects_by_name = _by_name((name, id) for id, name in data.projects.items())
        self._desks_by_name = _by_name((desk.name, desk.id) for desk in data.desks.values())
        self._first_desks = {desk.project_id: desk.id for desk in data.desks.values() if desk.is_default}

    def verdict(self, project: str, desk: str, is_new: bool, current: str) -> _Verdict:
        """Judge two cells; `current` is the project of an existing client, '' where no client is known."""
        if project == "" and desk.lower() not in ("", DEFAULT):
            return self._with_its_project(desk, current)
        problems: list[_NotFound] = []
        chosen = self._project(project, is_new, problems)
        effective = chosen or (None if is_new or problems else current or None)
        moves = is_new or (chosen is not None and chosen != current)
        return _Verdict(chosen, self._desk(desk, effective, moves, problems), problems)

    def _with_its_project(self, cell: str, current: str) -> _Verdict:
        """Let a desk that is given alone name the project."""
        desk = self._data.desks.get(cell.lower())
        if desk is None:
            return _Verdict(None, None, [self._not_found("desk", cell)])
        return _Verdict(desk.project_id if desk.project_id != current else None, desk.id, [])

    def _project(self, cell: str, is_new: bool, problems: list[_NotFound]) -> str | None:
        if cell == "" and not is_new:
            return None
        by_default = cell.lower() in ("", DEFAULT)
        wanted = self._default_project if by_default else cell.lower()
        if wanted is not None and wanted in self._data.projects:
            return wanted
        if by_default:
            problems.append(_NotFound("project", self._why_no_default()))
        else:
            problems.append(self._not_found("project", cell))
        return None

    def _why_no_default(self) -> str:
        if not self._data.projects:
            return "The CRM has no projects yet. Add projects and desks to its database first, and send the row again."
        return f"There is no default project. {_NAME_ONE}"

    def _desk(self, cell: str, project: str | None, moves: bool, problems: list[_NotFound]) -> str | None:
        if cell.lower() in ("", DEFAULT):
            if project is None or (cell == "" and not moves):
                return None
            fallback = self._default_desk_of(project)
            if fallback is None:
                owner = show(self._data.projects[project])
                problems.append(_NotFound("desk", f"The project {owner} has no default desk. {_NAME_ONE}"))
            return fallback
        desk = self._data.desks.get(cell.lower())
        if desk is None:
            problems.append(self._not_found("desk", cell))
        elif project is not None and desk.project_id != project:
            problems.append(_NotFound("desk", self._why_not_together(desk, project)))
        return desk.id if desk else None

    def _not_found(self, what: str, cell: str) -> _NotFound:
        by_name = self._projects_by_name if what == "project" else self._desks_by_name
        return _not_found(what, cell, by_name, self._words.get(what, {}))

    def _why_not_together(self, desk: Desk, project: str) -> str:
        owner, given = (f"{show(self._data.projects[id])} (ID {id})" for id in (desk.project_id, project))
        return (
            f"The desk {show(desk.name)} (ID {desk.id}) belongs to the project {owner}, "
            f"not to the given project {given}. Correct one of the two, or leave it blank."
        )

    def _default_desk_of(self, project: str) -> str | None:
        wanted = self._data.desks.get(self._default_desk)
        if wanted and wanted.project_id == project:
            return wanted.id
        return self._first_desks.get(project)


def _by_name(named: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    ids: dict[str, list[str]] = {}
    for name, id in named:
        ids.setdefault(name.casefold(), []).append(id)
    return ids


def _not_found(what: str, cell: str, by_name: Mapping[str, list[str]], words: Iterable[str]) -> _NotFound:
    ids = by_name.get(cell.casefold(), [])
    hint = f" The {what} with that name has the ID {' or '.join(ids)}." if ids else ""
    if not ids and (known := listed(words)):
        hint = f" The feed knows the words {known}."
    lacks = "has the ID" if ids or _LIKE_AN_ID.fullmatch(cell) else "is called"
    return _NotFound(what, f"No {what} {lacks} {show(cell)}.{hint}", ids[0] if len(ids) == 1 else "")


def _of_each(ids: list[str | None], groups: pd.Series) -> pd.Series:
    return pd.Series(pd.array(ids, dtype="str").take(groups.to_numpy()), index=groups.index)
