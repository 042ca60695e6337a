"""The frame of cells as sent loses nothing: every cell of every row can be written again."""

from __future__ import annotations

import json

import pandas as pd

from include.transforms.csv_reading.headers import read_header
from include.transforms.csv_reading.pieces import piece_of
from include.transforms.csv_reading.sent_rows import cells_as_sent, sent_frame

HEADER = read_header(["Email", "Shoe size", "First Name"], {}, 1)
RECORDS = [["a@example.com", "40", " Zoë\n"], ["Ben", "b"], ["c@example.com", "NULL", ""]]


def test_columns_are_named_by_their_field_or_their_position_and_rows_by_their_number():
    sent, ragged = sent_frame(piece_of(RECORDS, [2, 4, 5], 3, 3, {}), HEADER, 11)
    assert list(sent) == ["line", "email", "1", "first_name", "ragged"] and list(sent.index) == [11, 12, 13]
    assert sent["line"].tolist() == [2, 4, 5] and sent["first_name"].tolist() == [" Zoë\n", "", ""]
    assert ragged.to_dict() == {12: "The row has 2 cells, the header has 3."}


def test_the_cells_of_any_row_are_given_as_they_were_sent():
    sent, _ = sent_frame(piece_of(RECORDS, [2, 4, 5], 3, 3, {}), HEADER, 1)
    cells = {row: json.loads(written) for row, written in cells_as_sent(sent, sent.index).items()}
    assert cells == dict(enumerate(RECORDS, 1))
    assert cells_as_sent(sent, pd.Index([], name="row")) == {}
