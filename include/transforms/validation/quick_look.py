"""Cells about which nothing needs to be asked, told from their bytes: a look at a whole column at once.

Who is not sure goes the long way (`cleaning`, `validation`); so this may say too little, and never too much.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
import pyarrow as arrow

_LETTERS = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
_DIGITS = b"0123456789"
# UTF-8's first bytes of the letters from U+00C0 to U+017F, and what follows first bytes. These letters (and × and ÷)
# are in NFC, can be seen, and no rule is about them.
_LATIN, _FOLLOWS = b"\xc3\xc4\xc5", bytes(range(0x80, 0xC0))
_AT, _DOT, _LONGEST_ADDRESS = ord("@"), ord("."), 254
_NO_TEXT, _NO_ADDRESS, _NO_ID, _WHITE, _FAR, _NO_BEGINNING, _STOP = 1, 2, 4, 8, 16, 32, 64


def _bytes_but(good: bytes, kind: int) -> np.ndarray:
    kinds = np.full(256, kind, dtype="uint8")
    kinds[list(good)] = 0
    return kinds


_KINDS = (
    _bytes_but(_LETTERS + _DIGITS + _LATIN + _FOLLOWS + b" '.,-_()/", _NO_TEXT)
    | _bytes_but(_LETTERS + _DIGITS + b"!#$%&'*+/=?^_{|}~.@-", _NO_ADDRESS)
    | _bytes_but(_DIGITS + b"abcdefABCDEF", _NO_ID)
    | _bytes_but(bytes(set(range(256)) - set(b"\t\n\r ")), _WHITE)
    | _bytes_but(bytes(range(128)) + _LATIN + _FOLLOWS, _FAR)
    | _bytes_but(_LETTERS + _DIGITS + _LATIN, _NO_BEGINNING)
    | _bytes_but(bytes(set(range(256)) - set(b".@")), _STOP)
)


@dataclass(frozen=True)
class QuickLook:
    """`data` has the cells of a column of text behind each other, in UTF-8, cell i from `ends[i]` to `ends[i + 1]`."""

    data: np.ndarray
    ends: np.ndarray

    @classmethod
    def at(cls, column: pd.Series) -> QuickLook:
        cells = arrow.array(column.array)
        cells = cells.combine_chunks() if isinstance(cells, arrow.ChunkedArray) else cells
        _, ends, data = cells.cast(arrow.large_string()).buffers()
        from_to = np.frombuffer(ends, dtype="int64", count=len(cells) + 1, offset=cells.offset * 8)
        return cls(np.frombuffer(data or b"", dtype="uint8")[from_to[0] : from_to[-1]], from_to - from_to[0])

    @cached_property
    def lengths(self) -> np.ndarray:
        """In bytes: never fewer than characters."""
        lengths: np.ndarray = np.diff(self.ends)
        return lengths

    @cached_property
    def _kinds(self) -> np.ndarray:
        """Of all bytes of each cell together."""
        found = np.zeros(len(self.lengths), dtype="uint8")
        filled = self.lengths > 0
        if filled.any():
            found[filled] = np.bitwise_or.reduceat(_KINDS[self.data], self.ends[:-1][filled])
        return found

    def _kinds_at(self, places: np.ndarray) -> np.ndarray:
        found = np.zeros(len(self.lengths), dtype="uint8")
        filled = self.lengths > 0
        found[filled] = _KINDS[self.data[places[filled]]]
        return found

    def is_clean(self) -> bool:
        """True when no cell needs trimming or another normal form."""
        if self.data.size and self.data.max() >= 0x80 and (self._kinds & _FAR).any():
            return False
        edges = self._kinds_at(self.ends[:-1]) | self._kinds_at(self.ends[1:] - 1)
        return not (edges & _WHITE).any()

    def is_text(self) -> np.ndarray:
        """Blank, or letters that can be seen and what stands between them in names: no control character, no code."""
        found: np.ndarray = (self._kinds & _NO_TEXT | self._kinds_at(self.ends[:-1]) & _NO_BEGINNING) == 0
        return found

    def is_address(self) -> np.ndarray:
        """Blank, or signs that a plain address has."""
        found: np.ndarray = self._kinds & _NO_ADDRESS == 0
        return found

    def is_id(self) -> np.ndarray:
        """Blank, or 24 hex digits."""
        found: np.ndarray = (self._kinds & _NO_ID == 0) & ((self.lengths == 0) | (self.lengths == 24))
        return found

    def is_plain_address(self) -> np.ndarray:
        """Letters and signs of a plain address, one @-sign, no period where none may be; the domain is not judged."""
        data = self.data
        ats = np.diff(np.searchsorted(np.flatnonzero(data == _AT), self.ends))
        dots = np.flatnonzero(data[:-1] == _DOT)
        stray = dots[(data[dots + 1] == _DOT) | (data[dots + 1] == _AT)]
        strays = np.diff(np.searchsorted(stray, self.ends))
        begins = self._kinds_at(self.ends[:-1]) & _STOP == 0
        found: np.ndarray = self.is_address() & (ats == 1) & (strays == 0) & begins & (self.lengths <= _LONGEST_ADDRESS)
        return found

    def after_at(self) -> pd.Index:
        """What follows the @-sign, of cells that have one each."""
        cells = 2 * len(self.lengths)
        bounds = np.empty(cells + 1, dtype="int64")
        bounds[0::2], bounds[1::2] = self.ends, np.flatnonzero(self.data == _AT) + 1
        halves = arrow.LargeStringArray.from_buffers(cells, arrow.py_buffer(bounds), arrow.py_buffer(self.data))
        found: pd.Index = pd.Index(pd.array(halves.take(arrow.array(np.arange(1, cells, 2))), dtype="str"))
        return found
