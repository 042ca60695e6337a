"""Compare patterns of file names, such as `acme_*.csv`: which names they can match, and whether two share one.

Exact for what `fnmatch` understands: `*`, `?`, `[a-z]`, `[!a-z]`. A name here is one that is claimed from an inbox.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from functools import lru_cache

_TOKEN = re.compile(r"\*+|\[!?+\]?+[^\]]*\]|.", re.DOTALL)
_CLAIMED = "[!.]*"
# What `check_name` lets through, by the feed's `compression`.
_CSV = "[!.]*.[cC][sS][vV]"
_IMPORTED = {None: [_CSV], "gzip": [_CSV, "[!.]*.[gG][zZ]"], "zip": [_CSV, "[!.]*.[zZ][iI][pP]"]}
_NOT_IN_NAMES = "/\\\0"
_LONGEST = 100  # characters: what is compared is the product of two patterns


def why_useless(pattern: str, compression: str | None = None) -> str | None:
    """Say why no file that matches can be imported; None when one can."""
    if not pattern:
        return "must be a pattern of file names, for example *.csv"
    if len(pattern) > _LONGEST:
        return f"must have at most {_LONGEST} characters"
    if "/" in pattern:
        return "must be about names alone; folders belong to `inbox`"
    if "[" in _tokens(pattern):
        return "has a `[` that is never closed; write [[] for the sign itself"
    if not any(_have_a_common_name(pattern, imported) for imported in _IMPORTED[compression]):
        return "can match no file that is imported: names end in .csv and do not begin with a dot"
    return None


def overlap(first: str, second: str) -> bool:
    """Return True when one file could match both patterns."""
    return _have_a_common_name(first, second, _CLAIMED)


def _have_a_common_name(*patterns: str) -> bool:
    """Walk through all patterns at once, one character of a name after another; a place is a token of each."""
    tokens = [_tokens(pattern) for pattern in patterns]
    ends = tuple(map(len, tokens))
    seen, todo = set(), [(0,) * len(tokens)]
    while todo:
        place = todo.pop()
        if place == ends:
            return True
        if place not in seen:
            seen.add(place)
            todo += _next_places(place, tokens)
    return False


def _next_places(place: tuple[int, ...], tokens: Sequence[Sequence[str]]) -> Iterable[tuple[int, ...]]:
    """Give the places after nothing, where a `*` stands for nothing, and after one character that all allow."""
    here = ["" if at == len(each) else each[at] for at, each in zip(place, tokens, strict=True)]
    stars = [number for number, part in enumerate(here) if part == "*"]
    for number in stars:
        yield (*place[:number], place[number] + 1, *place[number + 1 :])
    if "" not in here and _have_a_common_character(frozenset(here)):
        yield tuple(at + (number not in stars) for number, at in enumerate(place))


@lru_cache(maxsize=4096)
def _have_a_common_character(tokens: frozenset[str]) -> bool:
    # A set changes its mind only at a character that it names, or behind it.
    codes = {ord(c) + step for token in tokens for c in token for step in (-1, 0, 1, 2)}
    near = {chr(code) for code in codes if 0 < code < 0x110000}
    candidates = (c for c in near | {" ", "x"} if c not in _NOT_IN_NAMES)
    return any(all(fnmatchcase(c, token) for token in tokens) for c in candidates)


def _tokens(pattern: str) -> tuple[str, ...]:
    """Split a pattern into what stands for one character each, and `*`."""
    return tuple("*" if token.startswith("*") else token for token in _TOKEN.findall(pattern))
