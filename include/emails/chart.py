"""Draw a small chart for a mail: a PNG with a bar for each week, the failed rows of it in red. Pure."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence

_HEIGHT, _BAR, _GAP = 96, 24, 8  # pixels
_WHITE, _GOOD, _FAILED = 0, 1, 2
_COLOURS = bytes.fromhex("ffffff 7b9ebd c62828")


def bars(rows_and_failed: Sequence[tuple[int, int]]) -> bytes:
    """Draw bars as high as their rows; what failed stands at the bottom, and is at least a pixel high."""
    most = max((rows for rows, _ in rows_and_failed), default=0) or 1
    heights = [(_pixels(rows, most), _pixels(failed, most)) for rows, failed in rows_and_failed]
    lines = []
    for above in range(_HEIGHT, 0, -1):
        line = bytearray()
        for rows, failed in heights:
            colour = _FAILED if above <= failed else _GOOD if above <= rows else _WHITE
            line += bytes([colour]) * _BAR + bytes([_WHITE]) * _GAP
        lines.append(b"\0" + bytes(line))
    return _png((_BAR + _GAP) * len(heights), b"".join(lines))


def _pixels(number: int, most: int) -> int:
    return max(1, round(number / most * _HEIGHT)) if number else 0


def _png(width: int, lines: bytes) -> bytes:
    header = struct.pack(">IIBBBBB", width, _HEIGHT, 8, 3, 0, 0, 0)  # 8 bits, by palette
    parts = ((b"IHDR", header), (b"PLTE", _COLOURS), (b"IDAT", zlib.compress(lines)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, content) for kind, content in parts)


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
