"""What a partner's words may mean: for Active and Type by usage, for projects and desks by name, and dates by form."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from include.codes import show
from include.models import ID_PATTERN
from include.schemas.cell_rules import as_booleans, as_iso, as_timestamps
from include.schemas.client_rows import FIELDS
from include.schemas.words import folded
from include.transforms.matching.references import ReferenceData

_USUAL = {
    "active": {
        "yes": "1.0 ja oui si sí sì da j y t on x aktiv active actif activo attivo actief enabled wahr vrai vero "
        "verdadero",
        "no": "0.0 nein non nee n f off inaktiv inactive inactif inactivo inattivo inactief disabled falsch faux falso",
    },
    "type": {
        "personal": "privat private privé particulier privato particular person individual consumer b2c",
        "business": "firma company entreprise azienda empresa bedrijf zakelijk corporate organisation organization b2b",
    },
}
_DAYS = (
    "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%Y/%m/%d", "%d %b %Y", "%b %d, %Y", "%d %B %Y", "%B %d, %Y",
    "%Y%m%d", "%d.%m.%y", "%d/%m/%y", "%m/%d/%y",
)  # fmt: skip
_TIMES = ("", " %H:%M", " %H:%M:%S", ", %H:%M", ", %H:%M:%S", " %I:%M %p", " %I:%M:%S %p")
_FORMS = [f"{day}{time}" for day in _DAYS for time in _TIMES]
_LOOK_AT = 200  # different dates; of the forms that fit them best, that which fits all cells best
_MOST_WORDS = 30  # of one field; more are no words
_NEAR = 0.75


@dataclass(frozen=True)
class Meaning:
    """What a word means. `doubt`: what a person should look at, '' where it is certain."""

    word: str
    meaning: str
    doubt: str = ""


def meanings(field: str, cells: Sequence[str], data: ReferenceData | None) -> list[Meaning] | None:
    """Give the words of a column that have to be mapped; None where its cells are no words of this field.

    An empty meaning stands for a word that nobody but a person can explain.
    """
    words = list({folded(cell): cell.strip() for cell in reversed(cells) if cell.strip()}.values())[::-1]
    if len(words) > _MOST_WORDS:
        return None
    if field in ("project", "desk"):
        return [found for word in words if (found := _reference(field, word, data))]
    unknown = [word for word in words if not _is_understood(field, word)]
    return [_by_usage(field, word) for word in unknown]


def _is_understood(field: str, word: str) -> bool:
    if field == "active":
        return bool(as_booleans(pd.Series([word], dtype="str")).notna().all())
    return word.lower() in FIELDS[field].allowed


def _by_usage(field: str, word: str) -> Meaning:
    for meaning, words in _USUAL[field].items():
        if folded(word) in words.split():
            return Meaning(word, meaning)
    return Meaning(word, next(iter(_USUAL[field])), "not sure: nobody but the partner knows this word")


def _reference(field: str, word: str, data: ReferenceData | None) -> Meaning | None:
    """Give the meaning of a name; None for what needs no map, such as an ID, and for what is personal data."""
    if re.fullmatch(ID_PATTERN, word) or folded(word) == "default" or "@" in word:
        return None
    if data is None:
        return Meaning(word, "", f"the ID of the {field}; the database was not asked")
    named: Mapping[str, str]
    named = data.projects if field == "project" else {id: desk.name for id, desk in data.desks.items()}
    by_name: dict[str, list[str]] = {}
    for id, name in named.items():
        by_name.setdefault(folded(name), []).append(id)
    if ids := by_name.get(folded(word)):
        more = f"not sure: {len(ids)} have this name" if len(ids) > 1 else ""
        return Meaning(word, ids[0], more)
    if near := difflib.get_close_matches(folded(word), by_name, n=1, cutoff=_NEAR):
        id = by_name[near[0]][0]
        return Meaning(word, id, f"not sure: it is like {show(named[id])}")
    return Meaning(word, "", f"the ID of the {field}; none is called so")


@dataclass(frozen=True)
class DateForm:
    """The form that most dates of a column have: None for ISO 8601. `fitting` cells of `of` are read by it."""

    form: str | None
    fitting: int
    of: int
    doubt: str = ""


def date_form(cells: Sequence[str]) -> DateForm:
    """Give the form by which most of a column's dates are read; `fitting` is 0 where we know none."""
    text = pd.Series([cell.strip() for cell in cells if cell.strip()], dtype="str")
    fitting = _best([None], text)
    if fitting[None] < len(text):
        fitting = _best(_best([None, *_FORMS], text.drop_duplicates()[:_LOOK_AT]), text)
    form, *others = fitting
    other = next((each for each in others if form and each and each[:2] != form[:2]), None)
    return DateForm(form, fitting[form], len(text), f"not sure: it could be {other}, too" if other else "")


def _best(forms: Iterable[str | None], text: pd.Series) -> dict[str | None, int]:
    """Give the forms by which most of the dates are read, and how many these are."""
    read = {form: int(as_timestamps(as_iso(text, form) if form else text).notna().sum()) for form in forms}
    return {form: count for form, count in read.items() if count == max(read.values())}
