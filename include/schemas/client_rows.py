"""What a row of a client file may look like: the fields, and the Pandera schema made of them.

To add a column: one `Field` here, one column in `client_tables.py`, a migration and a test.
Where a rule comes from: SPEC.md sections 3 and 5.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import pandas as pd
    import pandera.pandas as pa

Kind = Literal["id", "name", "email", "username", "reference", "boolean", "choice", "timestamp"]


@dataclass(frozen=True)
class Field:
    """One column of the client table as a sender may write it.

    `shortest` and `longest` count characters. `clearable`: the cell `#N/A` empties it on update.
    `on_create` is what a new client gets when neither the row nor the feed's defaults say anything.
    """

    name: str
    label: str
    headers: tuple[str, ...]
    kind: Kind
    required: bool = False
    shortest: int = 0
    longest: int | None = None
    allowed: tuple[str, ...] = ()
    clearable: bool = False
    changeable: bool = True
    on_create: str | bool | None = None


FIELDS: dict[str, Field] = {
    field.name: field
    for field in (
        Field("id", "ID", ("ID",), "id", changeable=False),
        Field("first_name", "First name", ("First Name",), "name", required=True, longest=100),
        Field("middle_name", "Middle name", ("Middle Name",), "name", longest=100, clearable=True, on_create=""),
        Field("last_name", "Last name", ("Last Name",), "name", longest=100, clearable=True, on_create=""),
        Field("email", "E-mail", ("Email", "E-mail"), "email", required=True, longest=254),
        Field("username", "Username", ("Username",), "username", shortest=3, longest=64),
        Field("project", "Project", ("Project",), "reference"),
        Field("desk", "Desk", ("Desk",), "reference"),
        Field("active", "Active", ("Active",), "boolean", on_create=True),
        Field("type", "Type", ("Type",), "choice", allowed=("personal", "business"), on_create="personal"),
        Field("created", "Created", ("Created",), "timestamp", changeable=False),
    )
}
REQUIRED = tuple(field.name for field in FIELDS.values() if field.required)
CLEAR = "#N/A"

# White space that people cannot see around a word, and that goes. Control characters are not: they are reported.
WHITE_SPACE = (
    "\t\n\r \xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000"
)
_TRUE, _FALSE = ("true", "yes", "1"), ("false", "no", "0")
_TIMESTAMP = (
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
    r"(?:[Tt ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]{1,9})?)?(?:[Zz]|[+-][0-9]{2}(?::?[0-9]{2})?)?)?"
)

_PLAIN_TIMESTAMP = r"^[1-9][0-9]{3}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$"

# RE2 syntax: pandas hands these to Arrow.
# U+FFFD stands for a letter that was lost before the file came here.
_CONTROL_IN_TEXT = r"[\x00-\x08\x0B\x0C\x0E-\x1F\x7F-\x{9F}\x{FFFD}]"
_VISIBLE = r"[^\p{Z}\p{Cc}\p{Cf}\x{034F}\x{115F}\x{1160}\x{17B4}\x{17B5}\x{2800}\x{3164}\x{FE00}-\x{FE0F}\x{FFA0}]"
_INVISIBLE = (
    r"[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\x{034F}\x{115F}\x{1160}\x{17B4}\x{17B5}\x{3164}\x{FE00}-\x{FE0F}\x{FFA0}"
    r"\x{FFFC}\x{FFFD}]"
)
_BEFORE_A_SIGN = r"[\p{Z}\p{Cc}\p{Cf}\x{034F}\x{115F}\x{1160}\x{2800}\x{3164}\x{FE00}-\x{FE0F}\x{FFA0}\"'`]*"
_SIGN = r"[=+\-@\x{FF1D}\x{FF0B}\x{FF0D}\x{FF20}\x{FE62}\x{FE63}\x{FE66}\x{FE6B}\x{2212}]"
_FORMULA = rf"^{_BEFORE_A_SIGN}{_SIGN}"
_PLUS_OR_MINUS = r"[+\-\x{FF0B}\x{FF0D}\x{FE62}\x{FE63}\x{2212}]"
_SIGN_OR_NUMBER = rf"^{_SIGN}$|^{_PLUS_OR_MINUS}?\p{{Nd}}+(?:[.,]\p{{Nd}}+)*$"
_SCRIPT_URL = "|".join(r"\s*".join(f"{scheme}:") for scheme in ("javascript", "vbscript", "livescript"))
# A tag is dangerous even unclosed: what it is put into closes it.
_TAG = (
    r"[<\x{FF1C}\x{FE64}](?:[/!?%]|[a-z][a-z0-9:-]*[\s/>\x{FF1E}\x{FE65}]"
    r"|(?:script|img|image|svg|math|iframe|frame|object|embed|applet|body|html|head|meta|link|base|style|form|input|button"
    r"|video|audio|source|details|marquee|isindex|template|textarea|select|table|div)$)"
)
_HANDLER = (
    r"\bon(?:abort|animation|after|auxclick|before|begin|blur|canplay|change|click|contextmenu|copy|cut|dblclick|drag|drop"
    r"|end|error|finish|focus|hashchange|input|invalid|key|load|message|mouse|page|paste|play|pointer|popstate|progress"
    r"|ready|repeat|reset|resize|scroll|search|seek|select|show|start|stop|storage|submit|toggle|touch|transition"
    r"|unload|wheel)[a-z]*\s*=\s*[\"'`a-z(]"
)
_MARKUP = (
    rf"(?i){_TAG}|{_SCRIPT_URL}|data\s*:\s*[a-z]+/[a-z0-9.+-]+\s*[;,]|&#(?:x[0-9a-f]{{2,}}|[0-9]{{2,}})|{_HANDLER}"
)


# What every formula, script or tag has. Hardly a name has it, so that one look at the others is enough.
_SIGN_OF_CODE = rf"{_FORMULA}|[<\x{{FF1C}}\x{{FE64}}:=]|&#"


def as_booleans(text: pd.Series) -> pd.Series:
    """yes/no, true/false, 1/0 in any case to True/False; anything else is missing (dtype boolean)."""
    import pandas as pd

    meanings = dict.fromkeys(_TRUE, True) | dict.fromkeys(_FALSE, False)
    numbers, texts = pd.factorize(text)  # few different ones
    values = pd.array([meanings.get(each.lower()) for each in texts], dtype="boolean")
    return pd.Series(values.take(numbers), index=text.index)


def as_timestamps(text: pd.Series) -> pd.Series:
    """ISO 8601 dates and date-times to UTC instants in microseconds, as PostgreSQL keeps them; no zone means UTC.

    Anything else is NaT; nothing rolls over.
    """
    import pandas as pd

    if (plain := _plain_timestamps(text)) is not None:
        return plain
    well_formed = text.where(text.str.fullmatch(_TIMESTAMP)).str.upper().str.replace(",", ".", regex=False)
    # One cell with nanoseconds would make pandas read the whole column in a unit that ends in 2262.
    if text.str.contains(".", regex=False).any() or text.str.contains(",", regex=False).any():
        well_formed = well_formed.str.replace(r"(\.[0-9]{6})[0-9]+", r"\1", regex=True)
    instants = pd.to_datetime(well_formed, format="ISO8601", utc=True, errors="coerce", cache=False).dt.as_unit("us")
    return instants.where(instants >= pd.Timestamp("0001-01-01", tz="UTC"))  # no calendar has a year 0


def _plain_timestamps(text: pd.Series) -> pd.Series | None:
    """The same for a column of `2024-06-13T15:06:02Z` and blanks; None for any other, and where one is no date."""
    import pandas as pd
    import pyarrow as arrow
    from pyarrow import compute

    cells = arrow.array(text.array)
    blank = compute.equal(cells, "")
    plain = compute.or_(blank, compute.match_substring_regex(cells, _PLAIN_TIMESTAMP))
    if not compute.all(plain, min_count=0).as_py():
        return None
    try:
        instants = compute.if_else(blank, None, cells).cast(arrow.timestamp("us", tz="UTC")).cast(arrow.timestamp("us"))
    except arrow.ArrowInvalid:
        return None
    return pd.Series(instants.to_numpy(zero_copy_only=False), index=text.index).dt.tz_localize("UTC")


def has_invisible_characters(text: pd.Series) -> pd.Series:
    return text.str.contains(_INVISIBLE, regex=True)


def is_formula(text: pd.Series) -> pd.Series:
    """True where a spreadsheet would run the cell. A lone sign or a plain number is text."""
    return text.str.contains(_FORMULA, regex=True) & ~text.str.contains(_SIGN_OR_NUMBER, regex=True)


def is_executable(text: pd.Series) -> pd.Series:
    """True where a cell is a formula, a script or markup."""
    executable = text.str.contains(_SIGN_OF_CODE, regex=True)
    suspects = text[executable]
    if len(suspects):
        executable[executable] = is_formula(suspects) | suspects.str.contains(_MARKUP, regex=True)
    return executable


def row_schema(
    columns: Iterable[str], *, now: datetime, email_is_valid: Callable[[pd.Series], pd.Series]
) -> pa.DataFrameSchema:
    """The schema for an all-text frame of these columns, '' for blank; each check's `error` is the problem's code.

    `email_is_valid` takes and gives one Series; e-mail verdicts never depend on the network.
    """
    import pandera.pandas as pa

    return pa.DataFrameSchema(
        {
            name: pa.Column(
                checks=[
                    pa.Check(accepts, error=code, name=code)
                    for code, accepts in rules(FIELDS[name], now, email_is_valid)
                ]
            )
            for name in columns
        }
    )


Rule = tuple[str, "Callable[[pd.Series], pd.Series]"]


def rules(field: Field, now: datetime, email_is_valid: Callable[[pd.Series], pd.Series]) -> list[Rule]:
    """(code, what a cell must be). Blank cells meet every rule but CELL_REQUIRED."""
    rules: list[Rule] = []
    if field.required:
        visible = _VISIBLE if field.kind == "name" else "."
        rules.append(("CELL_REQUIRED", lambda s: s.str.contains(visible, regex=True)))
    if (longest := field.longest) is not None:
        rules.append(("CELL_TOO_LONG", lambda s: s.str.len() <= longest))
    if field.shortest:
        rules.append(("CELL_TOO_SHORT", lambda s: (s == "") | (s.str.len() >= field.shortest)))
    if field.kind == "id":
        rules.append(("CELL_FORMAT", lambda s: (s == "") | s.str.fullmatch("[0-9a-fA-F]{24}")))
    if field.kind == "name":
        rules.append(("CELL_CONTROL_CHARACTER", lambda s: ~s.str.contains(_CONTROL_IN_TEXT, regex=True)))
    if field.kind in ("email", "username"):
        rules.append(("CELL_CONTROL_CHARACTER", lambda s: ~has_invisible_characters(s)))
    if field.kind in ("name", "username"):
        rules.append(("CELL_EXECUTABLE", lambda s: ~is_executable(s)))
    if field.kind == "email":
        rules.append(("CELL_FORMAT", lambda s: _judged_by_another_rule(s, field) | email_is_valid(s)))
    if field.kind == "boolean":
        rules.append(("CELL_FORMAT", lambda s: s.str.lower().isin(["", *_TRUE, *_FALSE])))
    if field.kind == "choice":
        rules.append(("CELL_NOT_ALLOWED", lambda s: s.str.lower().isin(["", *field.allowed])))
    if field.kind == "timestamp":
        rules.append(("CELL_FORMAT", lambda s: (s == "") | (as_timestamps(s) <= now)))
    return rules


def _judged_by_another_rule(emails: pd.Series, field: Field) -> pd.Series:
    return (emails == "") | has_invisible_characters(emails) | (emails.str.len() > (field.longest or 0))
