"""Text is read as the sender wrote it, or the file is refused: never guessed, never repaired."""

from __future__ import annotations

import codecs
import encodings.aliases

import pytest

from include.errors import FileRefused
from include.transforms.csv_reading import decoding


def decode(content: bytes, encoding: str | None = None) -> str:
    return "".join(decoding.decode(content, encoding).pieces())


TEXT = "First Name,Email\nZoë,zoe@example.com\nJosé,jose@example.com\nРуслан,r@example.com\n山田,y@example.com\n"


def _codecs() -> list[str]:
    names = set()
    for name in sorted(set(encodings.aliases.aliases.values())):
        try:
            if codecs.lookup(name)._is_text_encoding:
                names.add(name)
        except LookupError:
            continue
    return sorted(names - {"mbcs", "oem", "undefined"})


@pytest.mark.parametrize("codec", _codecs())
def test_whatever_the_encoding_the_text_is_right_or_the_file_is_refused(codec):
    for line in TEXT.splitlines()[1:]:
        text = f"First Name,Email\n{line}\n"
        try:
            content = text.encode(codec)
        except UnicodeError:
            continue
        try:
            assert decode(content) == text
        except FileRefused as refused:
            assert refused.code in ("FILE_ENCODING", "FILE_NOT_CSV"), str(refused)


@pytest.mark.parametrize(
    "codec", ["cp1252", "iso-8859-15", "shift_jis", "gb18030", "koi8-r", "utf-16-le", "iso2022_jp"]
)
def test_a_feeds_own_encoding_is_used_when_it_says_so(codec):
    for line in TEXT.splitlines():
        try:
            content = line.encode(codec)
        except UnicodeEncodeError:
            continue
        assert decode(content, codec) == line


@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "utf-16"])
def test_marks_are_understood_and_not_part_of_the_text(codec):
    assert decode(TEXT.encode(codec)) == TEXT


def test_a_report_with_a_utf_8_mark_is_read_in_any_feed():
    assert decode("Zoë,x".encode("utf-8-sig"), "cp1252") == "Zoë,x"


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (codecs.BOM_UTF16_LE + b"First Name,Email\nAnn,ann@example.com\n ", "content is not UTF-16"),
        (codecs.BOM_UTF16_BE + "First Name,Email\n".encode("utf-16-le"), "content is not UTF-16"),
        (codecs.BOM_UTF16_LE + "Ann,x".encode("utf-16-le")[:-1], "not valid in UTF-16"),
        (codecs.BOM_UTF16_LE + b"\x00\xd8,\x00", "not valid in UTF-16"),
        (codecs.BOM_UTF8 + b"Zo\xeb,x", "not valid in UTF-8: read as Windows-1252, it is “ë”"),
        (codecs.BOM_UTF32_LE + "Ann".encode("utf-32-le"), "UTF-32"),
        (b"Ann,\x81", "The content is not valid in UTF-8"),
        (b"Ann,\xc0\xaf", "not valid in UTF-8"),
        (b"Ann,\xed\xa0\x80", "not valid in UTF-8"),
        ("山田,y".encode("iso2022_jp"), "ISO-2022"),
        ("山田,y".encode("hz"), "HZ"),
        ("Zoë,y".encode("utf-7"), "UTF-7"),
        (b"First Name,Email\nMr +BBgEMgQwBD0,ann@example.com\n", "UTF-7"),
    ],
)
def test_a_wrong_mark_and_a_disguised_encoding_are_refused(content, sentence):
    with pytest.raises(FileRefused, match=sentence) as refused:
        decode(content)
    assert refused.value.code == "FILE_ENCODING"


@pytest.mark.parametrize(
    "cell",
    [
        "john+dog-1@example.com",
        "a+b-c",
        "+49-30-1234",
        "~{",
        "C++",
        "Q+A-",
        "R+Tag",
        "+12025550123",
        "Sales+Ops-Team",
        "Google+Ads-Agency",
        "+100-555-0100",
    ],
)
def test_plus_signs_and_tildes_are_no_encoding(cell):
    assert decode(f"First Name,Email\n{cell},a@example.com\n".encode()).splitlines()[1].startswith(cell)


def test_half_a_character_from_a_feeds_encoding_is_refused():
    with pytest.raises(FileRefused, match="line 2: The file has half a character"):
        decode(b"First Name,Email\nA+2AA-nn,ann@example.com\n", "utf-7")


def test_a_mark_written_twice_is_no_text():
    assert decode(b'\xef\xbb\xbf\xef\xbb\xbf"First Name",Email') == '"First Name",Email'


@pytest.mark.timeout(20)
@pytest.mark.parametrize("part", [b"~{", b"+", b"+a", b"+AOk", b"A+/"])
def test_long_cells_take_no_time(part):
    try:
        decode(b"First Name,Email\n" + part * 500_000 + b",ann@example.com\n")
    except FileRefused as refused:
        assert refused.code == "FILE_ENCODING"


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_the_line_of_the_first_wrong_byte_is_named(end):
    with pytest.raises(FileRefused) as refused:
        decode(f"First Name,Email{end}Ann,a@example.com{end}".encode() + b"Zo\xeb,z@example.com")
    assert refused.value.line == 3
