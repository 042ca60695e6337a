"""What is done to a cell before it is judged: white space around it goes, NFC, the feed's value map. Nothing else."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping

import pandas as pd

from include.schemas.client_rows import WHITE_SPACE
from include.transforms.validation.emails import email_keys
from include.transforms.validation.problems import fields_in
from include.transforms.validation.quick_look import QuickLook

# Longer cells fail by their length; putting marks in order takes time that grows with the square of their number.
_LONGEST_TO_NORMALISE = 1000


def clean(sent: pd.DataFrame, values: Mapping[str, Mapping[str, str]]) -> pd.DataFrame:
    """`rows`: every field's cells trimmed, in NFC, and mapped where the feed maps them."""
    cleaned = {"line": sent["line"]}
    for field in fields_in(sent):
        column = sent[field]
        if not QuickLook.at(column).is_clean():
            column = _normal_form(column.str.strip(WHITE_SPACE))
        words = {_in_normal_form(sent): meant for sent, meant in values.get(field, {}).items()}
        cleaned[field] = column.map(lambda cell, words=words: words.get(cell, cell)).astype("str") if words else column
    return pd.DataFrame({**cleaned, "email_key": email_keys(cleaned["email"])})


def _normal_form(column: pd.Series) -> pd.Series:
    other = ~column.str.isascii()
    if not other.any():
        return column
    normalised = column.copy()
    normalised[other] = [_in_normal_form(cell) for cell in column[other]]
    return normalised


def _in_normal_form(cell: str) -> str:
    if len(cell) > _LONGEST_TO_NORMALISE:
        return cell
    return unicodedata.normalize("NFC", cell.strip(WHITE_SPACE)).strip(WHITE_SPACE)
