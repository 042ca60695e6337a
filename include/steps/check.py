"""What can be said of a file without a database: sections 4 and 5 of SPEC.md but for the references."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pandas as pd

from include.codes import message_for
from include.errors import FileRefused
from include.models import Counts, ImportResult, Problem
from include.schemas.feed import Feed
from include.steps.prepare import KEYS, with_ids
from include.steps.validate import Judged, judge_file
from include.transforms.matching.duplicates import resolve_duplicates
from include.transforms.matching.identity import match
from include.transforms.validation.problems import join_problems, rows_with_errors, without_errors

_NO_CLIENTS = pd.DataFrame({name: pd.Series(dtype="str") for name in ("id", "email_key", "project")}).set_index("id")


def check(path: Path, feed: Feed, now: datetime) -> ImportResult:
    """Judge one file; writes nothing. State `validated`, or `refused` with its code."""
    try:
        judged = judge_file(path.name, path, feed, now)
        lines, found = _lines_and_problems(judged, feed)
    except FileRefused as refused:
        return ImportResult(path.name, None, "refused", refused.code, refused.message, refused.line)
    failed, read = len(rows_with_errors(found)), len(lines)
    replaced = found["row"][(found["code"] == "DUPLICATE_IN_FILE") & (found["severity"] == "warning")]
    problems = (*(replace(p, row=0) for p in judged.header.problems), *_with_lines(found, lines))
    warnings = sum(p.severity == "warning" for p in problems)
    result = ImportResult(
        path.name, None, "validated", problems=problems,
        counts=Counts(read=read, duplicate=replaced.nunique(), failed=failed, warnings=warnings),
    )  # fmt: skip
    if failed and feed.on_failed_rows == "refuse_file":
        message = message_for("FILE_FAILED_ROWS", failed=f"{failed:,}", read=f"{read:,}")
        return replace(result, state="refused", code="FILE_FAILED_ROWS", message=message)
    return result


def _lines_and_problems(judged: Judged, feed: Feed) -> tuple[pd.Series, pd.DataFrame]:
    """(every row's line, all problems). Raises FileRefused."""
    lines, problems, keys, emails = [], [], [], []
    for piece in judged.pieces:
        good = match(with_ids(without_errors(piece.rows, piece.problems)), _NO_CLIENTS)
        emails.append(good["email"])
        keys.append(good.reindex(columns=KEYS, fill_value=""))
        lines.append(piece.rows["line"])
        problems.append(piece.problems)
    stable_files = resolve_duplicates(pd.concat(keys), feed.duplicates, lambda rows: pd.concat(emails).loc[rows])
    return pd.concat(lines), join_problems(*problems, stable_files.problems)


def _with_lines(found: pd.DataFrame, lines: pd.Series) -> list[Problem]:
    return [Problem(**{str(k): v for k, v in p.items()}, line=int(lines[p["row"]])) for p in found.to_dict("records")]
