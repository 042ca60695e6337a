"""Rules about text, a column at a time: each function takes a Series of cells and gives a Series of verdicts or values.

Blank cells ('') meet every rule but `is_filled`. Patterns are RE2 syntax: Arrow is asked directly, since pandas would
parse each pattern first, which takes longer than to look at 5,000 cells.
"""

from __future__ import annotations

import pandas as pd
import pyarrow
from pyarrow import compute

# White space that people cannot see around a word, and that goes. Control characters are not: they are reported.
WHITE_SPACE = (
    "\t\n\r \xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000"
)
TRUE_WORDS, FALSE_WORDS = ("true", "yes", "1"), ("false", "no", "0")
_TIMESTAMP = (
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
    r"(?:[Tt ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]{1,9})?)?(?:[Zz]|[+-][0-9]{2}(?::?[0-9]{2})?)?)?"
)

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


def contains(text: pd.Series, pattern: str) -> pd.Series:
    """True where the pattern matches somewhere in the cell."""
    matches = compute.match_substring_regex(pyarrow.array(text.array), pattern)
    return pd.Series(matches.to_numpy(zero_copy_only=False), index=text.index)


def is_filled(text: pd.Series) -> pd.Series:
    return text != ""


def is_visible(text: pd.Series) -> pd.Series:
    """True where at least one character can be seen."""
    return contains(text, _VISIBLE)


def has_control_characters(text: pd.Series) -> pd.Series:
    """True where text holds a control character other than a line break or a tab, or the sign for a lost letter."""
    return contains(text, _CONTROL_IN_TEXT)


def has_invisible_characters(text: pd.Series) -> pd.Series:
    return contains(text, _INVISIBLE)


def is_formula(text: pd.Series) -> pd.Series:
    """True where a spreadsheet would run the cell. A lone sign or a plain number is text."""
    return contains(text, _FORMULA) & ~contains(text, _SIGN_OR_NUMBER)


def is_executable(text: pd.Series) -> pd.Series:
    """True where a cell is a formula, a script or markup."""
    executable = contains(text, _SIGN_OF_CODE)
    suspects = text[executable]
    if len(suspects):
        executable[executable] = is_formula(suspects) | contains(suspects, _MARKUP)
    return executable


def as_booleans(text: pd.Series) -> pd.Series:
    """Read yes/no, true/false, 1/0 in any case as True/False; anything else is missing (dtype boolean)."""
    meanings = dict.fromkeys(TRUE_WORDS, True) | dict.fromkeys(FALSE_WORDS, False)
    codes, words = pd.factorize(text)  # a file holds few different words
    values = pd.array([meanings.get(word.lower()) for word in words], dtype="boolean")
    return pd.Series(values.take(codes), index=text.index)


def as_timestamps(text: pd.Series) -> pd.Series:
    """Read ISO 8601 dates and date-times as UTC instants in microseconds, as PostgreSQL keeps them.

    No zone means UTC. Anything else is NaT; nothing rolls over.
    """
    well_formed = text.where(contains(text, rf"^(?:{_TIMESTAMP})$"))
    if contains(text, "[a-z,.]").any():
        well_formed = well_formed.str.upper().str.replace(",", ".", regex=False)
        # One cell with nanoseconds would make pandas read the whole column in a unit that ends in 2262.
        well_formed = well_formed.str.replace(r"(\.[0-9]{6})[0-9]+", r"\1", regex=True)
    instants = pd.to_datetime(well_formed, format="ISO8601", utc=True, errors="coerce", cache=False).dt.as_unit("us")
    return instants.where(instants >= pd.Timestamp("0001-01-01", tz="UTC"))  # no calendar has a year 0
