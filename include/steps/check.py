"""What can be said of a file without a database: sections 4 and 5 of SPEC.md but for the references."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pandas as pd

from include.codes import Code, message_for
from include.errors import FileRefused
from include.models import Counts, ImportResult, Problem, State
from include.schemas.feed import Feed
from include.steps.validate import Judged, judge_file
from include.transforms.matching.duplicates import resolve_duplicates
from include.transforms.matching.identity import NO_CLIENTS, join_clients, keys_to_look_up, match, sound_cells
from include.transforms.matching.unused_cells import cells_that_count, unused_cells
from include.transforms.validation.problems import in_column_order, join_problems, rows_with_errors


def check(path: Path, feed: Feed, now: datetime) -> ImportResult:
    """Judge one file; writes nothing. State `validated`, or `refused` with its code."""
    try:
        judged = judge_file(path.name, path, feed, now)
        lines, problems = _lines_and_problems(judged, feed)
    except FileRefused as refused:
        return ImportResult(path.name, None, State.REFUSED, refused.code, refused.message, refused.line)
    failed, read = len(rows_with_errors(problems)), len(lines)
    replaced = (problems["code"] == Code.DUPLICATE_IN_FILE) & (problems["severity"] == "warning")
    reasons = (*judged.file_problems(), *_with_lines(problems, lines))
    warnings = sum(problem.severity == "warning" for problem in reasons)
    counts = Counts(read=read, duplicate=int(replaced.sum()), failed=failed, warnings=warnings)
    result = ImportResult(path.name, None, State.VALIDATED, problems=reasons, counts=counts)
    if failed and feed.on_failed_rows == "refuse_file":
        message = message_for(Code.FILE_FAILED_ROWS, failed=f"{failed:,}", read=f"{read:,}")
        return replace(result, state=State.REFUSED, code=Code.FILE_FAILED_ROWS, message=message)
    return result


def _lines_and_problems(judged: Judged, feed: Feed) -> tuple[pd.Series, pd.DataFrame]:
    """Give every row's line, and all problems, as if there were no clients yet. Raises FileRefused."""
    pieces = list(judged.pieces)
    sounds = [sound_cells(piece.rows, piece.problems) for piece in pieces]
    keys = join_clients(pd.concat([match(sound, *keys_to_look_up(sound), NO_CLIENTS) for sound in sounds]), feed)
    of_cells = join_problems(*(piece.problems for piece in pieces))
    good = pd.Series(~keys.index.isin(rows_with_errors(of_cells)), index=keys.index)
    resolution = resolve_duplicates(keys, good, feed.duplicates)
    replaced = resolution.replaced.iloc[:0] if resolution.combined else resolution.replaced
    used = cells_that_count((piece.rows for piece in pieces), replaced)
    unused = [unused_cells(piece.sent, piece.rows, keys["is_new"], replaced, used) for piece in pieces]
    of_rows = [resolution.problems(piece.sent, cells) for piece, cells in zip(pieces, unused, strict=True)]
    lines = pd.concat([piece.rows["line"] for piece in pieces])
    return lines, in_column_order(join_problems(of_cells, *of_rows), pieces[0].sent.columns)


def _with_lines(problems: pd.DataFrame, lines: pd.Series) -> list[Problem]:
    records = problems.to_dict("records")
    return [Problem(**{str(name): fact for name, fact in p.items()}, line=int(lines[p["row"]])) for p in records]
