"""The names that other programs use are data without contradictions: each name means one thing."""

from __future__ import annotations

from collections import Counter
from itertools import chain

from include.schemas.client_rows import FIELDS
from include.schemas.header_names import (
    LONGEST_NAME,
    SUGGESTED,
    UNDERSTOOD,
    UNDERSTOOD_BESIDE,
    WHOLE_NAMES,
    forms,
    normal,
)

PUBLISHED = {normal(name) for field in FIELDS.values() for name in (field.name, *field.headers)}


def test_a_name_is_understood_as_one_field_and_is_none_of_the_published_ones():
    counted = Counter(form for names in UNDERSTOOD.values() for form in forms(names))
    assert set(counted.values()) == {1} and not set(counted) & PUBLISHED


def test_a_name_that_is_only_suggested_is_not_understood():
    understood = set(chain.from_iterable(forms(names) for names in UNDERSTOOD.values()))
    suggested = set(chain.from_iterable(forms(names) for names in (*SUGGESTED.values(), WHOLE_NAMES)))
    assert not suggested & (understood | PUBLISHED)


def test_a_word_that_needs_another_beside_it_is_otherwise_suggested_as_a_whole_name():
    assert set(UNDERSTOOD_BESIDE) <= set(WHOLE_NAMES)


def test_every_name_belongs_to_a_field_and_can_be_found():
    fields = {*UNDERSTOOD, *SUGGESTED, *(field for field, _ in UNDERSTOOD_BESIDE.values())}
    assert fields <= set(FIELDS)
    assert all(0 < len(name) < LONGEST_NAME for names in (*UNDERSTOOD.values(), *SUGGESTED.values()) for name in names)


def test_the_form_of_a_name_has_no_case_no_space_no_hyphen_and_one_way_to_write_an_accent():
    assert normal(" E-Mail\u00a0_Adresse\ufeff") == "emailadresse"
    assert normal("Pre\u0301nom") == normal("Prénom") and forms(["Prénom"]) == {"prénom", "prenom"}
    assert normal("x" * 10_000) == "x" * 10_000
