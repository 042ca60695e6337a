"""Projects and desks: from a cell to an ID that exists (SPEC.md section 13)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd

from include.codes import show
from include.transforms.frames import join_problems, problem_rows

DEFAULT = "default"
_JUDGED_BY = ["project", "desk", "is_new", "seen_project"]


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
class _Verdict:
    """`project` and `desk` are IDs, None: the client keeps what it has."""

    project: str | None
    desk: str | None
    problems: list[tuple[str, str]] = field(default_factory=list)


def resolve(
    rows: pd.DataFrame, sent: pd.DataFrame, data: ReferenceData, defaults: Mapping[str, object]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """(rows with `project` and `desk` as IDs or None, CELL_REFERENCE_NOT_FOUND problems).

    `rows` comes from `identity.match` and has text in `project` and `desk`; `sent` has the cells as sent.
    Rows that say the same are judged once: a file names few projects and desks.
    """
    judge = _Judge(data, str(defaults.get("project", DEFAULT)), str(defaults.get("desk", DEFAULT)))
    groups = rows.groupby(_JUDGED_BY, sort=False).ngroup()
    verdicts = [judge.verdict(*key) for key in rows[_JUDGED_BY].drop_duplicates().itertuples(index=False, name=None)]
    found = [
        problem_rows(
            "CELL_REFERENCE_NOT_FOUND",
            name,
            _sent(sent, name, groups.index[groups == number]),
            facts=[{"detail": sentence}] * int((groups == number).sum()),
        )
        for number, verdict in enumerate(verdicts)
        for name, sentence in verdict.problems
    ]
    resolved = rows.assign(
        project=pd.Series([verdicts[g].project for g in groups], index=rows.index, dtype=object),
        desk=pd.Series([verdicts[g].desk for g in groups], index=rows.index, dtype=object),
    )
    return resolved, join_problems(*found)


class _Judge:
    def __init__(self, data: ReferenceData, default_project: str, default_desk: str) -> None:
        self._data = data
        named = default_project.lower()
        self._default_project = data.default_project if named == DEFAULT else named
        self._default_desk = default_desk.lower()

    def verdict(self, project: str, desk: str, is_new: bool, current: str) -> _Verdict:
        problems: list[tuple[str, str]] = []
        chosen = self._project(project, is_new, problems)
        effective = chosen or (None if is_new or problems else current)
        moves = is_new or (chosen is not None and chosen != current)
        return _Verdict(chosen, self._desk(desk, effective, moves, problems), problems)

    def _project(self, cell: str, is_new: bool, problems: list[tuple[str, str]]) -> str | None:
        if cell == "" and not is_new:
            return None
        if cell.lower() in ("", DEFAULT):
            wanted, sentence = self._default_project, "There is no default project; name one."
        else:
            wanted, sentence = cell.lower(), self._no_project(cell)
        if wanted in self._data.projects:
            return wanted
        problems.append(("project", sentence))
        return None

    def _desk(self, cell: str, project: str | None, moves: bool, problems: list[tuple[str, str]]) -> str | None:
        if cell.lower() in ("", DEFAULT):
            if project is None or (cell == "" and not moves):
                return None
            fallback = self._default_desk_of(project)
            if fallback is None:
                problems.append(
                    ("desk", f"The project {show(self._data.projects[project])} has no default desk; name one.")
                )
            return fallback
        desk = self._data.desks.get(cell.lower())
        if desk is None:
            problems.append(("desk", self._no_desk(cell)))
        elif project is not None and desk.project_id != project:
            owner = show(self._data.projects[desk.project_id])
            problems.append(
                ("desk", f"The desk {show(desk.name)} belongs to the project {owner}, not to the client's.")
            )
        return desk.id if desk else None

    def _default_desk_of(self, project: str) -> str | None:
        wanted = self._data.desks.get(self._default_desk)
        if wanted and wanted.project_id == project:
            return wanted.id
        return next((d.id for d in self._data.desks.values() if d.is_default and d.project_id == project), None)

    def _no_project(self, cell: str) -> str:
        named = [id for id, name in self._data.projects.items() if name.casefold() == cell.casefold()]
        return f"No project has the ID {show(cell)}.{_ids_of('project', named)}"

    def _no_desk(self, cell: str) -> str:
        named = [desk.id for desk in self._data.desks.values() if desk.name.casefold() == cell.casefold()]
        return f"No desk has the ID {show(cell)}.{_ids_of('desk', named)}"


def _ids_of(what: str, ids: list[str]) -> str:
    return f" The {what} with that name has the ID {' or '.join(ids)}." if ids else ""


def _sent(sent: pd.DataFrame, name: str, rows: pd.Index) -> pd.Series:
    return sent.loc[rows, name] if name in sent else pd.Series("", index=rows, dtype="str")
