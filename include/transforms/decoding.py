"""Bytes to text. Never guessed, nothing repaired, no U+FFFD (SPEC.md section 4, FILE_ENCODING)."""

from __future__ import annotations

import codecs

from include.codes import message_for
from include.errors import FileRefused

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig", "UTF-8"),
    (codecs.BOM_UTF16_LE, "utf-16", "UTF-16"),
    (codecs.BOM_UTF16_BE, "utf-16", "UTF-16"),
)


def decode(content: bytes, encoding: str | None = None) -> str:
    """Decode by the feed's encoding, else by the byte-order mark, else as UTF-8.

    Raises FileRefused FILE_ENCODING (with the line), FILE_NOT_CSV (NUL characters) or FILE_EMPTY.
    """
    codec, name = _codec_of(content, encoding)
    try:
        text = content.decode(codec)
    except UnicodeDecodeError as error:
        line = _line_of(content[: error.start], codec)
        raise FileRefused("FILE_ENCODING", _not_valid(error, content, name, encoding), line) from None
    if "\0" in text:
        line = _count_lines(text[: text.index("\0")]) + 1
        raise FileRefused("FILE_NOT_CSV", message_for("FILE_NOT_CSV", detail="it has NUL characters"), line)
    if not text.strip("\ufeff \t\r\n"):
        raise FileRefused("FILE_EMPTY", message_for("FILE_EMPTY", detail="has no header"))
    return text


def _codec_of(content: bytes, encoding: str | None) -> tuple[str, str]:
    if content.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)) and encoding is None:
        raise FileRefused(
            "FILE_ENCODING", message_for("FILE_ENCODING", detail="The file is UTF-32; UTF-8 is expected."), 1
        )
    for mark, codec, name in _MARKS:
        # UTF-8's mark is never text in another encoding; failed-row reports carry it into any feed.
        if content.startswith(mark) and (encoding is None or name == "UTF-8" or _same(encoding, name)):
            return codec, name
    return (encoding, encoding) if encoding else ("utf-8", "UTF-8")


def _same(encoding: str, name: str) -> bool:
    return codecs.lookup(encoding).name.startswith(codecs.lookup(name).name)


def _not_valid(error: UnicodeDecodeError, content: bytes, name: str, encoding: str | None) -> str:
    found = " ".join(f"{byte:02X}" for byte in content[error.start : error.start + 2])
    expected = f"the feed's encoding, {encoding}" if encoding else name
    return message_for("FILE_ENCODING", detail=f"The bytes {found} are not valid in {expected}.")


def _line_of(before: bytes, codec: str) -> int:
    return _count_lines(before.decode(codec, errors="ignore")) + 1


def _count_lines(text: str) -> int:
    return text.count("\n") + text.count("\r") - text.count("\r\n")
