"""Decode a file: never guessed, nothing repaired, no U+FFFD put in (SPEC.md section 4, FILE_ENCODING)."""

from __future__ import annotations

import codecs
import itertools
import re

from include.codes import Code, message_for
from include.errors import FileRefused
from include.transforms.csv_reading.screening import check_binary, check_text_format, refuse_content
from include.transforms.csv_reading.text import Text, count_lines

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig", "UTF-8"),
    (codecs.BOM_UTF16_LE, "utf-16", "UTF-16"),
    (codecs.BOM_UTF16_BE, "utf-16", "UTF-16"),
)
# For each codec that removes a byte-order mark: the marks, each with the codec of what follows it.
_AFTER_MARK = {
    "utf-8-sig": ((codecs.BOM_UTF8, "utf-8"),),
    "utf-16": ((codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be")),
    "utf-32": ((codecs.BOM_UTF32_LE, "utf-32-le"), (codecs.BOM_UTF32_BE, "utf-32-be")),
}
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f]")
_NUL = re.compile("\0")
_CONTROL_BYTES = bytes((*range(0x09), *range(0x0E, 0x20)))
_AT_ONCE = 1024 * 1024  # characters that are looked at at once
# Encodings whose bytes all look like ASCII: decoded as UTF-8, letters between shifts would become other letters.
_ISO_2022 = re.compile(r"\x1b[ -/]+[0-~]")
_HZ = re.compile(r"~\{(?:[!-~]{2}){1,100}~\}")
_SURROGATE = re.compile("[\ud800-\udfff]")
# The lengths are bounded: without bounds the time would grow with the square of a cell's length.
_UTF_7 = re.compile(r"(?<![+/])\+(?=\d{0,40}[A-Za-z/])[A-Za-z0-9/+]{3,100}-?(?![A-Za-z0-9/+]|[^\s,;|]{0,64}@)")


def decode(content: bytes, encoding: str | None = None) -> Text:
    """Decode by the feed's encoding, else by the byte-order mark, else as UTF-8.

    Raises FILE_ENCODING (with the line), FILE_NOT_CSV (binary content, NUL characters) or FILE_EMPTY.
    """
    codec, name = _codec_of(content, encoding)
    text = Text(content, codec)
    _check_codec(text, name, encoding)
    _check_control(text, name)
    if encoding is None:
        _check_disguised(text)
    elif half_character := _first(text, "", _SURROGATE):
        _refuse(f"The file has half a character, which is not valid in {encoding}.", half_character[0])
    if not any(piece.strip(" \t\r\n") for piece in text.pieces()):
        raise FileRefused(Code.FILE_EMPTY, message_for(Code.FILE_EMPTY, detail="has no header"))
    return text


def _check_codec(text: Text, name: str, encoding: str | None) -> None:
    content = text.content
    try:
        for _ in text.as_decoded():
            pass
    except UnicodeDecodeError as error:
        check_binary(content, error.start)
        check_text_format(Text(content[:2000], "latin-1"), header_is_good=True)
        if b"\0" in content and text.codec.replace("_", "-")[:6] not in ("utf-16", "utf-32"):
            refuse_content("it has NUL bytes", content.count(b"\n", 0, content.index(b"\0")) + 1)
        line = count_lines(content[: error.start].decode(text.codec, errors="ignore")) + 1
        raise FileRefused(Code.FILE_ENCODING, _not_valid(error, name, encoding), line) from None


def _check_control(text: Text, name: str) -> None:
    if not any(map(_has_control, text.as_decoded())):
        return
    # Behind a UTF-16 mark no position of the text is one of the content; only its beginning is looked at.
    check_binary(text.content, _bytes_before(text, _CONTROL) if name != "UTF-16" else 0)
    if nul := _first(text, "\0", _NUL):
        beginning = text.content[:200]
        every_second = len(set(beginning[0::2])) == 1 or len(set(beginning[1::2])) == 1
        has_other_characters = any(piece.strip("\0") for piece in text.as_decoded())
        hint = "; it looks like UTF-16 without a byte-order mark" if every_second and has_other_characters else ""
        refuse_content(f"it has NUL characters{hint}", nul[0])


def _has_control(text: str) -> bool:
    """Say whether `_CONTROL` matches, ten times as fast: in UTF-8 these bytes are part of no other character."""
    for start in range(0, len(text), _AT_ONCE):
        as_bytes = text[start : start + _AT_ONCE].encode("utf-8", "surrogatepass")
        if len(as_bytes.translate(None, _CONTROL_BYTES)) < len(as_bytes):
            return True
    return False


def _bytes_before(text: Text, pattern: re.Pattern[str]) -> int:
    """Give the position in the content of what the pattern matches first."""
    encoder = codecs.getincrementalencoder(text.codec)("replace")
    before = 0
    for piece in text.as_decoded():
        if match := pattern.search(piece):
            return before + len(encoder.encode(piece[: match.start()], final=True))
        before += len(encoder.encode(piece))
    return before


def _first(text: Text, sign: str, pattern: re.Pattern[str]) -> tuple[int, str] | None:
    """Give (line, matched text) of the first match; only pieces that contain `sign` need a look."""
    for number, piece in enumerate(text.as_decoded()):
        if sign in piece and (match := pattern.search(piece)):
            before = sum(map(count_lines, itertools.islice(text.as_decoded(), number)))
            return before + count_lines(piece[: match.start()]) + 1, match[0]
    return None


def mark_and_codec(content: bytes, encoding: str | None = None) -> tuple[bytes, str]:
    """Give the byte-order mark that `decode` removes (b"" for none), and the codec of what follows it."""
    codec = codecs.lookup(_codec_of(content, encoding)[0]).name
    marks = _AFTER_MARK.get(codec, ((b"", codec),))
    return next(((mark, plain) for mark, plain in marks if content.startswith(mark)), (b"", marks[0][1]))


def _codec_of(content: bytes, encoding: str | None) -> tuple[str, str]:
    if content.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)) and encoding is None:
        _refuse("The file is UTF-32; UTF-8 is expected.", 1)
    for mark, codec, name in _MARKS:
        # UTF-8's mark is never text in another encoding; failed-row reports carry it into any feed.
        if content.startswith(mark) and (encoding is None or name == "UTF-8" or _same(encoding, name)):
            return codec, name
    return (encoding, encoding) if encoding else ("utf-8", "UTF-8")


