"""What can be said of a file without a database: sections 4 and 5 of SPEC.md but for the references."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pandas as pd

from include.codes import message_for
from include.errors import FileRefused
from include.results import Counts, ImportResult, Problem
from include.schemas.feed import Feed
from include.steps.prepare import with_keys
from include.steps.validate import Judged, judge_file
from include.transforms.deduplication import settle
from include.transforms.frames import join_problems, rows_with_errors
from include.transforms.identity import match

_NO_CLIENTS = pd.DataFrame({name: pd.Series(dtype="str") for name in ("id", "email_key", "project")}).set_index("id")


def check(path: Path, feed: Feed, now: datetime) -> ImportResult:
    """Judge one file; writes nothing. State `validated`, or `refused` with its code."""
    try:
        judged = judge_file(path.name, path, feed, now)
    except FileRefused as refused:
        return ImportResult(path.name, None, "refused", refused.code, refused.message, refused.line)
    found = _problems(judged, feed)
    failed, read = len(rows_with_errors(found)), len(judged.rows)
    replaced = found["row"][(found["code"] == "DUPLICATE_IN_FILE") & (found["severity"] == "warning")]
    problems = (*(replace(p, row=0) for p in judged.header.problems), *_with_lines(found, judged.rows["line"]))
    warnings = sum(p.severity == "warning" for p in problems)
    result = ImportResult(
        path.name, None, "validated", problems=problems,
        counts=Counts(read=read, duplicate=replaced.nunique(), failed=failed, warnings=warnings),
    )  # fmt: skip
    if failed and feed.on_failed_rows == "refuse_file":
        message = message_for("FILE_FAILED_ROWS", failed=f"{failed:,}", read=f"{read:,}")
        return replace(result, state="refused", code="FILE_FAILED_ROWS", message=message)
    return result


def _problems(judged: Judged, feed: Feed) -> pd.DataFrame:
    good = with_keys(judged.rows.drop(rows_with_errors(judged.problems)))
    return join_problems(judged.problems, settle(match(good, _NO_CLIENTS), feed.duplicates).problems)


def _with_lines(found: pd.DataFrame, lines: pd.Series) -> list[Problem]:
    return [Problem(**{str(k): v for k, v in p.items()}, line=int(lines[p["row"]])) for p in found.to_dict("records")]
