"""Usernames for new clients that have none: from the e-mail's local part, safe and unique (SPEC.md section 3)."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable

import pandas as pd

from include.schemas.client_rows import FIELDS

_LONGEST = FIELDS["username"].longest or 64
_ROOM_FOR_A_NUMBER = 10


def stem(email_key: str) -> str:
    """`zoë.van-dijk+news@x.org` to `zoe.van-dijk.news`: letters, digits, `.`, `_`, `-`; at least three of them."""
    local = unicodedata.normalize("NFKD", email_key.rpartition("@")[0]).encode("ascii", "ignore").decode()
    safe = re.sub(r"[^a-z0-9_-]+", ".", local.lower()).strip(".-_")[: _LONGEST - _ROOM_FOR_A_NUMBER].rstrip(".-_")
    return safe if len(safe) >= FIELDS["username"].shortest else f"user.{safe}".rstrip(".")


def generate(
    email_keys: pd.Series, reserved: Iterable[str], find_taken: Callable[[list[str]], Iterable[str]]
) -> pd.Series:
    """A username per row, in the order of rows: the stem, else the stem with the first free number from 2.

    `reserved` are usernames the file itself gives; `find_taken` says which of some candidates the client
    table already has. It is asked for windows that double, so that n collisions take log n questions.
    """
    stems = pd.Series([stem(key) for key in email_keys], index=email_keys.index, dtype="str")
    needed = Counter(stems)
    free: dict[str, list[str]] = {name: [] for name in needed}
    chosen, start, width = set(reserved), 1, 1
    while short := [name for name in needed if len(free[name]) < needed[name]]:
        windows = {name: [_numbered(name, n) for n in range(start, start + width)] for name in short}
        taken = set(find_taken([candidate for window in windows.values() for candidate in window]))
        for name, window in windows.items():
            usable = [c for c in window if c not in taken and c not in chosen][: needed[name] - len(free[name])]
            free[name] += usable
            chosen.update(usable)
        start, width = start + width, width * 2
    queues = {name: iter(candidates) for name, candidates in free.items()}
    return pd.Series([next(queues[name]) for name in stems], index=email_keys.index, dtype="str")


def _numbered(name: str, number: int) -> str:
    return name if number == 1 else f"{name}{number}"
