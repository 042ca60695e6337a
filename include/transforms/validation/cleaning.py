"""What is done to a cell before it is judged (SPEC.md section 3). Nothing else is.

Outer white space goes, text is put in NFC, the feed's value map and its form of dates are applied, and the feed's word
that clears a field becomes `CLEARED`.
"""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import pyarrow
from pyarrow import compute

from include.schemas.cell_rules import are_ascii, as_iso, is_spreadsheet_error, is_unseen
from include.schemas.client_rows import CLEARED, FIELDS
from include.schemas.email_addresses import is_another_sign_in_nfc
from include.schemas.words import WHITE_SPACE, as_cell, folded

# Characters of a cell that are judged. No field is that long, so a longer cell fails, whatever follows. Putting
# combining marks in order takes time that grows with the square of their number.
LONGEST_JUDGED = 1000


def clean(
    sent: pd.DataFrame,
    values: Mapping[str, Mapping[str, str]],
    clear_word: str | None = None,
    date_format: str | None = None,
) -> pd.DataFrame:
    """Give the frame `rows`: index `row`, `line`, and one str column per field, '' where it is blank or missing.

    `values` are the feed's words by field: what is sent, and what it means. `clear_word` and `date_format` are the keys
    of the feed.
    """
    blank = pd.Series("", index=sent.index, dtype="str")
    columns = {
        name: _in_normal_form(sent[name], field.kind == "email") for name, field in FIELDS.items() if name in sent
    }
    for name, words in values.items():
        if name in columns:
            columns[name] = _mapped(columns[name], words)
    if date_format and "created" in columns:
        columns["created"] = as_iso(columns["created"], date_format)
    if clear_word:
        columns |= {name: _cleared(columns[name], clear_word) for name in _may_say(clear_word) if name in columns}
    return pd.DataFrame({"line": sent["line"], **{name: columns.get(name, blank) for name in FIELDS}})


def trimmed(cells: pd.Series) -> pd.Series:
    """Take away white space around a word, which is not seen. Control characters stay: they are reported."""
    return cells.str.strip(WHITE_SPACE)


def _in_normal_form(cells: pd.Series, is_email: bool = False) -> pd.Series:
    text = compute.utf8_trim(pyarrow.array(cells.array), characters=WHITE_SPACE)
    if len(text) and compute.max(compute.binary_length(text)).as_py() > LONGEST_JUDGED:
        text = compute.utf8_slice_codeunits(text, 0, LONGEST_JUDGED)
    judged = pd.Series(pd.array(text, dtype="str"), index=cells.index)
    return judged if are_ascii(judged) else _of_other_letters(judged, is_email)


def _of_other_letters(cells: pd.Series, is_email: bool) -> pd.Series:
    """Put text that is not all ASCII in NFC; where nothing of a cell can be seen, it is blank.

    An e-mail address is judged as it was sent where NFC would make another sign of one of its characters.
    """
    text = compute.utf8_normalize(pyarrow.array(cells.array), form="NFC")
    normal = pd.Series(pd.array(text, dtype="str"), index=cells.index)
    if is_email:
        normal = normal.where(~is_another_sign_in_nfc(cells), cells)
    return normal.mask(is_unseen(normal), "")


def _mapped(cells: pd.Series, words: Mapping[str, str]) -> pd.Series:
    meanings = {folded(word): meant for word, meant in words.items()}
    known = {cell: meanings.get(cell.casefold()) for cell in cells.unique() if cell}  # blank stays blank
    said = {cell: meant.strip(WHITE_SPACE) for cell, meant in known.items() if meant is not None}
    return cells.map(lambda cell: said.get(cell, cell)).astype("str") if said else cells


def _may_say(clear_word: str) -> list[str]:
    """Name the fields in which a cell may be the word: a spreadsheet's error clears nothing by mistake."""
    is_error = is_spreadsheet_error(pd.Series([clear_word], dtype="str")).any()
    return [name for name, field in FIELDS.items() if field.clearable or not is_error]


def _cleared(cells: pd.Series, clear_word: str) -> pd.Series:
    """Put `CLEARED` in the place of the word, whatever its case: a spreadsheet may have changed that."""
    word = as_cell(clear_word).lower()
    said = compute.equal(compute.utf8_lower(pyarrow.array(cells.array)), word)
    return cells.mask(said.to_numpy(zero_copy_only=False), CLEARED) if compute.any(said).as_py() else cells
