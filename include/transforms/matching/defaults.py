"""From text to values, and what a new client gets where the row says nothing (SPEC.md section 3)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import pandas as pd
import pyarrow as arrow
from pyarrow import compute

from include.schemas.cell_rules import as_booleans, as_timestamps
from include.schemas.client_rows import CLEARED, FIELDS, Field

_TYPES = {"boolean": "boolean", "timestamp": "datetime64[us, UTC]"}


def typed(rows: pd.DataFrame) -> pd.DataFrame:
    """Give a new frame in which every field has its value, missing where it is blank ('' where it is `CLEARED`).

    `rows` has text in every field, and `is_new`. What never changes is read for new clients only, and is missing for
    the others. `project` and `desk` are left as they are: `resolve_references` has made them IDs.
    """
    sent = {name: rows[name] for name, field in FIELDS.items() if field.kind != "reference"}
    used = {name: text if FIELDS[name].changeable else text[rows["is_new"]] for name, text in sent.items()}
    return rows.assign(**{name: _values(FIELDS[name], text) for name, text in used.items()})


def fill(rows: pd.DataFrame, defaults: Mapping[str, str | bool], now: datetime) -> pd.DataFrame:
    """Give rows with `is_new` the feed's default, else the field's, in every field left open.

    Existing clients get nothing: a blank cell never changes them.
    """
    if not rows["is_new"].any():
        return rows
    on_create: dict[str, object] = {name: field.on_create for name, field in FIELDS.items()} | {"created": now}
    on_create |= {name: _default(FIELDS[name], value) for name, value in defaults.items()}
    filled = {
        name: rows[name].mask(rows["is_new"] & rows[name].isna(), value)
        for name, value in on_create.items()
        if value is not None and FIELDS[name].kind != "reference"
    }
    return rows.assign(**filled)


def _values(field: Field, text: pd.Series) -> pd.Series:
    if text.empty:
        # Pieces of one file are written one after another, so a column has one type in all of them.
        return pd.Series(index=text.index, dtype=_TYPES.get(field.kind, "str"))
    if field.kind == "boolean":
        return as_booleans(text)
    if field.kind == "timestamp":
        return as_timestamps(text)
    if field.kind in ("choice", "id"):
        text = text.str.lower()
    cells = arrow.array(text.array)
    present = compute.if_else(compute.equal(cells, ""), None, cells)
    if field.clearable:
        present = compute.if_else(compute.equal(present, CLEARED), "", present)
    return pd.Series(pd.array(present, dtype="str"), index=text.index)


def _default(field: Field, value: str | bool) -> object:
    if isinstance(value, bool) or field.kind == "reference":
        return value
    return _values(field, pd.Series([value], dtype="str")).iloc[0]
