"""Cells judged by themselves: Pandera finds what is wrong, this module says why (SPEC.md section 5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pandas as pd
from pandera.config import ValidationDepth, config_context
from pandera.errors import SchemaErrorReason, SchemaErrors

from include.codes import Code
from include.errors import CheckBroken
from include.schemas.cell_rules import (
    FALSE_WORDS,
    TRUE_WORDS,
    as_timestamps,
    is_formula,
    is_markup,
    is_too_narrow,
    is_whole_in_quotes,
)
from include.schemas.client_rows import FIELDS, ClientRows, Field
from include.schemas.email_addresses import why_not_valid
from include.schemas.words import all_of, folded, listed
from include.transforms.csv_reading.headers import fields_of
from include.transforms.csv_reading.sent_rows import column_as_sent
from include.transforms.validation.cleaning import trimmed
from include.transforms.validation.problems import join_problems, no_problems, problem_rows

_BOOLEANS = [word for pair in zip(TRUE_WORDS, FALSE_WORDS, strict=True) for word in pair]
_EXAMPLE = datetime(2024, 6, 13, 15, 6, 2)  # noqa: DTZ001 - the clock of a partner


@dataclass(frozen=True)
class Known:
    """What the feed says of cells, named to those whose cells it does not fit: its keys `values` and `date_format`."""

    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    date_format: str | None = None

    def listed(self, of: Field, words: Sequence[str]) -> str:
        """Name the words that may stand in the field: those that always may, then the feed's."""
        own = [word for word in self.values.get(of.name, ()) if folded(word) not in words]  # noqa: PD011
        return ", ".join(words) + (f", {listed(own)}" if own else "")

    def dates(self) -> str:
        iso = "2024-06-13 or 2024-06-13T15:06:02Z"
        if self.date_format is None:
            return f"is no date or date-time of the form {iso}; the feed file can name another form (key `date_format`)"
        example = _EXAMPLE.strftime(self.date_format)
        return f"is no date of the feed's form `{self.date_format}`, such as {example}, nor of the form {iso}"


NOTHING_KNOWN = Known()


def judge_cells(
    sent: pd.DataFrame, rows: pd.DataFrame, ragged: pd.Series, now: datetime, mode: str = "upsert",
    known: Known = NOTHING_KNOWN,
) -> pd.DataFrame:  # fmt: skip
    """Give every problem of every cell.

    `sent` and `rows` hold the cells as sent and as cleaned. `ragged` maps rows that fit no columns to a sentence; they
    have that one problem, because their cells belong to no field. `now` is an aware UTC time. With the mode
    `update_only` a blank cell keeps what the client has; only an ID or an e-mail is needed. `known` is for sentences.
    """
    judged = rows.drop(ragged.index) if len(ragged) else rows
    problems = join_problems(_ragged(ragged), *_judged_by_pandera(sent, judged, known), _in_future(sent, judged, now))
    return _without_needless(problems, judged) if mode == "update_only" else problems


