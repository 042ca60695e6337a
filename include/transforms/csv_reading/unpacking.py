"""Unpack a compressed file in memory, in pieces, and never more than the feed takes (SPEC.md section 4).

No file is written: a check before sending may write none, and a name in an archive then leads nowhere.
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Iterator
from typing import Literal
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from include.codes import Code, message_for, show
from include.errors import FileRefused

Compression = Literal["gzip", "zip"]
ENDINGS: dict[Compression, str] = {"gzip": ".gz", "zip": ".zip"}
_BLOCK = 1 << 16  # bytes
_MOST_RATIO, _SMALL = 500, 1 << 20  # of what is larger than so many bytes; CSV with many equal rows reaches 200
_GZIP = 16 + zlib.MAX_WBITS
_ENTRY = b"PK\x01\x02"  # before each file in the list of a ZIP archive
_MOST_ENTRIES = 1000
_ENCRYPTED = 0x1
_OF_MACOS = ("__MACOSX/", ".DS_Store")  # what the Finder puts beside the files that it packs


def is_compressed(name: str, compression: Compression | None) -> bool:
    """Say whether a file of this name is an archive. On a feed of archives a name may end in .csv, too."""
    return compression is not None and name.lower().endswith(ENDINGS[compression])


def compression_of(name: str) -> Compression | None:
    return next((each for each, ending in ENDINGS.items() if name.lower().endswith(ending)), None)


def unpack(content: bytes, compression: Compression, most: int) -> bytes:
    """Give what the one file of an archive holds, at most `most` bytes. Raises FileRefused."""
    pieces = _gunzipped(content) if compression == "gzip" else _unzipped(content)
    unpacked = bytearray()
    try:
        for piece in pieces:
            unpacked += piece
            _check(len(unpacked), len(content), most)
    except (zlib.error, BadZipFile, EOFError, NotImplementedError, OSError, RuntimeError, ValueError):
        raise _refusal("It is damaged, or it is something else.") from None
    if not unpacked:
        raise FileRefused(Code.FILE_EMPTY, message_for(Code.FILE_EMPTY, detail="in the archive has no bytes"))
    return bytes(unpacked)


def _check(size: int, packed: int, most: int) -> None:
    if size > most:
        found = "too many bytes once it is unpacked"
        raise FileRefused(Code.FILE_TOO_LARGE, message_for(Code.FILE_TOO_LARGE, found=found, limit=f"{most:,}"))
    if size > max(_SMALL, _MOST_RATIO * packed):
        raise _refusal(f"What is in it is more than {_MOST_RATIO} times as large as the archive.")


def _gunzipped(content: bytes) -> Iterator[bytes]:
    archive, packed = zlib.decompressobj(_GZIP), content
    while packed and not archive.eof:
        yield archive.decompress(packed, _BLOCK)
        packed = archive.unconsumed_tail
    yield archive.flush(_BLOCK)
    if not archive.eof:
        raise _refusal("It ends too early: it did not arrive whole.")
    if archive.unused_data.strip(b"\0"):  # tapes and some programs fill the last block up
        raise _refusal("More follows behind the end of its first file.")


def _unzipped(content: bytes) -> Iterator[bytes]:
    if content.count(_ENTRY) > _MOST_ENTRIES:  # a list of so many files would take much memory
        raise _refusal("It holds several files.")
    with ZipFile(io.BytesIO(content)) as archive, archive.open(_only_file(archive.infolist())) as file:
        while piece := file.read(_BLOCK):
            yield piece


def _only_file(entries: list[ZipInfo]) -> ZipInfo:
    entries = [entry for entry in entries if not entry.orig_filename.startswith(_OF_MACOS)]
    if len(entries) != 1:
        raise _refusal("It holds several files." if entries else "It holds no file.")
    (entry,) = entries
    if "/" in entry.orig_filename or "\\" in entry.orig_filename:
        raise _refusal(f"Its file {show(entry.orig_filename)} is in a folder.")
    if not entry.filename.lower().endswith(".csv"):
        raise _refusal(f"Its file {show(entry.filename)} is no CSV file: the name does not end in .csv.")
    if entry.flag_bits & _ENCRYPTED:
        raise _refusal("It is encrypted.")
    if entry.compress_type not in (ZIP_STORED, ZIP_DEFLATED):
        raise _refusal("It is compressed in another way than usual.")
    return entry


def _refusal(detail: str) -> FileRefused:
    return FileRefused(Code.FILE_NOT_UNPACKED, message_for(Code.FILE_NOT_UNPACKED, detail=detail))
