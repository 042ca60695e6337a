"""Rules about text, a column at a time: each function takes a Series of cells and gives a Series of verdicts or values.

Blank cells ('') meet every rule but `is_filled`. Patterns are RE2 syntax: Arrow is asked directly, since pandas would
parse each pattern first, which takes longer than to look at 5,000 cells.
"""

from __future__ import annotations

import html.entities
import re
from datetime import datetime

import pandas as pd
import pyarrow
from pyarrow import compute

from include.schemas.words import is_run_together

TRUE_WORDS, FALSE_WORDS = ("true", "yes", "1"), ("false", "no", "0")
TIMESTAMP = (
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
    r"(?:[Tt ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]{1,9})?)?(?:[Zz]|[+-][0-9]{2}(?::?[0-9]{2})?)?)?"
)

# Three to fifteen digits (E.164) with what people write between them, then an extension. Of the signs that begin a
# formula it may have `+`, and only before the first digit. Spaces and dashes are also those of word processors.
PHONE = (
    "[+(]{0,2}[0-9](?:[ \u00a0\u202f\u2010-\u2013()./-]*[0-9]){2,14}"
    r"(?:[ ,;]*(?:[eE][xX][tT]\.?|[xX]|#) *[0-9]{1,6})?"
)

# What a cell shows whose formula has no result, by the language of the program. LibreOffice has numbers instead of
# words, and Excel writes number signs where a column is too narrow for a date.
_ERROR_WORDS = {
    "English": "N/A REF! VALUE! NAME? DIV/0! NUM! NULL! SPILL! CALC! FIELD! BLOCKED! UNKNOWN! CONNECT! EXTERNAL! BUSY! "
               "PYTHON! ERROR! GETTING_DATA",
    "German": "NV BEZUG! WERT! ZAHL! ÜBERLAUF! KALK! FELD! BLOCKIERT! UNBEKANNT! VERBINDEN! DATEN_ABRUFEN",
    "French": "VALEUR! NOM? NOMBRE! NUL! PROPAGATION! CALCUL! CHAMP! BLOQUE! INCONNU! CONNEXION! OBTENTION_DONNEES",
    "Spanish": "N/D VALOR! NOMBRE? NULO! DESBORDAMIENTO! CAMPO! BLOQUEADO! DESCONOCIDO! CONECTAR! OBTENIENDO_DATOS",
    "Italian": "N/D RIF! VALORE! NOME? NULLO! ESPANSIONE! CAMPO! BLOCCATO! SCONOSCIUTO! CONNETTI!",
    "Dutch": "N/B VERW! WAARDE! NAAM? DEEL/0! GETAL! LEEG!",
}  # fmt: skip
_ANY_ERROR_WORD = "|".join(re.escape(word) for words in _ERROR_WORDS.values() for word in words.split())
_TOO_NARROW = "^#{3,}$"
# Spanish has an inverted sign first: #¡VALOR!, #¿NOMBRE?. French has a space before a colon.
_SPREADSHEET_ERROR = rf"^#[¡¿]?(?i:{_ANY_ERROR_WORD})$|^Err[ \x{{A0}}\x{{202F}}]?:5[0-9]{{2}}$|{_TOO_NARROW}"

# U+FFFD stands for a letter that was lost before the file came here.
_CONTROL_IN_TEXT = r"[\x00-\x08\x0B\x0C\x0E-\x1F\x7F-\x{9F}\x{FFFD}]"
_UNSEEN = r"\p{Z}\p{Cf}\x{034F}\x{115F}\x{1160}\x{17B4}\x{17B5}\x{2800}\x{3164}\x{FE00}-\x{FE0F}\x{FFA0}"
_VISIBLE = rf"[^\p{{Cc}}{_UNSEEN}]"
_NOTHING_SEEN = rf"^[\t\n\r{_UNSEEN}]*$"
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
_MARKUP = rf"(?i){_TAG}|{_SCRIPT_URL}|data\s*:\s*[a-z]+/[a-z0-9.+-]+\s*[;,]|{_HANDLER}"
# A number is read without its semicolon, too; a name has to be one that HTML knows: `A&amp;B`, not `Lee&Sons;`.
_NUMBER_OF_A_CHARACTER, _NAME_OF_A_CHARACTER = r"(?i)&#(?:x[0-9a-f]{2,}|[0-9]{2,})", "&[A-Za-z][A-Za-z0-9]*;"

# What every formula, script or tag has. Hardly a name has it, so that one look at the others is enough.
_SIGN_OF_CODE = rf"{_FORMULA}|[<\x{{FF1C}}\x{{FE64}}:=]|&#|{_NAME_OF_A_CHARACTER}"

