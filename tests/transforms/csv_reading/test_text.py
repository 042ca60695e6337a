"""Text comes in pieces of whole lines, however long the lines and however small the pieces are."""

from __future__ import annotations

import codecs
import io

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from include.transforms.csv_reading import text
from include.transforms.csv_reading.text import Text, count_lines, lines_of


@pytest.fixture
def piece_of_bytes(monkeypatch):
    """Set how many bytes are decoded at once."""
    return lambda size: monkeypatch.setattr(text, "PIECE", size)


def test_lines_end_at_lf_crlf_and_cr_and_nowhere_else():
    assert list(lines_of("a\nb\r\nc\rd\x0be\x0cf\x1cg\x85h\u2028i")) == [
        "a\n",
        "b\r\n",
        "c\r",
        "d\x0be\x0cf\x1cg\x85h\u2028i",
    ]
    assert list(lines_of("")) == []


def test_line_ends_are_counted_as_lines_are_split():
    assert count_lines("a\nb\r\nc\rd") == 3


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("piece", [3, 7, 1000])
def test_the_last_lines_are_left_out_and_blank_ones_do_not_count(piece_of_bytes, piece, end):
    piece_of_bytes(piece)
    content = end.join(["one", "two", "", "three", " ", "four", "", ""]).encode()
    assert "".join(Text(content, "utf-8", skip_last_lines=2).pieces()).split(end) == ["one", "two", "", ""]
    assert list(Text(content, "utf-8", skip_last_lines=9).lines()) == []


@pytest.mark.parametrize("length", [1, 16_383, 16_384, 16_385, 40_000])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_line_of_any_length_is_one_line(length, end):
    lines = ["a" * length + end, "b" * length + end, "c"]
    assert list(lines_of("".join(lines))) == lines


def test_the_lines_of_a_long_text_are_those_of_a_short_one():
    long = ("a" * 9_000 + "\r\n" + "b\r") * 5 + "c" * 70_000 + "\n" + "d"
    assert list(lines_of(long)) == list(io.StringIO(long, newline=""))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    written=st.text(st.sampled_from('ab,"é山😀\n\r\ufeff\u2028'), max_size=60),
    codec=st.sampled_from(["utf-8", "utf-16", "utf-16-le", "utf-32", "utf-7", "gb18030"]),
    size=st.integers(1, 12),
)
def test_pieces_end_with_a_line_and_are_the_whole_text(piece_of_bytes, written, codec, size):
    piece_of_bytes(size)
    whole = Text(written.encode(codec), codec)
    pieces = list(whole.pieces())
    assert "".join(pieces) == written.lstrip("\ufeff")
    assert list(whole.lines()) == list(io.StringIO("".join(pieces), newline=""))
    assert all(piece.endswith(("\n", "\r")) for piece in pieces[:-1])
    assert not any(a.endswith("\r") and b.startswith("\n") for a, b in zip(pieces, pieces[1:], strict=False))


def test_an_empty_text_is_one_empty_piece():
    assert list(Text(b"", "utf-8").pieces()) == [""]


def test_the_beginning_reaches_over_pieces(piece_of_bytes):
    piece_of_bytes(3)
    assert Text(b"ab\ncd\nef\n", "utf-8").beginning(5) == "ab\ncd"


def test_marks_in_front_are_no_text_and_marks_inside_are():
    twice = Text(codecs.BOM_UTF8 * 2 + "a\ufeffb".encode(), "utf-8")
    assert list(twice.pieces()) == ["a\ufeffb"] and list(twice.as_decoded()) == ["\ufeff\ufeffa\ufeffb"]


@pytest.mark.parametrize("size", [2, 3, 100])
def test_a_byte_that_is_not_valid_is_reported_at_its_position_in_the_file(piece_of_bytes, size):
    piece_of_bytes(size)
    with pytest.raises(UnicodeDecodeError) as error:
        list(Text(b"Zo\xc3\xab\nZo\xeb\n", "utf-8").as_decoded())
    assert error.value.start == 7
