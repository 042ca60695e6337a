"""How long it takes to refuse 20 MiB of each kind of content: `make bench-refusals`.

Each time is also given as a multiple of reading and hashing the same bytes in the same run, because machines differ.
"""

from __future__ import annotations

import bz2
import gzip
import hashlib
import io
import lzma
import os
import statistics
import tarfile
import tempfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

from include.errors import FileRefused
from include.schemas.feed import Feed
from include.steps.context import utc_now
from include.steps.validate import judge_file

SIZE = 20 * 1024 * 1024
HEADER, ROW = b"First Name,Email\n", b"Ann,ann@example.com\n"
NOISE = os.urandom(SIZE - 20_480)


def _zip() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("clients.csv", NOISE)
    return buffer.getvalue()


def _tar() -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        info = tarfile.TarInfo("clients.csv")
        info.size = len(NOISE)
        archive.addfile(info, io.BytesIO(NOISE))
    return buffer.getvalue()


def _filled(beginning: bytes, part: bytes, end: bytes = b"") -> bytes:
    return beginning + part * ((SIZE - len(beginning) - len(end)) // len(part)) + end


KINDS: dict[str, bytes] = {
    "ZIP archive": _zip(),
    "gzip": gzip.compress(NOISE, 1),
    "gzip bomb in bzip2 (20 MiB of NUL)": bz2.compress(gzip.compress(bytes(SIZE))),
    "xz": lzma.compress(NOISE, preset=0),
    "tar": _tar(),
    "random bytes": NOISE,
    "only NUL": bytes(SIZE),
    "PDF": _filled(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", b"0 obj\n"),
    "program (ELF)": _filled(b"\x7fELF\x02\x01\x01", b"\0"),
    "HTML": _filled(b"<!doctype html>\n", b"<p>x</p>\n"),
    "rows, then a ZIP archive": _filled(HEADER, ROW)[: SIZE // 2] + b"\n" + _zip()[: SIZE // 2 - 1],
    "wrong last byte": _filled(HEADER, ROW, b"\xff"),
    "UTF-16 mark, other content": _filled(b"\xff\xfe", ROW),
    "quotes only": b'"' * (SIZE - 1),
    "a quote never closed": _filled(HEADER + b'Ann,"', ROW),
    "records swallowed at the end": _filled(HEADER + b'Ann,"', b"x", b'\nBen,ben@example.com"\n'),
    "one cell": b"x" * SIZE,
    "20 million columns": b"," * SIZE,
    "100,000 columns": b",".join(b"c%d" % n for n in range(100_000)),
    "20 million empty lines": b"\n" * SIZE,
    "a million records": _filled(HEADER, ROW),
    "no required column": _filled(b"a,b\n", ROW),
    "one byte too many": b"x" * (SIZE + 1),
}  # fmt: skip


def _seconds(do: Callable[[], object], times: int = 3) -> float:
    seconds = []
    for _ in range(times):
        start = time.perf_counter()
        do()
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds)


def _code(path: Path, feed: Feed) -> str:
    try:
        for _ in judge_file(path.name, path, feed, utc_now()).pieces:
            pass
    except FileRefused as refused:
        return refused.code
    raise AssertionError("was not refused")


def main() -> None:
    feed = Feed(name="bench", title="Bench")
    print("| content | code | seconds | x reading and hashing |\n|---|---|---:|---:|")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "clients.csv"
        for kind, content in KINDS.items():
            path.write_bytes(content)
            floor = _seconds(lambda: hashlib.sha256(path.read_bytes()).digest())
            code = _code(path, feed)
            seconds = _seconds(lambda: _code(path, feed))
            print(f"| {kind} | `{code}` | {seconds:.2f} | {seconds / floor:.1f} |")


if __name__ == "__main__":
    main()
