"""What is done to a cell before it is judged: white space around it goes, NFC, the feed's value map. Nothing else."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping

import pandas as pd

from include.transforms.frames import fields_in
from include.transforms.reports import restore

# White space that people cannot see around a word. Control characters are not: they are reported.
_WHITE_SPACE = (
    "\t\n\r \xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000"
)


def clean(rows: pd.DataFrame, values: Mapping[str, Mapping[str, str]]) -> pd.DataFrame:
    """A new frame with every field's cells trimmed, in NFC, and mapped where the feed maps them."""
    cleaned = {}
    for field in fields_in(rows):
        column = _normal_form(rows[field].str.strip(_WHITE_SPACE))
        words = values.get(field)
        cleaned[field] = column.map(lambda cell, words=words: words.get(cell, cell)).astype("str") if words else column
    return rows.assign(**cleaned)


def restored(rows: pd.DataFrame) -> pd.DataFrame:
    """A failed-row report's cells without the apostrophes that made them safe for a spreadsheet."""
    return rows.assign(
        **{
            field: pd.Series([restore(cell) for cell in rows[field]], index=rows.index, dtype="str")
            for field in fields_in(rows)
        }
    )


def _normal_form(column: pd.Series) -> pd.Series:
    other = ~column.str.isascii()
    if not other.any():
        return column
    normalised = column.copy()
    normalised[other] = [unicodedata.normalize("NFC", cell).strip(_WHITE_SPACE) for cell in column[other]]
    return normalised
