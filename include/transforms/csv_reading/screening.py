"""Refuse what is no CSV file, by name, size and content (SPEC.md section 4).

Binary formats are recognised by puremagic's signatures. They are looked for only where the content is not clean text,
because many signatures are plain words. Text formats are recognised by how they begin.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache

from include.codes import Code, message_for, show
from include.errors import FileRefused
from include.transforms.csv_reading.text import Text
from include.transforms.csv_reading.unpacking import ENDINGS, Compression, compression_of, is_compressed

_NOT_IN_TEXT = re.compile(rb"[\x00-\x08\x0e-\x1f\x7f-\xff]")
_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1f]")
_START, _BEFORE, _WINDOW = 64, 16, 1024  # bytes: where a format shows; how far before; how much is searched
_COMMON = (
    (b"PK\x03\x04", 0, "a ZIP archive or an Excel, Word or OpenDocument file"),
    (b"PK\x05\x06", 0, "an empty ZIP archive"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", 0, "an old Excel, Word or Outlook file"),
    (b"\x1f\x8b\x08", 0, "a gzip archive"),
    (b"BZh", 0, "a bzip2 archive"),
    (b"\xfd7zXZ", 0, "an xz archive"),
    (b"7z\xbc\xaf\x27\x1c", 0, "a 7-Zip archive"),
    (b"Rar!\x1a\x07", 0, "a RAR archive"),
    (b"ustar", 257, "a tar archive"),
    (b"\x7fELF", 0, "a Linux program"),
    (b"MZ", 0, "a Windows program"),
    (b"\xca\xfe\xba\xbe", 0, "a Java or macOS program"),
    (b"%PDF-", 0, "a PDF document"),
    (b"\x89PNG\r\n\x1a\n", 0, "a PNG image"),
    (b"\xff\xd8\xff", 0, "a JPEG image"),
    (b"GIF8", 0, "a GIF image"),
    (b"PAR1", 0, "a Parquet file"),
    (b"bplist00", 0, "an Apple property list"),
    (b"SQLite format 3\0", 0, "an SQLite database"),
)
_SPREADSHEET_NAME = r"\.(?:xls[xmb]?|xlt[xm]?|ods|numbers)$"
_TEXT_NAME = r"(?<=[^.])(?:\.csv)?(?:\.(?:txt|tsv|tab|dat|asc|prn|text|part|tmp|filepart|crdownload|bak|old)|~)$"
_EICAR = "EICAR-STANDARD-ANTIVIRUS-TEST-FILE"

# No header of a client file begins like this, whatever else is in it.
_NEVER_A_HEADER = (
    ("an HTML page", r"<!doctype html|<html\b"),
    ("an SVG image", r"<svg\b|<\?xml[^>]*\?>\s*(?:<!doctype svg[^>]*>\s*)?<svg\b"),
    ("a PHP script", r"<\?(?:php\b|=)"),
    ("an XML document", r"<\?xml\b|<!doctype\b|<!\[CDATA\["),
    ("HTML or XML", r"<[a-z!/?%]"),
    ("a PDF document", r"%PDF-"),
    ("a PostScript document", r"%!PS"),
    ("an RTF document", r"\{\\rtf"),
    ("a GIF image", r"GIF8[79]a"),
    ("a script", r"#!\s*/|@echo\s+o(?:n|ff)\b"),
    ("a PEM file", r"-----BEGIN [A-Z ]+-----"),
    ("a Unix archive", r"!<arch>"),
)
# A header may begin like this; without the required columns the file is more likely what it looks like.
_LOOKS = (
    ("a SYLK spreadsheet", r"ID;P\w*(?:;[A-Z]\w*)*\s*[\r\n]+(?:[A-Z]{1,2};|E\s)"),
    ("a mail", r"(?:From |(?:From|To|Subject|Received|Return-Path|Delivered-To|MIME-Version|Date|Message-ID|"
               r"Content-Type|X-[\w-]+):\s)"),
    ("JSON", r"[\[{]\s*[\"{\[\]}]|[\[{]\s*$"),
    ("a vCard or calendar", r"BEGIN:V(?:CARD|CALENDAR)"),
    ("an LDIF directory export", r"dn::?\s|version:\s*1\s"),
    ("an SQL dump", r"--\s.*dump|(?:insert\s+into|create\s+(?:table|database)|drop\s+table|select\s[^\r\n]+\sfrom)\s|"
                    r"PRAGMA foreign_keys"),
    ("a DIF spreadsheet", r"TABLE\s*[\r\n]+0,1\s"),
    ("a uuencoded file", r"begin [0-7]{3} "),
    ("a patch", r"diff --git|--- \S+.*[\r\n]+\+\+\+ \S"),
    ("a configuration file", r"\[[\w .-]+\]\s*[\r\n]|---\s*[\r\n]"),
    ("a script", r"(?:set|rem|import|from|package|using|require|include|sub|dim|option explicit|attribute vb_\w+|"
                 r"on error|def|class|function|const|let|var|param|set-executionpolicy|powershell|cmd|wscript|"
                 r"createobject|eval|alert|document|window|module|#include|#requires|start-process|invoke-\w+|iex)\b"
                 r"[^\r\n,;|\t]*[({'\"=:./*\\<]|"
                 r"(?:import|package|using|require|dim|option)\s+[\w.]+\s*;?\s*[\r\n]|"
                 r"\$\w+\s*=|/\*|//|\(function|'use strict'|\"use strict\""),
)  # fmt: skip


def check_name(name: str, compression: Compression | None = None) -> None:
    """Raise FILE_NAME unless `name` is one plain file name that ends in .csv, or as the archives of the feed do."""
    if any(unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp") for c in name):
        _refuse_name("The file name contains invisible characters or bytes that are not text.")
    if "/" in name or "\\" in name or name in ("", ".", ".."):
        _refuse_name("The file name contains parts of a path.")
    if is_compressed(name, compression):
        return
    if not re.fullmatch(r".+\.csv", name, re.IGNORECASE | re.DOTALL | re.ASCII):
        endings = f".csv or {ENDINGS[compression]}" if compression else ".csv"
        _refuse_name(f"The file name does not end in {endings}.{_what_instead(name)}")


def _what_instead(name: str) -> str:
    """Say what to do with a file whose name tells that it is a spreadsheet, an archive or text."""
    if spreadsheet := re.search(_SPREADSHEET_NAME, name, re.IGNORECASE | re.ASCII):
        return f" A {spreadsheet[0]} file is a spreadsheet. {Code.FILE_NOT_CSV.advice}"
    if packed := compression_of(name):
        return f" Unpack the archive first, or let the feed unpack it (key `compression: {packed}`)."
    if text := re.search(_TEXT_NAME, name, re.IGNORECASE | re.ASCII):
        return f" Rename it, for example to {show(name[: text.start()] + '.csv')}."
    return ""


def check_size(size: int, limit: int) -> None:
    """Raise FILE_TOO_LARGE or FILE_EMPTY from the size in bytes alone."""
    if size > limit:
        found = f"{size:,} bytes"
        raise FileRefused(Code.FILE_TOO_LARGE, message_for(Code.FILE_TOO_LARGE, found=found, limit=f"{limit:,}"))
    if size == 0:
        raise FileRefused(Code.FILE_EMPTY, message_for(Code.FILE_EMPTY, detail="has no bytes"))


def check_binary(content: bytes, doubtful: int) -> None:
    """Raise FILE_NOT_CSV when content that is not clean text is a known binary format, or contains one further down.

    `doubtful` is the position of the first byte that cannot be text.
    """
    if name := _binary_at(content, 0):
        refuse_content(f"it is {name}", 1)
    for position in range(max(1, doubtful - _BEFORE), doubtful + 1):
        if name := _binary_at(content, position):
            line = content.count(b"\n", 0, position) + 1
            refuse_content(f"after a beginning as text it holds {name}", line)


def check_text_format(text: Text, header_is_good: bool) -> None:
    """Raise FILE_NOT_CSV when the text begins like another text format, or contains the EICAR test virus."""
    beginning = text.beginning(2000).lstrip("\ufeff \t\r\n")
    for name, look in _NEVER_A_HEADER if header_is_good else (*_NEVER_A_HEADER, *_LOOKS):
        if re.match(look, beginning, re.IGNORECASE | re.DOTALL):
            refuse_content(f"it looks like {name}", 1)
    line = 1
    for piece in text.pieces() if text.has(_EICAR) else ():
        if _EICAR in piece:
            refuse_content("it holds the EICAR test virus", line + piece.count("\n", 0, piece.index(_EICAR)))
        line += piece.count("\n")


def refuse_content(detail: str, line: int) -> None:
    raise FileRefused(Code.FILE_NOT_CSV, message_for(Code.FILE_NOT_CSV, detail=detail), line)


def _binary_at(content: bytes, position: int) -> str | None:
    """Name the format whose signature stands here: one that is no plain word, or that control characters follow."""
    window = content[position : position + _WINDOW]
    binary_follows = position == 0 and bool(_CONTROL.search(window[:_START]))
    for signature, offset, name in _signatures():
        if window.startswith(signature, offset) and (
            binary_follows or (offset == 0 and len(signature.strip(b"\0")) >= 4 and _NOT_IN_TEXT.search(signature))
        ):
            return name
    return None


@cache
def _signatures() -> list[tuple[bytes, int, str]]:
    """Give (bytes, offset, name) of each format: first what people send by mistake, then puremagic's list."""
    from puremagic.main import magic_header_array

    known = [
        (m.byte_match, m.offset, f"another format ({m.name})")
        for m in magic_header_array
        if len(m.byte_match.strip(b"\0")) >= 3 and m.offset >= 0 and not m.byte_match.isspace()
    ]
    return [*_COMMON, *sorted(known, key=lambda signature: -len(signature[0]))]


def _refuse_name(detail: str) -> None:
    raise FileRefused(Code.FILE_NAME, message_for(Code.FILE_NAME, detail=detail))
