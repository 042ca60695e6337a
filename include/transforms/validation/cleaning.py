"""What is done to a cell before it is judged: outer white space goes, NFC, the feed's value map. Nothing else."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import pyarrow
from pyarrow import compute

from include.schemas.cell_rules import WHITE_SPACE
from include.schemas.client_rows import FIELDS

# Characters of a cell that are judged. No field is that long, so a longer cell fails, whatever follows. Putting
# combining marks in order takes time that grows with the square of their number.
LONGEST_JUDGED = 1000


def clean(sent: pd.DataFrame, values: Mapping[str, Mapping[str, str]]) -> pd.DataFrame:
    """Give the frame `rows`: index `row`, `line`, and one str column per field, '' where it is blank or missing.

    `values` are the feed's words by field: what is sent, and what it means.
    """
    blank = pd.Series("", index=sent.index, dtype="str")
    columns = {name: _in_normal_form(sent[name]) if name in sent else blank for name in FIELDS}
    for name, words in values.items():
        if name in sent:
            columns[name] = _mapped(columns[name], words)
    return pd.DataFrame({"line": sent["line"], **columns})


def trimmed(cells: pd.Series) -> pd.Series:
    """Take away white space around a word, which is not seen. Control characters stay: they are reported."""
    return cells.str.strip(WHITE_SPACE)


def _in_normal_form(cells: pd.Series) -> pd.Series:
    text = pyarrow.array(trimmed(cells).str.slice(stop=LONGEST_JUDGED).array)
    return pd.Series(pd.array(compute.utf8_normalize(text, form="NFC"), dtype="str"), index=cells.index)


def _mapped(cells: pd.Series, words: Mapping[str, str]) -> pd.Series:
    sent_words = _in_normal_form(pd.Series(list(words), dtype="str"))
    meanings = {
        word: meant for word, meant in zip(sent_words, words.values(), strict=True) if word
    }  # blank stays blank
    return cells.map(lambda cell: meanings.get(cell, cell)).astype("str")
