"""What a word of a file is likely to mean, where the importer does not know it. A person decides."""

from __future__ import annotations

import difflib
from collections.abc import Mapping

from include.schemas.words import folded

_NEAR = 0.75  # of difflib
# Words for yes and no, and for the two types, in the languages whose column names are understood.
_ACTIVE = {
    "true": ("ja", "j", "oui", "o", "vrai", "si", "sí", "s", "vero", "verdadero", "wahr", "waar", "y", "t", "on", "x",
             "aktiv", "active", "actif", "activo", "attivo", "actief", "enabled"),
    "false": ("nein", "n", "non", "nee", "faux", "falso", "falsch", "onwaar", "f", "off", "-", "inaktiv", "inactive",
              "inactif", "inactivo", "inattivo", "inactief", "disabled", "gesperrt"),
}  # fmt: skip
_TYPE = {
    "personal": ("privat", "private", "privé", "particulier", "privado", "privato", "person", "persona", "persoonlijk",
                 "privatkunde", "individual", "b2c"),
    "business": ("firma", "geschäftlich", "gewerblich", "geschäft", "firmenkunde", "unternehmen", "company",
                 "entreprise", "professionnel", "empresa", "negocio", "azienda", "aziendale", "bedrijf", "zakelijk",
                 "corporate", "b2b"),
}  # fmt: skip
_KNOWN = {
    field: {folded(word): meaning for meaning, words in meanings.items() for word in words}
    for field, meanings in (("active", _ACTIVE), ("type", _TYPE))
}


def likely_meaning(field: str, word: str, choices: Mapping[str, str]) -> str:
    """Give one of the `choices` (meaning to the name that people know) for a word, '' where none is likely."""
    if field in _KNOWN:
        return _KNOWN[field].get(folded(word), "")
    by_name: dict[str, list[str]] = {}
    for meaning, name in choices.items():
        by_name.setdefault(folded(name), []).append(meaning)
    near = difflib.get_close_matches(folded(word), by_name, n=1, cutoff=_NEAR)
    return by_name[near[0]][0] if near and len(by_name[near[0]]) == 1 else ""
