"""What feed files and cells agree on, without pandas: Airflow reads feed files every few seconds."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping

from include.codes import printable

# White space that people cannot see around a word, and that goes. Control characters are not: they are reported.
WHITE_SPACE = (
    "\t\n\r \xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000"
)
_LONGEST = 40  # characters of a word in a sentence
# The directives of strftime that have one meaning on every machine, by what they say.
_DIRECTIVES = {"day": "d", "month": "mbB", "year": "Yy", "": "HIMSfpz%"}


def as_cell(text: str) -> str:
    """Give text as a cell is judged and stored: without surrounding white space, in NFC."""
    return unicodedata.normalize("NFC", text.strip(WHITE_SPACE))


def has_text(cells: Iterable[str]) -> bool:
    """Say whether one of the cells is not blank."""
    return any(cell.strip(WHITE_SPACE) for cell in cells)


def folded(word: str) -> str:
    """Give the form in which words of a value map are compared: trimmed, NFC, without case."""
    return as_cell(word).casefold()


def listed(words: Iterable[str], most: int = 10) -> str:
    """Name the first words of a feed in a sentence, on one line; words may come from a partner."""
    shown = [printable(word) if len(word) <= _LONGEST else printable(word[:_LONGEST]) + "…" for word in words]
    return ", ".join(shown[:most]) + (f" and {len(shown) - most:,} more" if len(shown) > most else "")


def all_of(words: Iterable[str]) -> str:
    """Name all words in a sentence: `A`, `A and B`, `A, B and C`."""
    *others, last = words
    return f"{', '.join(others)} and {last}" if others else last


def same_words(words: Mapping[str, str]) -> dict[str, str]:
    """Give the words of a value map that are an earlier one once more, with another meaning: each with that one."""
    first: dict[str, str] = {}
    earlier = {word: first.setdefault(folded(word), word) for word in words}
    return {word: other for word, other in earlier.items() if words[word] != words[other]}


def check_date_format(form: str) -> None:
    """Raise ValueError unless a date of this form says day, month and year once each."""
    used = re.findall("%(.?)", form)
    allowed = "".join(_DIRECTIVES.values())
    if unknown := [letter for letter in used if not letter or letter not in allowed]:
        known = ", ".join(f"%{letter}" for letter in allowed)
        raise ValueError(f"{f'%{unknown[0]}'!r} is not one of {known}")
    for part, letters in _DIRECTIVES.items():
        number = sum(letter in letters for letter in used)
        if part and number != 1:
            raise ValueError(
                f"must name the {part} once, as {' or '.join(f'%{letter}' for letter in letters)}; "
                "for example %d.%m.%Y or %d/%m/%Y %H:%M"
            )
    if ("I" in used) != ("p" in used):
        raise ValueError("%I and %p belong together: an hour up to 12 needs AM or PM")
    if repeated := [letter for letter in used if letter != "%" and used.count(letter) > 1]:
        raise ValueError(f"{f'%{repeated[0]}'!r} stands there twice")


def is_run_together(form: str) -> bool:
    """Tell whether two numbers of the form touch, so that a cell with a lost zero could be read in two ways."""
    return re.search("%[dmYyHIMSf]%[dmYyHIMSf]", form) is not None
