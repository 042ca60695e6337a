"""Records become columns; the fast way for lines without quotes gives what the general one gives."""

from __future__ import annotations

import csv

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.transforms.csv_reading.csv_source import Skipped, is_record
from include.transforms.csv_reading.pieces import Ragged, piece_of, piece_of_plain_lines
from include.transforms.csv_reading.text import lines_of


def columns(piece) -> list[list[str]]:
    return [list(column) for column in piece.columns]


def test_records_become_columns_of_text_exactly_as_sent():
    piece = piece_of([["Ann", "0012"], ["NULL", " é\n"]], [2, 3], 2, 2, {})
    assert columns(piece) == [["Ann", "NULL"], ["0012", " é\n"]] and piece.lines == [2, 3]


def test_a_record_of_another_width_is_ragged_and_blank_in_the_columns():
    piece = piece_of([["Ann", "a"], ["Ben"], ["C", "c", "x"]], [2, 3, 4], 2, 2, {})
    assert columns(piece) == [["Ann", "", ""], ["a", "", ""]]
    assert piece.ragged == {
        1: Ragged(["Ben"], "The row has 1 cell, the header has 2."),
        2: Ragged(["C", "c", "x"], "The row has 3 cells, the header has 2."),
    }


def test_a_record_that_is_unclear_is_ragged_for_the_reason_given():
    piece = piece_of([["Ann", "a"], ["Ben", "b"]], [2, 3], 2, 2, {1: "Quotes."})
    assert columns(piece) == [["Ann", ""], ["a", ""]] and piece.ragged == {1: Ragged(["Ben", "b"], "Quotes.")}


def test_no_records_are_as_many_empty_columns_as_the_header_has():
    assert columns(piece_of([], [], 3, 3, {})) == [[], [], []]


@pytest.mark.parametrize("text", ["a,b\n\nc,d\n", "a,b\nc\n", "a,b\nc,d,e\n", "\ufeffa,b\n"])
def test_the_fast_way_leaves_blank_and_ragged_lines_to_the_general_one(text):
    assert piece_of_plain_lines(text, range(2, 2 + text.count("\n")), ",", 2) is None


@given(
    st.lists(st.lists(st.text(st.sampled_from("ab 0é山😀'\\\x0b\x85\u2028\ufeff\x1a"), max_size=4), min_size=2, max_size=2), max_size=6),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.booleans(),
)  # fmt: skip
def test_the_fast_way_gives_what_the_general_one_gives(cells, end, ends_with_line):
    lines = end.join(",".join(row) for row in cells) + (end if ends_with_line and cells else "")
    read = piece_of_plain_lines(lines, range(2, 2 + len(cells)), ",", 2)
    if read is not None:
        (fast, blank), skipped = read, Skipped()
        records = [record for record in csv.reader(lines_of(lines)) if is_record(record, skipped)]
        general = piece_of(records, list(fast.lines), 2, 2, {})
        assert columns(fast) == columns(general) and not general.ragged
        assert blank == skipped.blank