def _same(encoding: str, name: str) -> bool:
    return codecs.lookup(encoding).name.startswith(codecs.lookup(name).name)


def _check_disguised(text: Text) -> None:
    """Raise FILE_ENCODING when the text is readable and yet not what the sender wrote."""
    if text.content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) and not any(
        re.search(r"[\x00-\x7f]", piece) for piece in text.as_decoded()
    ):
        _refuse("The file begins with a UTF-16 byte-order mark, but its content is not UTF-16 in that order.", 1)
    if shift := _first(text, "\x1b", _ISO_2022):
        _refuse("The file is in an ISO-2022 encoding; UTF-8 is expected.", shift[0])
    if not all(map(str.isascii, text.as_decoded())):
        return
    if shift := _first(text, "~{", _HZ):
        _refuse("The file is in the HZ encoding; UTF-8 is expected.", shift[0])
    if (shift := _first(text, "+", _UTF_7)) and _is_utf_7(text.content, shift[1]):
        _refuse("The file is in the UTF-7 encoding; UTF-8 is expected.", shift[0])


def _is_utf_7(content: bytes, shift: str) -> bool:
    """Say whether every shift of the file is valid UTF-7, and this one, outside an address, holds letters.

    `R+Tag` is by accident one letter of a script that is rare beside Latin letters. More than one letter, or one of
    a script that is common beside them, is no accident.
    """
    try:
        for _ in Text(content, "utf-7").as_decoded():
            pass
        letters = shift.encode().decode("utf-7")
    except UnicodeDecodeError:
        return False
    return letters.isalpha() and (len(letters) > 1 or bool(re.match("[\u00c0-\u017f\u0370-\u04ff]", letters)))


def _refuse(detail: str, line: int) -> None:
    raise FileRefused(Code.FILE_ENCODING, message_for(Code.FILE_ENCODING, detail=detail), line)


def _not_valid(error: UnicodeDecodeError, name: str, encoding: str | None) -> str:
    """Say which letter cannot be read: that is what a person finds in the file. Bytes alone tell nothing."""
    expected = f"the feed's encoding, {encoding}" if encoding else name
    letter = error.object[error.start : error.start + 1].decode("cp1252", "ignore")
    if not letter.isprintable() or not letter or error.encoding.startswith("utf-16") or "32" in error.encoding:
        return message_for(Code.FILE_ENCODING, detail=f"The content is not valid in {expected}.")
    detail = f"One character is not valid in {expected}: read as Windows-1252, it is “{letter}”."
    return message_for(Code.FILE_ENCODING, detail=detail)
