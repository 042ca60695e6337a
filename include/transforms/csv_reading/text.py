"""A file's text, decoded piece by piece: only the bytes stay in memory as a whole. An ordinary file is one piece."""

from __future__ import annotations

import codecs
import io
import itertools
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

PIECE = 2 * 1024 * 1024  # bytes that are decoded at once
_AT_ONCE = 16 * 1024  # characters that are split into lines at once
_LINE_END = re.compile(r"\r\n|\r|\n")
_BYTE_ORDER_MARKS = {
    "utf-16": (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE),
    "utf-32": (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE),
}


@dataclass(frozen=True)
class Text:
    """The text that `content` holds in the encoding `codec`, without byte-order marks in front.

    It ends before its last `skip_last_lines` lines; blank lines do not count.
    """

    content: bytes
    codec: str
    skip_last_lines: int = 0

    def pieces(self) -> Iterator[str]:
        """Yield the text in pieces, at least one; each ends with a line, or where the text ends."""
        as_decoded = self.as_decoded()
        pieces = itertools.chain([next(as_decoded, "").lstrip("\ufeff")], as_decoded)
        return _without_last_lines(pieces, self.skip_last_lines) if self.skip_last_lines else pieces

    def as_decoded(self) -> Iterator[str]:
        """Yield `pieces` with the marks that the codec let through.

        Raises UnicodeDecodeError, whose positions are those of `content`.
        """
        return iter(self._only_piece) if len(self.content) <= PIECE else self._decoded()

    def beginning(self, length: int) -> str:
        """Give the first `length` characters."""
        beginning = ""
        for piece in self.pieces():
            beginning += piece[: length - len(beginning)]
            if len(beginning) == length:
                break
        return beginning

    def lines(self) -> Iterator[str]:
        """Yield physical lines with their ends: LF, CRLF and CR, and nothing else."""
        return itertools.chain.from_iterable(map(lines_of, self.pieces()))

    def has(self, part: str) -> bool:
        """Say whether the text contains `part`, which has no line end."""
        return any(part in piece for piece in self.pieces())

    @cached_property
    def _only_piece(self) -> list[str]:
        return ["".join(self._decoded())]

    def _decoded(self) -> Iterator[str]:
        unfinished: list[str] = []
        for window in self._windows():
            end = _after_last_line(window)
            unfinished.append(window[:end] if end else window)
            if end:
                whole_lines, unfinished = "".join(unfinished), [window[end:]]
                yield whole_lines
        if rest := "".join(unfinished):
            unfinished = []  # a single long line need not be in memory twice
            yield rest

    def _windows(self) -> Iterator[str]:
        decoder = codecs.getincrementaldecoder(_codec_with_byte_order(self.codec, self.content))()
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


def _without_last_lines(pieces: Iterable[str], number: int) -> Iterator[str]:
    kept = ""
    for piece in pieces:
        text = kept + piece
        start = _start_of_last_lines(text, number)
        yield text[:start]
        kept = text[start:]


def _start_of_last_lines(text: str, number: int) -> int:
    """Give the position of the last `number` lines that are not blank, 0 when there are fewer."""
    end = len(text)
    for _ in range(number):
        end = len(text[:end].rstrip())
        end = max(text.rfind("\n", 0, end), text.rfind("\r", 0, end)) + 1
    return end


def lines_of(text: str) -> Iterator[str]:
    """Yield the physical lines of a text, with their ends."""
    return itertools.chain.from_iterable(_some_lines(text))


def _some_lines(text: str) -> Iterator[Iterable[str]]:
    start = 0
    while start < len(text):
        some = text[start : start + _AT_ONCE]
        if start + _AT_ONCE < len(text):
            some = some[: _after_last_line(some)]
        if not some:  # one line is longer than that
            line_end = _LINE_END.search(text, start + _AT_ONCE - 1)
            some = text[start : line_end.end() if line_end else len(text)]
            yield [some]
        else:
            # StringIO ends lines at LF, CRLF and CR, and nowhere else; it takes four bytes a character.
            yield io.StringIO(some, newline="")
        start += len(some)


def count_lines(text: str) -> int:
    """Count line ends: LF, CRLF and CR."""
    return text.count("\n") + (text.count("\r") - text.count("\r\n") if "\r" in text else 0)


def _codec_with_byte_order(codec: str, content: bytes) -> str:
    """Name the byte order where `content` has no mark that says it.

    Python assumes the machine's byte order for a text decoded at once, and refuses one decoded in pieces.
    """
    name = codecs.lookup(codec).name
    has_mark = content.startswith(_BYTE_ORDER_MARKS.get(name, (b"",)))
    return codec if has_mark else f"{name}-{sys.byteorder[0]}e"


def _after_last_line(text: str) -> int:
    """Give the position after the last line end, 0 for none; a CR at the very end may be half of a CRLF."""
    return (text.rfind("\n") + 1) or (text.rfind("\r", 0, max(len(text) - 1, 0)) + 1)
