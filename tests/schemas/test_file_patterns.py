"""Patterns of file names: what can match nothing is refused, and two that share a name are recognised."""

from __future__ import annotations

from fnmatch import fnmatchcase
from itertools import product

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from include.schemas.file_patterns import overlap, why_useless


@pytest.mark.parametrize(
    "pattern",
    [
        "*",
        "*.csv",
        "a.csv",
        "?.CSV",
        "acme_[0-9][0-9].csv",
        "acme*",
        "*v",
        "[[]*.csv",
        "*[!x]",
        "Kunden *.csv",
        "a**.csv",
    ],
)
def test_a_pattern_that_a_csv_file_can_match_is_accepted(pattern):
    assert why_useless(pattern) is None


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("", "must be a pattern"),
        ("in/*.csv", "must be about names alone"),
        ("acme[0-9.csv", "has a `[` that is never closed"),
        ("[]", "has a `[` that is never closed"),
        ("*.xlsx", "can match no file"),
        ("*.csv.gz", "can match no file"),
        ("*.csv ", "can match no file"),
        ("csv", "can match no file"),
        (".csv", "can match no file"),
        (".*.csv", "can match no file"),
        ("[z-a].csv", "can match no file"),
        ("a" * 101, "must have at most 100 characters"),
    ],
)
def test_a_pattern_that_no_imported_file_matches_has_a_reason(pattern, reason):
    assert (why_useless(pattern) or "").startswith(reason)


@pytest.mark.parametrize(
    ("first", "second", "shared"),
    [
        ("*", "*", True),
        ("*", "acme_*.csv", True),
        ("acme*", "*old.csv", True),
        ("acme_*.csv", "beta_*.csv", False),
        ("*.csv", "*.CSV", False),
        ("acme_[0-4]*", "acme_[5-9]*", False),
        ("acme_[!0-9]*", "acme_2024.csv", False),
        ("acme_?.csv", "acme_*_?.csv", False),
        ("acme_????.csv", "acme_*_?.csv", True),
    ],
)
def test_two_patterns_overlap_when_one_name_matches_both(first, second, shared):
    assert overlap(first, second) is shared and overlap(second, first) is shared


patterns = st.text(st.sampled_from("ab*?[]!-."), max_size=6)
NAMES = ["".join(letters) for length in range(1, 6) for letters in product("ab.x", repeat=length) if letters[0] != "."]


@given(patterns, patterns)
@example("[!a]", "[]b]")
def test_patterns_with_a_common_name_are_never_taken_for_disjoint_ones(first, second):
    if any(fnmatchcase(name, first) and fnmatchcase(name, second) for name in NAMES):
        assert overlap(first, second)


@given(st.text(st.sampled_from("ab*?"), max_size=3), st.text(st.sampled_from("ab*?"), max_size=2))
def test_patterns_with_no_common_name_are_disjoint(first, second):
    """A common name need not be longer than both patterns together, and the letters of no set matter here."""
    assert overlap(first, second) is any(fnmatchcase(name, first) and fnmatchcase(name, second) for name in NAMES)


def test_a_feed_of_archives_has_patterns_of_their_names():
    assert why_useless("*.csv.gz", "gzip") is None and why_useless("acme_*.zip", "zip") is None
    assert why_useless("*.csv", "gzip") is None, "failed-row reports come back as they are"
    assert why_useless("*.zip", "gzip").startswith("can match no file")
