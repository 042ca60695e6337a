"""Projects and desks: from a cell to an ID that exists (SPEC.md section 13)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from include.codes import Code, show
from include.transforms.csv_reading.sent_rows import column_as_sent
from include.transforms.validation.problems import join_problems, problem_rows

DEFAULT = "default"


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


def resolve_references(
    sent: pd.DataFrame, sound: pd.DataFrame, keys: pd.DataFrame, data: ReferenceData, defaults: Mapping[str, object]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Give `project` and `desk` as IDs, missing where the client keeps what it has; and CELL_REFERENCE_NOT_FOUND.

    Each row is judged as the client it means (`keys`); where that is not known, only by the cells themselves.
    Rows that say the same are judged once: a file names few projects and desks.
    """
    judge = _Judge(data, str(defaults.get("project", DEFAULT)), str(defaults.get("desk", DEFAULT)))
    judged_by = pd.DataFrame(
        {"project": sound["project"], "desk": sound["desk"], "is_new": keys["is_new"], "now": keys["project_now"]}
    )
    groups = _alike(judged_by)
    firsts = judged_by[~groups.duplicated()]
    verdicts = [judge.verdict(*cells) for cells in firsts.itertuples(index=False, name=None)]
    problems = [_problems_about(field, verdicts, groups, sent) for field in ("project", "desk")]
    resolved = {
        "project": _of_each([verdict.project for verdict in verdicts], groups),
        "desk": _of_each([verdict.desk for verdict in verdicts], groups),
    }
    return pd.DataFrame(resolved), join_problems(*problems)


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
    def __init__(self, data: ReferenceData, default_project: str, default_desk: str) -> None:
        self._data = data
        named = default_project.lower()
        self._default_project = data.default_project if named == DEFAULT else named
        self._default_desk = default_desk.lower()
        self._projects_by_name = _by_name((name, id) for id, name in data.projects.items())
        self._desks_by_name = _by_name((desk.name, desk.id) for desk in data.desks.values())
        self._first_desks = {desk.project_id: desk.id for desk in data.desks.values() if desk.is_default}

    def verdict(self, project: str, desk: str, is_new: bool, current: str) -> _Verdict:
        """Judge two cells; `current` is the project of an existing client, '' where no client is known."""
        problems: list[_NotFound] = []
        chosen = self._project(project, is_new, problems)
        effective = chosen or (None if is_new or problems else current or None)
        moves = is_new or (chosen is not None and chosen != current)
        return _Verdict(chosen, self._desk(desk, effective, moves, problems), problems)

    def _project(self, cell: str, is_new: bool, problems: list[_NotFound]) -> str | None:
        if cell == "" and not is_new:
            return None
        by_default = cell.lower() in ("", DEFAULT)
        wanted = self._default_project if by_default else cell.lower()
        if wanted is not None and wanted in self._data.projects:
            return wanted
        if by_default:
            problems.append(_NotFound("project", "There is no default project; name one."))
        else:
            problems.append(_not_found("project", cell, self._projects_by_name))
        return None

    def _desk(self, cell: str, project: str | None, moves: bool, problems: list[_NotFound]) -> str | None:
        if cell.lower() in ("", DEFAULT):
            if project is None or (cell == "" and not moves):
                return None
            fallback = self._default_desk_of(project)
            if fallback is None:
                owner = show(self._data.projects[project])
                problems.append(_NotFound("desk", f"The project {owner} has no default desk; name one."))
            return fallback
        desk = self._data.desks.get(cell.lower())
        if desk is None:
            problems.append(_not_found("desk", cell, self._desks_by_name))
        elif project is not None and desk.project_id != project:
            owner = show(self._data.projects[desk.project_id])
            sentence = f"The desk {show(desk.name)} belongs to the project {owner}, not to the client's."
            problems.append(_NotFound("desk", sentence))
        return desk.id if desk else None

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


def _not_found(what: str, cell: str, by_name: Mapping[str, list[str]]) -> _NotFound:
    ids = by_name.get(cell.casefold(), [])
    hint = f" The {what} with that name has the ID {' or '.join(ids)}." if ids else ""
    return _NotFound(what, f"No {what} has the ID {show(cell)}.{hint}", ids[0] if len(ids) == 1 else "")


def _of_each(ids: list[str | None], groups: pd.Series) -> pd.Series:
    return pd.Series(pd.array(ids, dtype="str").take(groups.to_numpy()), index=groups.index)
