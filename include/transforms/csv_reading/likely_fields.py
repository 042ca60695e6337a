"""Which field each column of a file is likely to be, where the header is not understood. A person decides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from include.schemas.client_rows import FIELDS, REQUIRED
from include.schemas.header_names import LONGEST_NAME, UNDERSTOOD, UNDERSTOOD_BESIDE, normal
from include.transforms.csv_reading.headers import fields_of
from include.transforms.csv_reading.near_names import NEAR, can_be, nearness

_SHORTEST = 5  # letters of a known name that may stand inside another one
# Fields whose cells show what they are, whatever the column is called.
_SHOW_THEMSELVES = ("email", "id")
_BY_CELLS, _LAST_RESORT = 0.6, 0.1


def likely_fields(
    names: Sequence[str], cells: Sequence[Sequence[str]], aliases: Mapping[str, str]
) -> dict[int, str]:  # fmt: skip
    """Give the likeliest field of each column that means none, by position; each field once. `cells`: a few records."""
    known = fields_of(names, aliases)
    said = {normal(name) for name in aliases}
    free = [
        position
        for position, (name, field) in enumerate(zip(names, known, strict=True))
        if field is None and name.strip() and not name.lstrip().startswith("_") and normal(name) not in said
    ]
    absent = [field for field in FIELDS if field not in known]
    of_column = {position: [each[position] for each in cells if position < len(each)] for position in free}
    scores = sorted(
        (
            (_score(names[position], field, of_column[position]), -position, field)
            for position in free
            for field in absent
        ),
        reverse=True,
    )
    chosen: dict[int, str] = {}
    for score, position, field in scores:
        if score > 0 and -position not in chosen and field not in chosen.values():
            chosen[-position] = field
    return dict(sorted(chosen.items()))


def _score(name: str, field: str, cells: Sequence[str]) -> float:
    """Say from 0 to 1 how likely a column is a field: by its name, else by its cells."""
    # The words of a list can be mapped, whatever they are.
    possible = can_be(field, cells) if FIELDS[field].kind not in ("boolean", "choice") else None
    if possible is False or len(name) > LONGEST_NAME:
        return 0
    near = max(nearness(name, field, inside=True), _name_inside(name, field))
    if near >= NEAR:
        return near
    if field in _SHOW_THEMSELVES and possible:
        return _BY_CELLS
    return _LAST_RESORT if field in REQUIRED and possible else 0


def _name_inside(name: str, field: str) -> float:
    """Say how near a name is that has a name of other programs inside, such as `Vorname des Kunden`."""
    sent = normal(name)
    beside = [other for other, (meant, _) in UNDERSTOOD_BESIDE.items() if meant == field]
    inside = [normal(known) for known in (*UNDERSTOOD.get(field, ()), *beside)]
    longest = max((len(known) for known in inside if len(known) >= _SHORTEST and known in sent), default=0)
    return NEAR + (1 - NEAR) * longest / len(sent) if longest else 0
