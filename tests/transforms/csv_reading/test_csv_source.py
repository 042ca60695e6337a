"""A file is split into records, and each record knows the physical line where it starts."""

from __future__ import annotations

import pytest

from include.errors import FileRefused
from include.transforms.csv_reading.csv_source import Skipped, begin
from include.transforms.csv_reading.text import Text


def records(text: str, delimiter: str = ",") -> list[tuple[int, list[str], bool]]:
    return list(begin(Text(text.encode(), "utf-8")).records(delimiter))


def test_a_record_of_several_lines_starts_at_its_first_line():
    assert records('a,b\n"x\ny",1\nz,2\n') == [
        (1, ["a", "b"], True),
        (2, ["x\ny", "1"], True),
        (4, ["z", "2"], True),
    ]


def test_lines_are_physical_ones_and_blank_lines_are_no_records():
    text = 'sep=,\r\n\r\nFirst Name,Email\r\n\r\n"Ann\r\nB",a@example.com\r\n   \r\n\rBen,b@example.com\n""\n,\n'
    assert [(line, cells) for line, cells, _ in records(text)] == [
        (3, ["First Name", "Email"]),
        (5, ["Ann\r\nB", "a@example.com"]),
        (9, ["Ben", "b@example.com"]),
    ]


@pytest.mark.parametrize("quote", ["", '"'])
def test_blank_records_are_no_records_and_are_counted_while_blank_lines_are_not(quote):
    skipped = Skipped()
    text = f"a,b\n{quote}x{quote},1\n,\n , \n\n{quote}z{quote},\n,,,\n"
    read = list(begin(Text(text.encode(), "utf-8")).records(",", skipped))
    assert [line for line, _, _ in read] == [1, 2, 6] and skipped.blank == 3


def test_the_lines_that_the_feed_skips_may_be_anything():
    source = begin(Text(b'Notes:\n"an open quote\nsep=;\n\na;b\n1;2\n', "utf-8"), 2)
    assert (source.hint, source.skipped) == (";", 4)
    assert list(source.records(";")) == [(5, ["a", "b"], True), (6, ["1", "2"], True)]


def test_without_quotes_blank_lines_are_no_records_either():
    assert records("\n\na,b\n \n\n1,2\n") == [(3, ["a", "b"], True), (6, ["1", "2"], True)]


@pytest.mark.parametrize("sign", ["\x0b", "\x0c", "\x1c", "\x85", "\u2028", "\u2029"])
@pytest.mark.parametrize("quote", ["", '"'])
def test_signs_that_only_some_programs_take_for_line_ends_stay_in_their_cell(sign, quote):
    assert records(f"a,b\n{quote}x{sign}y{quote},1\n")[1] == (2, [f"x{sign}y", "1"], True)


@pytest.mark.parametrize("line", ["sep=;", '"sep=;"', "SEP=;"])
def test_excels_line_that_names_the_delimiter_is_skipped_and_remembered(line):
    source = begin(Text(f"{line}\na;b\n".encode(), "utf-8"))
    assert (source.skipped, source.hint) == (1, ";")


def test_a_first_line_far_too_long_for_a_header_is_not_csv():
    with pytest.raises(FileRefused) as refused:
        begin(Text(b"\n" + b"x" * 2_000_001, "utf-8"))
    assert (refused.value.code, refused.value.line) == ("FILE_NOT_CSV", 2)


def test_a_cell_of_many_lines_is_read_one_line_at_a_time():
    many = "a\n" * 50_000
    assert records(f'x,y\n"{many}",1\n"{many}",2\nz,3\n') == [
        (1, ["x", "y"], True),
        (2, [many, "1"], True),
        (50_003, [many, "2"], True),
        (100_004, ["z", "3"], True),
    ]
