"""The names of the fields, in the order of the Pandera model.

They are read from the model's source: Airflow reads DAG files, and with them the feeds, every few seconds, and Pandera
takes a second to load.
"""

from __future__ import annotations

import ast
from pathlib import Path

_SOURCE = Path(__file__).with_name("client_rows.py").read_text("utf-8")
FIELD_NAMES: tuple[str, ...] = tuple(
    ast.unparse(column.target)
    for model in ast.parse(_SOURCE).body
    if isinstance(model, ast.ClassDef) and model.name == "ClientRows"
    for column in model.body
    if isinstance(column, ast.AnnAssign)
)