# Quotation marks of other languages end as those of one begin: „Ann“, “Ann”, ”Ann”, »Ann«.
_WHOLE_IN_QUOTES = "^(?:[“”„].*[“”]|[«»].*[«»]|[‘‚].*[‘’]|[‹›].*[‹›])$"
# What nearly all text has that was decoded twice: two characters side by side that are no ASCII, and one of them is a
# sign or a Latin capital. Hardly a name has it, in whatever language.
_LATIN_CAPITALS = "".join(letter for letter in map(chr, range(0x100, 0x180)) if letter.isupper())
_SIGN_OR_CAPITAL = (
    rf"[\x{{80}}-\x{{DE}}{_LATIN_CAPITALS}œƒҐ\x{{2B0}}-\x{{2FF}}\x{{384}}\x{{385}}\x{{2000}}-\x{{2BFF}}\x{{F8FF}}]"
)
_MAYBE_DAMAGED = rf"^[“”„«»‘‚‹›]|{_SIGN_OR_CAPITAL}[^\x00-\x7F]|[^\x00-\x7F]{_SIGN_OR_CAPITAL}|вЂ|[ÃÂ] "


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


def is_markup(text: pd.Series) -> pd.Series:
    """True where a browser would run the cell, or take it for a tag."""
    return contains(text, _MARKUP)


def is_html_code(text: pd.Series) -> pd.Series:
    """True where a character is written as HTML writes it: `O&#39;Neil`, `A&amp;B`."""
    named = contains(text, _NAME_OF_A_CHARACTER)
    if named.any():
        named[named] = text[named].map(_has_name_of_a_character)
    return named | contains(text, _NUMBER_OF_A_CHARACTER)


def _has_name_of_a_character(cell: str) -> bool:
    return any(name.removeprefix("&") in html.entities.html5 for name in re.findall(_NAME_OF_A_CHARACTER, cell))


def is_executable(text: pd.Series) -> pd.Series:
    """True where a cell is a formula, a script, markup or HTML code."""
    executable = contains(text, _SIGN_OF_CODE)
    suspects = text[executable]
    if len(suspects):
        executable[executable] = is_formula(suspects) | is_markup(suspects) | is_html_code(suspects)
    return executable


def some_may_be_spreadsheet_errors(text: pd.Series) -> bool:
    """Look at how the cells begin. Hardly a column has an error, and this costs a tenth of the whole look."""
    cells = pyarrow.array(text.array)
    return any(compute.any(compute.starts_with(cells, sign)).as_py() for sign in ("#", "Err"))


def is_spreadsheet_error(text: pd.Series) -> pd.Series:
    """True where a spreadsheet has written that it could not work the cell out, or could not show it."""
    return contains(text, _SPREADSHEET_ERROR)


def is_too_narrow(text: pd.Series) -> pd.Series:
    """True where a spreadsheet's column was too narrow to show the cell."""
    return contains(text, _TOO_NARROW)


def is_whole_in_quotes(text: pd.Series) -> pd.Series:
    """True where typographic quotation marks stand around the whole cell."""
    return contains(text, _WHOLE_IN_QUOTES)


def looks_damaged(text: pd.Series) -> pd.Series:
    """True where the whole cell stands in typographic quotation marks, or was decoded twice (`JosÃ©`)."""
    damaged = contains(text, _MAYBE_DAMAGED)
    if damaged.any():
        damaged[damaged] = is_whole_in_quotes(text[damaged]) | _is_decoded_twice(text[damaged])
    return damaged


def _is_decoded_twice(text: pd.Series) -> pd.Series:
    from ftfy.badness import is_bad  # takes as long to load as a file to import, and hardly a file needs it

    return text.map({cell: is_bad(cell) for cell in text.unique()}).astype("bool")


def is_unseen(text: pd.Series) -> pd.Series:
    """True where a cell is blank, or holds nothing but white space and characters that cannot be seen."""
    return contains(text, _NOTHING_SEEN)


def are_ascii(text: pd.Series) -> bool:
    """Tell whether all cells are plain ASCII: no rule about other letters has to look at them."""
    return bool(compute.all(compute.string_is_ascii(pyarrow.array(text.array))).as_py())


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
    well_formed = text.where(contains(text, rf"^(?:{TIMESTAMP})$"))
    if contains(text, "[a-z,.]").any():
        well_formed = well_formed.str.upper().str.replace(",", ".", regex=False)
        # One cell with nanoseconds would make pandas read the whole column in a unit that ends in 2262.
        well_formed = well_formed.str.replace(r"(\.[0-9]{6})[0-9]+", r"\1", regex=True)
    instants = pd.to_datetime(well_formed, format="ISO8601", utc=True, errors="coerce", cache=False).dt.as_unit("us")
    return instants.where(instants >= pd.Timestamp("0001-01-01", tz="UTC"))  # no calendar has a year 0


def as_iso(text: pd.Series, form: str) -> pd.Series:
    """Write dates of this form (strftime) as ISO 8601; other cells stay as they are."""
    moments = {cell: _read_date(cell, form) for cell in text.unique()}
    written = {cell: moment.isoformat() for cell, moment in moments.items() if moment}
    return text.map(lambda cell: written.get(cell, cell)).astype("str") if written else text


def _read_date(cell: str, form: str) -> datetime | None:
    try:
        moment = datetime.strptime(cell, form)
    except ValueError:
        return None
    # A spreadsheet that takes 01112024 for a number writes 1112024, which could be read as 11 January.
    return None if is_run_together(form) and moment.strftime(form).casefold() != cell.casefold() else moment
