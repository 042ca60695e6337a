"""Cells and rows judged by themselves: every problem of every row (SPEC.md section 5)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import numpy as np
import pandas as pd
import pandera.errors

from include.schemas.client_rows import FIELDS, Field, as_timestamps, is_formula, row_schema, rules
from include.transforms.csv_reading.headers import fields_of
from include.transforms.validation.emails import why_not_valid
from include.transforms.validation.problems import fields_in, join_problems, problem_rows
from include.transforms.validation.quick_look import QuickLook


def find_problems(sent: pd.DataFrame, cleaned: pd.DataFrame, ragged: pd.Series, now: datetime) -> pd.DataFrame:
    """Problems of all rows.

    `sent` and `cleaned` are `rows` frames (cells as sent, and after cleaning); `ragged` maps the rows
    whose cells fit no column to a sentence. They have that one problem only.
    """
    doubtful = doubtful_cells(cleaned, now)
    doubtful.loc[ragged.index] = False
    return join_problems(_ragged_problems(ragged), *_cell_problems(sent, cleaned, doubtful, now))


def doubtful_cells(cleaned: pd.DataFrame, now: datetime) -> pd.DataFrame:
    """False where a quick look tells that the cell has no problem; a column per field."""
    looks = {name: ~_looks_good(FIELDS[name], cleaned, now) for name in fields_in(cleaned)}
    return pd.DataFrame(looks, index=cleaned.index)


def _looks_good(field: Field, cleaned: pd.DataFrame, now: datetime) -> np.ndarray:
    column = cleaned[field.name]
    look = QuickLook.at(column)
    blank: np.ndarray = look.lengths == 0
    if field.kind == "email":
        good = look.is_address() & (cleaned["email_key"] != "").to_numpy()
    elif field.kind == "id":
        good = look.is_id()
    elif field.kind in ("name", "username"):
        good = look.is_text()
    else:
        # Few different cells: what the rules say of each.
        numbers, texts = pd.factorize(column)
        good = _accepted(field, pd.Series(texts), now)[numbers]
    # No character has more than two bytes here.
    fits = blank | ((look.lengths >= 2 * field.shortest) & (look.lengths <= (field.longest or np.inf)))
    return good & fits & ~(blank & field.required)


def _accepted(field: Field, texts: pd.Series, now: datetime) -> np.ndarray:
    """What the rules say; `field` is no e-mail."""
    accepted = np.ones(len(texts), dtype=bool)
    for _, accepts in rules(field, now, email_is_valid=pd.Series.notna):
        accepted &= accepts(texts).to_numpy()
    return accepted


def _valid_in(cleaned: pd.DataFrame) -> Callable[[pd.Series], pd.Series]:
    return lambda emails: cleaned.loc[emails.index, "email_key"] != ""


def _ragged_problems(ragged: pd.Series) -> pd.DataFrame:
    facts = [{"detail": sentence} for sentence in ragged]
    return problem_rows("ROW_RAGGED", "", dict.fromkeys(ragged.index, ""), facts=facts)


def _cell_problems(
    sent: pd.DataFrame, cleaned: pd.DataFrame, doubtful: pd.DataFrame, now: datetime
) -> list[pd.DataFrame]:
    fields = [name for name in fields_in(doubtful) if doubtful[name].any()]
    if not fields:
        return []
    schema = row_schema(fields, now=now, email_is_valid=_valid_in(cleaned))
    try:
        schema.validate(cleaned.loc[doubtful.any(axis="columns"), fields], lazy=True)
    except pandera.errors.SchemaErrors as errors:
        _raise_if_a_check_broke(errors)
        cases = errors.failure_cases
        return [
            _explain(str(code), FIELDS[str(field)], sent, cleaned, [int(row) for row in found["index"]])
            for (field, code), found in cases.groupby(["column", "check"], sort=False)
        ]
    return []


def _raise_if_a_check_broke(errors: pandera.errors.SchemaErrors) -> None:
    """Pandera reports an exception inside a check as a failure case: a fault of ours would look like the sender's."""
    for error in errors.schema_errors:
        if error.reason_code is pandera.errors.SchemaErrorReason.CHECK_ERROR:
            raise RuntimeError(f"the check {error.check.error} of {error.schema.name} broke") from None


def _explain(code: str, field: Field, sent: pd.DataFrame, cleaned: pd.DataFrame, rows: list[int]) -> pd.DataFrame:
    cells = cleaned.loc[rows, field.name]
    facts = [_facts(code, field, cell) for cell in cells]
    return problem_rows(code, field.name, sent.loc[rows, field.name], facts=facts)


def _facts(code: str, field: Field, cell: str) -> dict[str, object]:
    if code == "CELL_TOO_LONG":
        return {"found": len(cell), "limit": field.longest}
    if code == "CELL_TOO_SHORT":
        return {"found": len(cell), "limit": field.shortest}
    if code == "CELL_NOT_ALLOWED":
        return {"detail": ", ".join(field.allowed)}
    if code == "CELL_CONTROL_CHARACTER":
        return {"detail": _name_invisible(cell)}
    if code == "CELL_EXECUTABLE":
        formula = bool(is_formula(pd.Series([cell], dtype="str")).iloc[0])
        return {"detail": "is a formula that a spreadsheet would run" if formula else "contains a script or markup"}
    return {"detail": _expected(field, cell)} if code == "CELL_FORMAT" else {}


def _expected(field: Field, cell: str) -> str:
    if field.kind == "email":
        if fields_of([cell], {}) == [field.name]:
            return "is the name of its column: the header stands here once more, delete the line"
        return why_not_valid(cell)
    if field.kind == "timestamp":
        in_future = as_timestamps(pd.Series([cell], dtype="str")).notna().iloc[0]
        return (
            "lies in the future"
            if in_future
            else "is no date or date-time of the form 2024-06-13 or 2024-06-13T15:06:02Z"
        )
    if field.kind == "boolean":
        return "is none of true, false, yes, no, 1, 0"
    return "is not an ID of 24 hexadecimal digits"


def _name_invisible(cell: str) -> str:
    if "\ufffd" in cell:
        return "the sign \ufffd, which stands for a letter that was lost before the file came here"
    found = sorted({c for c in cell if not c.isprintable() and c not in "\t\r\n"}) or sorted(set(cell) & set("\t\r\n"))
    return "an invisible character" + (f" (U+{ord(found[0]):04X})" if found else "")
