"""Usernames for new clients that have none: from the e-mail's local part, safe and unique (SPEC.md section 3)."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

import numpy as np
import pandas as pd

from include.schemas.client_rows import FIELDS

_LONGEST = FIELDS["username"].longest or 64
_ROOM_FOR_A_NUMBER = 10
_UNSAFE = re.compile(r"[^a-z0-9_-]+")
_AT_ONCE = 20_000  # addresses or candidates that are objects at the same time
T = TypeVar("T", pd.Series, pd.Index)


def stem(email_key: str) -> str:
    """`zoë.van-dijk+news@x.org` to `zoe.van-dijk.news`: letters, digits, `.`, `_`, `-`; at least three of them."""
    local = email_key.rpartition("@")[0]
    if not local.isascii():
        local = unicodedata.normalize("NFKD", local).encode("ascii", "ignore").decode()
    safe = _UNSAFE.sub(".", local.lower()).strip(".-_")[: _LONGEST - _ROOM_FOR_A_NUMBER].rstrip(".-_")
    return safe if len(safe) >= FIELDS["username"].shortest else f"user.{safe}".rstrip(".")


def generate(email_keys: pd.Series, reserved: pd.Series, find_taken: Callable[[list[str]], Iterable[str]]) -> pd.Series:
    """Give a username per row, in the order of rows: the stem, else the stem with the first free number from 2.

    `reserved` are usernames the file itself gives; `find_taken` says which of some candidates the client
    table already has.
    """
    stems = _stems(email_keys)
    numbers, names = pd.factorize(stems)
    given = set(reserved) if len(stems) else set()
    for candidates in _portions(names):
        given.update(find_taken(candidates.tolist()))
    free = ~_among(names, given)
    by_stem = free[numbers] & ~pd.Series(numbers).duplicated().to_numpy()
    if by_stem.all():
        return stems
    others = stems[~by_stem]
    whole: pd.Series = pd.concat([stems[by_stem], _with_numbers(others, given, names[free], find_taken)])
    return whole.reindex(stems.index)


def _with_numbers(
    stems: pd.Series, given: set[str], others: pd.Index, find_taken: Callable[[list[str]], Iterable[str]]
) -> pd.Series:
    """Give each row its stem with the first free number; `given` and `others` are in use.

    Each query is about twice as many candidates as the one before, so n collisions take log n queries.
    """
    needed = Counter(stems)
    free: dict[str, list[str]] = {name: [] for name in needed}
    chosen, start, width = set(given), 2, 2
    while short := [name for name in needed if len(free[name]) < needed[name]]:
        windows = {name: [f"{name}{n}" for n in range(start, start + width)] for name in short}
        candidates = pd.Index([candidate for window in windows.values() for candidate in window], dtype="str")
        for some in _portions(candidates):
            chosen.update(find_taken(some.tolist()), some[others.get_indexer(some) >= 0])
        for name, window in windows.items():
            usable = [c for c in window if c not in chosen][: needed[name] - len(free[name])]
            free[name] += usable
            chosen.update(usable)
        start, width = start + width, width * 2
    queues = {name: iter(candidates) for name, candidates in free.items()}
    return pd.Series([next(queues[name]) for name in stems], index=stems.index, dtype="str")


def _stems(email_keys: pd.Series) -> pd.Series:
    made = (pd.Series([stem(key) for key in some], index=some.index, dtype="str") for some in _portions(email_keys))
    stems: pd.Series = pd.concat([email_keys.iloc[:0], *made])
    return stems


def _portions(texts: T) -> Iterator[T]:
    for start in range(0, len(texts), _AT_ONCE):
        yield texts[start : start + _AT_ONCE]


def _among(texts: pd.Index, some: set[str]) -> np.ndarray:
    is_among: np.ndarray = pd.Index(list(some), dtype="str").get_indexer(texts) >= 0
    return is_among
