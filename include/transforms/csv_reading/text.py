"""A file's text in pieces of whole lines: only its bytes are in memory as a whole. An ordinary file is one piece."""

from __future__ import annotations

import codecs
import io
import itertools
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

PIECE = 2 * 1024 * 1024  # bytes that are decoded at once
_AT_ONCE = 16 * 1024  # characters that are split into lines at once


@dataclass(frozen=True)
class Text:
    """`content` as `codec` says; marks in front are no text."""

    content: bytes
    codec: str

    def pieces(self) -> Iterator[str]:
        """At least one; a piece ends at a line end, or where the text does."""
        as_decoded = self.as_decoded()
        return itertools.chain([next(as_decoded, "").lstrip("\ufeff")], as_decoded)

    def as_decoded(self) -> Iterator[str]:
        """`pieces` with the marks that the codec lets through. Raises UnicodeDecodeError, positions in `content`."""
        return iter(self._only_piece) if len(self.content) <= PIECE else self._decoded()

    def beginning(self, length: int) -> str:
        """So many characters."""
        found = ""
        for piece in self.pieces():
            found += piece[: length - len(found)]
            if len(found) == length:
                break
        return found

    def lines(self) -> Iterator[str]:
        """Physical lines with their ends: LF, CRLF and CR, and nothing else."""
        return itertools.chain.from_iterable(map(lines_of, self.pieces()))

    def has(self, part: str) -> bool:
        """`part` has no line end."""
        return any(part in piece for piece in self.pieces())

    @cached_property
    def _only_piece(self) -> list[str]:
        return ["".join(self._decoded())]

    def _decoded(self) -> Iterator[str]:
        unfinished: list[str] = []
        for text in self._windows():
            if end := _after_last_line(text):
                yield "".join([*unfinished, text[:end]])
                unfinished = []
            unfinished.append(text[end:])
        if rest := "".join(unfinished):
            yield rest

    def _windows(self) -> Iterator[str]:
        decoder = codecs.getincrementaldecoder(_without_mark(self.codec, self.content))()
        for start in range(0, max(len(self.content), 1), PIECE):
            end = start + PIECE
            try:
                yield decoder.decode(self.content[start:end], final=end >= len(self.content))
            except UnicodeDecodeError as error:
                # The decoder may have kept bytes of the window before, and taken a mark off this one.
                before = min(end, len(self.content)) - len(error.object)
                raise UnicodeDecodeError(
                    error.encoding, self.content, before + error.start, before + error.end, error.reason
                ) from None


def _without_mark(codec: str, content: bytes) -> str:
    """Without a mark Python takes the machine's byte order for a whole text, and nothing for one in pieces."""
    name = codecs.lookup(codec).name
    marks = {"utf-16": (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE), "utf-32": (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)}
    return codec if content.startswith(marks.get(name, (b"",))) else f"{name}-{sys.byteorder[0]}e"


def lines_of(text: str) -> Iterator[str]:
    # StringIO ends lines at LF, CRLF and CR, and nowhere else; it takes four bytes a character.
    return itertools.chain.from_iterable(io.StringIO(some, newline="") for some in _some_lines(text))


def _some_lines(text: str) -> Iterator[str]:
    start, size = 0, _AT_ONCE
    while start < len(text):
        some = text[start : start + size]
        if start + size < len(text):
            some = some[: _after_last_line(some)]
        yield some
        start, size = start + len(some), _AT_ONCE if some else size * 2


def count_lines(text: str) -> int:
    return text.count("\n") + (text.count("\r") - text.count("\r\n") if "\r" in text else 0)


def _after_last_line(text: str) -> int:
    """0 where no line ends for certain: after a CR at the end an LF may follow."""
    return (text.rfind("\n") + 1) or (text.rfind("\r", 0, max(len(text) - 1, 0)) + 1)
