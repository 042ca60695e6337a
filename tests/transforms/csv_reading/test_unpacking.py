"""What an archive may be, and what is refused before it takes memory."""

from __future__ import annotations

import gzip
import io
import zipfile
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.codes import Code
from include.errors import FileRefused
from include.transforms.csv_reading.unpacking import unpack

CSV = b"First Name,Email\nAnn,ann@example.com\n"
MOST = 10 << 20


def zipped(*files: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", method) as archive:
        for name, text in files:
            archive.writestr(name, text)
    return content.getvalue()


def encrypted() -> bytes:
    """Set the flag of encryption at both places where a ZIP archive has it."""
    content = bytearray(zipped(("a.csv", CSV)))
    content[6] |= 1
    content[content.index(b"PK\x01\x02") + 8] |= 1
    return bytes(content)


def test_one_file_is_unpacked():
    assert unpack(gzip.compress(CSV), "gzip", MOST) == CSV
    assert unpack(zipped(("a.csv", CSV)), "zip", MOST) == CSV
    assert unpack(zipped(("a.CSV", CSV), method=zipfile.ZIP_STORED), "zip", len(CSV)) == CSV


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("zip", zipped(("a.csv", CSV), ("__MACOSX/._a.csv", b"\0Mac"), (".DS_Store", b"\0"))),
        ("zip", zipped(("__MACOSX/", b""), ("__MACOSX/._a.csv", b"\0Mac"), ("a.csv", CSV))),
        ("gzip", gzip.compress(CSV) + b"\0" * 512),
    ],
)
def test_what_a_program_adds_to_an_archive_by_itself_does_not_matter(kind, content):
    assert unpack(content, kind, MOST) == CSV


@pytest.mark.parametrize(
    ("kind", "content", "words"),
    [
        ("gzip", gzip.compress(CSV)[:-9], "ends too early"),
        ("gzip", gzip.compress(CSV)[:-1], "ends too early"),
        ("gzip", gzip.compress(CSV) * 2, "More follows"),
        ("gzip", gzip.compress(CSV) + bytes(512) + gzip.compress(CSV), "More follows"),
        ("zip", zipped(("__MACOSX/._a.csv", b"")), "no file"),
        ("gzip", gzip.compress(CSV)[:-6] + b"abcdef", "damaged"),
        ("gzip", CSV, "damaged"),
        ("zip", zipped(("a.csv", CSV))[:-9], "damaged"),
        ("zip", gzip.compress(CSV), "damaged"),
        ("zip", zipped(("a.csv", CSV), method=zipfile.ZIP_STORED).replace(b"Ann", b"Bob"), "damaged"),
        ("zip", zipped(), "no file"),
        ("zip", zipped(("a.csv", CSV), ("b.csv", CSV)), "several files"),
        ("zip", zipped(*((f"{n}.csv", b"") for n in range(1500))), "several files"),
        ("zip", zipped(("../a.csv", CSV)), "“../a.csv” is in a folder"),
        ("zip", zipped(("x\\a.csv", CSV)), "is in a folder"),
        ("zip", zipped(("a.zip", zipped(("a.csv", CSV)))), "is no CSV file"),
        ("zip", zipped(("a.csv", CSV), method=zipfile.ZIP_LZMA), "another way"),
        ("zip", encrypted(), "encrypted"),
        ("gzip", gzip.compress(b"a" * (9 << 20)), "500 times"),
        ("zip", zipped(("a.csv", b"a" * (9 << 20))), "500 times"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",  # an archive has the time in it
)  # fmt: skip
def test_any_other_archive_is_refused_with_a_sentence(kind, content, words):
    with pytest.raises(FileRefused) as refused:
        unpack(content, kind, MOST)
    assert refused.value.code == Code.FILE_NOT_UNPACKED and words in refused.value.message


@pytest.mark.parametrize("kind", ["gzip", "zip"])
def test_a_bomb_ends_at_the_size_that_the_feed_takes(kind):
    """300 KB that hold 300 MB: not more than the feed's largest file is ever unpacked."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    bomb = b"".join(packer.compress(b"\n" * (1 << 20)) for _ in range(300)) + packer.flush()
    content = bomb if kind == "gzip" else zipped(("a.csv", b"\n" * (64 << 20)))
    for most, code in ((1 << 19, Code.FILE_TOO_LARGE), (1 << 40, Code.FILE_NOT_UNPACKED)):
        with pytest.raises(FileRefused) as refused:
            unpack(content, kind, most)
        assert refused.value.code == code
    assert unpack(gzip.compress(CSV), "gzip", len(CSV)) == CSV
    with pytest.raises(
        FileRefused, match=f"too many bytes once it is unpacked; this feed accepts at most {len(CSV) - 1} bytes"
    ):
        unpack(gzip.compress(CSV), "gzip", len(CSV) - 1)


def test_an_empty_file_in_an_archive_is_empty():
    with pytest.raises(FileRefused) as refused:
        unpack(gzip.compress(b""), "gzip", MOST)
    assert refused.value.code == Code.FILE_EMPTY


@given(st.sampled_from(["gzip", "zip"]), st.integers(0, 200), st.binary(max_size=8), st.booleans())
def test_damage_anywhere_is_a_refusal_or_does_not_matter(kind, position, damage, is_cut):
    good = gzip.compress(CSV, mtime=0) if kind == "gzip" else zipped(("a.csv", CSV))
    content = good[:position] if is_cut else good[:position] + damage + good[position + len(damage) :]
    try:
        assert unpack(content, kind, MOST) == CSV
    except FileRefused:
        return
