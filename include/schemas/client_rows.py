"""What a row of a client file may look like: one Pandera model, from whose fields everything else follows.

Headers, templates, SQL and documents read `FIELDS`, which is made from the model. CONTRIBUTING.md says how to add a
field. Source of the rules: SPEC.md sections 3 and 5.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

import pandas as pd
import pandera.pandas as pa
from pandera.api.extensions import register_check_method

from include.codes import Code
from include.models import ID_PATTERN
from include.schemas import cell_rules
from include.schemas.email_addresses import email_keys

Kind = Literal["id", "name", "email", "username", "reference", "boolean", "choice", "timestamp", "phone"]
# What stands in `rows` for the feed's word that clears a field. Cells are trimmed, so no file can hold it.
CLEARED = " "


@dataclass(frozen=True)
class Field:
    """One column of the client table as a sender may write it.

    `shortest` and `longest` count characters. `clearable`: the feed's word for it empties it on update.
    `on_create` is what a new client gets when neither the row nor the feed's defaults say anything. `example` is a cell
    in templates and contracts; '' where each installation has its own.
    """

    label: str
    headers: tuple[str, ...]
    kind: Kind
    name: str = ""
    required: bool = False
    shortest: int = 0
    longest: int | None = None
    allowed: tuple[str, ...] = ()
    clearable: bool = False
    changeable: bool = True
    on_create: str | bool | None = None
    example: str = ""


# Every check takes one column of text and gives a verdict per cell, or True for all. Blank cells pass all of them but
# two: `filled` and `visible`.


@register_check_method
def no_spreadsheet_error(text: pd.Series) -> pd.Series | bool:
    return not cell_rules.some_may_be_spreadsheet_errors(text) or ~cell_rules.is_spreadsheet_error(text)


@register_check_method
def not_cleared(text: pd.Series) -> pd.Series | bool:
    return CLEARED not in text.array or text != CLEARED


@register_check_method
def filled(text: pd.Series) -> pd.Series:
    return cell_rules.is_filled(text)


@register_check_method
def visible(text: pd.Series) -> pd.Series:
    return cell_rules.is_visible(text)


@register_check_method(statistics=["limit"])  # type: ignore[untyped-decorator]
def at_most(text: pd.Series, *, limit: int) -> pd.Series:
    return text.str.len() <= limit


@register_check_method(statistics=["limit"])  # type: ignore[untyped-decorator]
def at_least(text: pd.Series, *, limit: int) -> pd.Series:
    return (text == "") | (text.str.len() >= limit)


@register_check_method
def no_control_characters(text: pd.Series) -> pd.Series:
    return ~cell_rules.has_control_characters(text)


@register_check_method
def no_invisible_characters(text: pd.Series) -> pd.Series:
    return ~cell_rules.has_invisible_characters(text)


@register_check_method
def not_executable(text: pd.Series) -> pd.Series:
    return ~cell_rules.is_executable(text)


@register_check_method
def undamaged(text: pd.Series) -> pd.Series | bool:
    """Fails for a warning only: the severity stands in the table of codes."""
    return cell_rules.are_ascii(text) or ~cell_rules.looks_damaged(text)


@register_check_method
def hex_id(text: pd.Series) -> pd.Series:
    return (text == "") | cell_rules.contains(text, f"^{ID_PATTERN}$")


@register_check_method
def email_address(text: pd.Series) -> pd.Series:
    """Leave to the other checks what they report: an address that is too long or has invisible characters."""
    known = email_keys(text) != ""
    return known | (text == "") | (text.str.len() > LONGEST_EMAIL) | cell_rules.has_invisible_characters(text)


@register_check_method
def phone_number(text: pd.Series) -> pd.Series:
    """Leave to the other check what has invisible characters, as numbers from an address book do."""
    number = cell_rules.contains(text, f"^(?:{cell_rules.PHONE})$")
    return number | text.isin(["", CLEARED]) | cell_rules.has_invisible_characters(text)


@register_check_method
def boolean_word(text: pd.Series) -> pd.Series:
    return (text == "") | cell_rules.as_booleans(text).notna()


@register_check_method(statistics=["words"])  # type: ignore[untyped-decorator]
def one_of(text: pd.Series, *, words: tuple[str, ...]) -> pd.Series:
    return text.str.lower().isin(["", *words])


@register_check_method
def timestamp(text: pd.Series) -> pd.Series:
    return (text == "") | cell_rules.as_timestamps(text).notna()


def _column(label: str, *headers: str, kind: Kind, **facts: Any) -> Any:
    """Describe a field of the model, with the checks that follow from it. The `error` of each check is the code."""
    field = Field(label, headers or (label,), kind, **facts)
    return pa.Field(title=label, metadata={"field": field}, **_checks(field))


def _checks(field: Field) -> dict[str, Any]:
    checks: dict[str, dict[str, Any]] = {"no_spreadsheet_error": {"error": Code.CELL_SPREADSHEET_ERROR}}
    if not field.clearable:
        checks["not_cleared"] = {"error": Code.CELL_NOT_CLEARABLE}
    if field.required:
        checks["visible" if field.kind == "name" else "filled"] = {"error": Code.CELL_REQUIRED}
    if field.longest is not None:
        checks["at_most"] = {"limit": field.longest, "error": Code.CELL_TOO_LONG}
    if field.shortest:
        checks["at_least"] = {"limit": field.shortest, "error": Code.CELL_TOO_SHORT}
    match field.kind:
        case "id":
            checks["hex_id"] = {"error": Code.CELL_FORMAT}
        case "name":
            checks["no_control_characters"] = {"error": Code.CELL_CONTROL_CHARACTER}
            checks["not_executable"] = {"error": Code.CELL_EXECUTABLE}
            checks["undamaged"] = {"error": Code.CELL_LOOKS_DAMAGED}
        case "username":
            checks["no_invisible_characters"] = {"error": Code.CELL_CONTROL_CHARACTER}
            checks["not_executable"] = {"error": Code.CELL_EXECUTABLE}
        case "email":
            checks["no_invisible_characters"] = {"error": Code.CELL_CONTROL_CHARACTER}
            checks["email_address"] = {"error": Code.CELL_FORMAT}
        case "phone":
            checks["no_invisible_characters"] = {"error": Code.CELL_CONTROL_CHARACTER}
            checks["phone_number"] = {"error": Code.CELL_FORMAT}
        case "boolean":
            checks["boolean_word"] = {"error": Code.CELL_FORMAT}
        case "choice":
            checks["one_of"] = {"words": field.allowed, "error": Code.CELL_NOT_ALLOWED}
        case "timestamp":
            checks["timestamp"] = {"error": Code.CELL_FORMAT}
        case "reference":
            pass  # the rest is judged against the CRM's projects and desks: transforms/matching/references.py
    return checks


LONGEST_EMAIL = 254


class ClientRows(pa.DataFrameModel):
    """Rows of a client file after cleaning: text in every column, '' for a blank cell or a missing column."""

    id: str = _column("ID", kind="id", changeable=False)
    first_name: str = _column("First name", "First Name", kind="name", required=True, longest=100, example="Ann")
    middle_name: str = _column(
        "Middle name", "Middle Name", kind="name", longest=100, clearable=True, on_create="", example="May"
    )
    last_name: str = _column(
        "Last name", "Last Name", kind="name", longest=100, clearable=True, on_create="", example="Lee"
    )
    email: str = _column(
        "E-mail", "Email", "E-mail", kind="email", required=True, longest=LONGEST_EMAIL, example="ann.lee@example.com"
    )
    username: str = _column("Username", kind="username", shortest=3, longest=64, example="ann.lee")
    project: str = _column("Project", kind="reference")
    desk: str = _column("Desk", kind="reference")
    active: str = _column("Active", kind="boolean", on_create=True, example="yes")
    type: str = _column(
        "Type", kind="choice", allowed=("personal", "business"), on_create="personal", example="personal"
    )
    created: str = _column("Created", kind="timestamp", changeable=False, example="2024-01-31")


FIELDS: dict[str, Field] = {
    name: replace(column.metadata["field"], name=name) for name, column in ClientRows.to_schema().columns.items()
}
REQUIRED = tuple(field.name for field in FIELDS.values() if field.required)


def required_columns(mode: str) -> tuple[tuple[str, ...], ...]:
    """Give the fields that a file must name, one of each group: an update needs to say which client it means."""
    return (("id", "email"),) if mode == "update_only" else tuple((name,) for name in REQUIRED)