def _without_needless(problems: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
    """Leave out what only a new client needs."""
    has_id = problems["row"].isin(rows.index[rows["id"] != ""])
    needed = (problems["field"] == "email") & ~has_id
    return problems[(problems["code"] != Code.CELL_REQUIRED) | needed]


def _ragged(ragged: pd.Series) -> pd.DataFrame:
    blank = pd.Series("", index=ragged.index, dtype="str")
    return problem_rows(Code.ROW_RAGGED, "", blank, {"detail": ragged})


def _judged_by_pandera(sent: pd.DataFrame, rows: pd.DataFrame, known: Known) -> list[pd.DataFrame]:
    try:
        # The frame is made here: every column is there and is text. What is in question are the cells.
        with config_context(validation_depth=ValidationDepth.DATA_ONLY):
            ClientRows.validate(rows[list(FIELDS)], lazy=True)
    except SchemaErrors as errors:
        _raise_if_a_check_broke(errors)
        return [
            _explain(Code(str(code)), FIELDS[str(field)], sent, rows, pd.Index(cases["index"]), known)
            for (field, code), cases in _reasons(errors.failure_cases).groupby(["column", "check"], sort=False)
        ]
    return []


def _reasons(cases: pd.DataFrame) -> pd.DataFrame:
    """Leave out what else is said of a cell that stands for no value: `#N/A` is no e-mail address, too."""
    says_all = cases["check"].isin([Code.CELL_SPREADSHEET_ERROR, Code.CELL_NOT_CLEARABLE])
    if not says_all.any():
        return cases
    cells = pd.MultiIndex.from_frame(cases[["column", "index"]])
    return cases[says_all | ~cells.isin(cells[says_all])]


def _raise_if_a_check_broke(errors: SchemaErrors) -> None:
    """Raise what Pandera reports as a failure case, although it is a system error: an exception inside a check."""
    for error in errors.schema_errors:
        if error.reason_code is not SchemaErrorReason.DATAFRAME_CHECK:
            # The exception's text may hold cells; its type holds none.
            kind = error.failure_cases.partition("(")[0] if isinstance(error.failure_cases, str) else ""
            raise CheckBroken(str(error.schema.name), kind or error.reason_code.name) from None


def _explain(
    code: Code, field: Field, sent: pd.DataFrame, rows: pd.DataFrame, failed: pd.Index, known: Known
) -> pd.DataFrame:
    as_sent = column_as_sent(sent, field.name, failed)
    return problem_rows(code, field.name, as_sent, _facts(code, field, rows.loc[failed, field.name], as_sent, known))


def _facts(code: Code, field: Field, cells: pd.Series, as_sent: pd.Series, known: Known) -> dict[str, pd.Series]:
    """What fills the code's template, for each of these cells."""

    def same(fact: object) -> pd.Series:
        return pd.Series(fact, index=cells.index)

    match code:
        case Code.CELL_TOO_LONG:
            # What is judged may be cut; the sender hears the real length.
            return {"found": trimmed(as_sent).str.len(), "limit": same(field.longest)}
        case Code.CELL_TOO_SHORT:
            return {"found": cells.str.len(), "limit": same(field.shortest)}
        case Code.CELL_NOT_ALLOWED:
            return {"detail": same(known.listed(field, field.allowed))}
        case Code.CELL_CONTROL_CHARACTER:
            return {"detail": cells.map(_name_invisible)}
        case Code.CELL_EXECUTABLE:
            return {"detail": _why_executable(cells)}
        case Code.CELL_SPREADSHEET_ERROR:
            words = {True: "show this cell, because its column was too narrow", False: "work out this cell"}
            return {"detail": is_too_narrow(cells).map(words)}
        case Code.CELL_NOT_CLEARABLE:
            return {"detail": same(all_of(other.label for other in FIELDS.values() if other.clearable))}
        case Code.CELL_LOOKS_DAMAGED:
            words = {True: "stands in quotation marks", False: "looks like text that was decoded twice"}
            return {"detail": is_whole_in_quotes(cells).map(words)}
        case Code.CELL_FORMAT:
            return {"detail": _why_not_understood(field, cells, known)}
    return {}


def _why_executable(cells: pd.Series) -> pd.Series:
    words = pd.Series("is written as HTML code", index=cells.index)
    words = words.mask(is_markup(cells), "contains a script or markup")
    return words.mask(is_formula(cells), "is a formula that a spreadsheet would run")


def _why_not_understood(field: Field, cells: pd.Series, known: Known) -> pd.Series:
    match field.kind:
        case "email":
            return cells.map({cell: _why_no_address(cell) for cell in cells.unique()})
        case "timestamp":
            reason = known.dates()
        case "boolean":
            reason = f"is none of {known.listed(field, _BOOLEANS)}"
        case "phone":
            reason = "is no telephone number of 3 to 15 digits, such as +49 30 1234567 or 030/1234567 ext. 12"
        case _:
            reason = "is not an ID of 24 hexadecimal digits"
    return pd.Series(reason, index=cells.index)


def _why_no_address(cell: str) -> str:
    if fields_of([cell], {}) == ["email"]:
        return "is the name of its column: the header stands here once more, delete the line"
    return why_not_valid(cell)


def _in_future(sent: pd.DataFrame, rows: pd.DataFrame, now: datetime) -> pd.DataFrame:
    """Pandera does not know the time of the import, so this one rule is judged beside it."""
    # No time zone is as far as two days away, so the day alone tells of most cells that they lie in the past.
    recent = rows["created"][rows["created"].str.slice(stop=10) >= f"{now - timedelta(days=2):%Y-%m-%d}"]
    if recent.empty:
        return no_problems()
    late = recent.index[as_timestamps(recent) > now]
    detail = pd.Series("lies in the future", index=late)
    return problem_rows(Code.CELL_FORMAT, "created", sent.loc[late, "created"], {"detail": detail})


def _name_invisible(cell: str) -> str:
    if "\ufffd" in cell:
        return "the sign \ufffd, which stands for a letter that was lost before the file came here"
    hidden = sorted({c for c in cell if not c.isprintable() and c not in "\t\r\n"}) or sorted(set(cell) & set("\t\r\n"))
    return "an invisible character" + (f" (U+{ord(hidden[0]):04X})" if hidden else "")
