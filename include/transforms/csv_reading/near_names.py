"""Say which column may be meant where a field has none. A message suggests it; nothing is taken for granted."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence

import pandas as pd

from include.codes import show
from include.schemas.cell_rules import contains
from include.schemas.client_rows import FIELDS, ClientRows
from include.schemas.email_addresses import email_keys
from include.schemas.header_names import ABOUT_A_FIELD, LONGEST_NAME, SUGGESTED, WHOLE_NAMES, forms, normal

_WHOLE_NAMES = forms(WHOLE_NAMES)
_SUGGESTED = {field: forms(names) for field, names in SUGGESTED.items()}
_SUGGESTED["first_name"] |= _WHOLE_NAMES
NEAR = 0.7  # of difflib; `Frist Name` has 0.89
_CANDIDATES = 200  # columns; a file with more of them that are not known is no file of clients


def near_field(name: str, absent: Sequence[str]) -> str:
    """Give the sentence that asks whether an ignored column was meant to be a field that has none; '' for no field."""
    for field in absent:
        if nearness(name, field) >= NEAR:
            return f" Did you mean {FIELDS[field].headers[0]}?"
    return ""


def near_column(field: str, columns: Sequence[tuple[str, Sequence[str]]]) -> str:
    """Give the sentence that asks whether a column was meant to be a required field; '' for no column.

    `columns` are those that mean nothing, each with its name and a few of its cells. A column none of whose cells can
    be the field is never suggested.
    """
    near = [(nearness(name, field, inside=True), name, cells) for name, cells in columns[:_CANDIDATES]]
    candidates = [(can_be(field, cells), ratio, name) for ratio, name, cells in near if ratio >= NEAR]
    possible = [candidate for candidate in candidates if candidate[0] is not False]
    if not possible:
        return ""
    _, _, name = max(possible, key=lambda candidate: (candidate[0] is True, candidate[1]))
    split = " If it holds whole names, split it into First Name and Last Name." if normal(name) in _WHOLE_NAMES else ""
    return f" Did you mean {show(name)} to be {FIELDS[field].headers[0]}?{split}"


def nearness(name: str, field: str, inside: bool = False) -> float:
    """Say from 0 to 1 how near a name, such as `Mial` or `Frist Name`, is to one of a field's.

    `inside`: a name that contains one of the field's, such as `Billing Email`, is near as well.
    """
    sent = normal(name)
    if len(name) > LONGEST_NAME or not sent:
        return 0
    if sent in _SUGGESTED.get(field, ()):
        return 1
    known = [normal(each) for each in (field, *FIELDS[field].headers)]
    ratio = max(difflib.SequenceMatcher(None, sent, each).ratio() for each in known)
    if inside and any(each in sent for each in known) and not set(_words(name)) & set(ABOUT_A_FIELD):
        return max(ratio, NEAR)
    return ratio


def _words(name: str) -> list[str]:
    return re.findall(r"[^\W\d_]+", name.casefold())


def can_be(field: str, cells: Sequence[str]) -> bool | None:
    """Say whether one of the cells meets every rule of the field; None when all of them are blank."""
    text = pd.Series([cell.strip() for cell in cells], dtype="str")
    text = text[text != ""]
    if text.empty:
        return None
    good = pd.Series(True, index=text.index)
    for check in ClientRows.to_schema().columns[field].checks:
        good &= check(text).check_output
    if FIELDS[field].kind == "name":
        # Nearly every text meets the rules of a name; addresses and numbers are none all the same.
        good &= contains(text, r"\p{L}") & (email_keys(text) == "")
    return bool(good.any())
