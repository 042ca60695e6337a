"""Records stay whole, cells stay in their columns, and the header is there or the refusal says where it is."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.errors import FileRefused
from include.schemas.feed import Feed
from include.schemas.words import WHITE_SPACE
from include.transforms.csv_reading.headers import Header
from include.transforms.csv_reading.records import read_records
from include.transforms.csv_reading.text import Text

FEED = Feed(name="x", title="X")
HEADER = "First Name,Email,Last Name\n"


@dataclass(frozen=True)
class Read:
    """`cells` as sent, `lines` where records start; for each record that fits no columns a sentence in `ragged`."""

    header: Header
    cells: list[list[str]]
    lines: list[int]
    ragged: dict[int, str]


def read(text: str, **keys) -> Read:
    records = read_records(Text(text.encode(), "utf-8"), FEED.model_copy(update=keys))
    whole = Read(records.header, [], [], {})
    for piece in records.pieces:
        for position, cells in enumerate(zip(*piece.columns, strict=True)):
            ragged = piece.ragged.get(position)
            whole.cells.append(ragged.cells if ragged else list(cells))
            if ragged:
                whole.ragged[len(whole.cells)] = ragged.sentence
        whole.lines.extend(piece.lines)
    return whole


def refusal(text: str, **keys) -> FileRefused:
    with pytest.raises(FileRefused) as refused:
        read(text, **keys)
    return refused.value


@given(
    st.lists(
        st.lists(st.text(st.characters(exclude_characters="\0", codec="utf-8")), min_size=3, max_size=3), max_size=5
    ),
    st.sampled_from(",;\t|"),
)
def test_what_a_csv_writer_writes_is_read_cell_by_cell(rows, delimiter):
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows(
        [["First Name", "Email", "Last Name"], *rows]
    )
    try:
        file = read(text.getvalue())
    except FileRefused as refused:
        assert "swallowed" in refused.message
        assert any(
            line.count(delimiter) >= 2 and "@" in line for row in rows for cell in row for line in cell.split("\n")
        )
    else:
        assert file.cells == [row for row in rows if any(cell.strip(WHITE_SPACE) for cell in row)]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_the_one_under_which_the_header_has_the_required_columns(delimiter):
    file = read(f"Last, first; | name{delimiter}First Name{delimiter}Email\nx{delimiter}Ann{delimiter}a@example.com\n")
    assert file.cells[0][-2:] == ["Ann", "a@example.com"]


def test_excels_line_that_names_the_delimiter_is_followed_first():
    assert read("sep=;\nFirst Name;Email\nAnn;a@example.com\n").cells == [["Ann", "a@example.com"]]


def test_a_header_below_other_lines_is_pointed_at():
    refused = refusal("Export of 2026\n\nFirst Name,Email\nAnn,a@example.com\n")
    assert refused.code == "FILE_MISSING_COLUMN" and "header seems to stand in line 3" in refused.message


@pytest.mark.parametrize(
    "text", ['First "Name,"Email"x\nAnn,a@example.com\n', '"First Name"x,"Email"\nAnn,a@example.com\n']
)
def test_a_header_whose_quotes_are_not_clear_refuses_the_file(text):
    refused = refusal(text)
    assert refused.code in ("FILE_BROKEN_QUOTING", "FILE_MISSING_COLUMN") and refused.line == 1


def test_a_file_without_records_is_one_empty_piece():
    for text in ("First Name,Email\n", '"First Name",Email\n'):
        (piece,) = read_records(Text(text.encode(), "utf-8"), FEED).pieces
        assert (len(piece.lines), len(piece.columns)) == (0, 2)


@pytest.mark.parametrize("header", ["First Name,Email\n", '"First Name",Email\n'])
def test_a_row_with_more_or_fewer_cells_fits_no_columns_and_says_so(header):
    file = read(f"{header}Ann,a@example.com\nBen\nCat,c@example.com,x\n")
    assert file.ragged == {2: "The row has 1 cell, the header has 2.", 3: "The row has 3 cells, the header has 2."}
    assert file.cells == [["Ann", "a@example.com"], ["Ben"], ["Cat", "c@example.com", "x"]]


def test_blank_cells_beyond_the_header_are_dropped_and_a_filled_one_makes_the_row_ragged():
    file = read("First Name,Email\nAnn,a@example.com,, \nBen,b@example.com\nCat,c@example.com,x\n")
    assert file.cells[:2] == [["Ann", "a@example.com"], ["Ben", "b@example.com"]] and list(file.ragged) == [3]


def test_a_column_without_a_name_at_the_end_may_have_no_cells():
    assert read("First Name,Email,\nAnn,a@example.com\n").cells == [["Ann", "a@example.com", ""]]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("ID,First Name,Email,ProjectDesk\n,A,a@x.org,,\n,B,b@x.org,p,d\n",
         "Every row has 5 cells, the header names 4 columns. Is a delimiter missing in “ProjectDesk”?"),
        ("First Name,Email,Desk\nA,a@x.org\nB,b@x.org\n", "Every row has 2 cells, the header names 3 columns."),
        ("First Name,Email\nA,a@x.org,x\nB,b@x.org,y\n", "Every row has 3 cells, the header names 2 columns."),
    ],
)  # fmt: skip
def test_where_all_rows_have_another_number_of_cells_the_header_is_what_is_wrong(text, sentence):
    refused = refusal(text)
    assert (refused.code, refused.line, refused.message) == ("FILE_HEADER_MISMATCH", 1, sentence)


def test_one_row_alone_is_ragged_rather_than_its_header_wrong():
    assert list(read("First Name,Email\nA,a@x.org,x\n").ragged) == [1]


@pytest.mark.parametrize("quote", ["", '"'])
def test_rows_at_the_end_with_text_in_the_first_cell_alone_are_named_a_footer(quote):
    file = read(f"{HEADER}{quote}Ann{quote},a@x.org,Lee\nTotal,2,\n,,\nBy PartnerTool,,\n(2 rows)\n")
    assert list(file.ragged) == [3, 4] and "footer" in file.ragged[3] and "`skip_last_lines`" in file.ragged[4]
    assert file.cells[2:] == [["By PartnerTool", "", ""], ["(2 rows)"]]


def test_a_row_in_the_middle_with_text_in_its_first_cell_alone_is_an_ordinary_row():
    assert not read(f"{HEADER}Ann,,\nBen,b@x.org,\n").ragged


@pytest.mark.parametrize("key", ["b@x.org", " 0123456789abcdef01234567 "])
def test_a_last_row_with_an_email_or_an_id_alone_is_an_ordinary_row(key):
    assert not read(f"Email,First Name,Last Name\na@x.org,Ann,\n{key},,\n").ragged


def test_a_feed_skips_the_lines_around_the_table():
    text = f"Export\n;;\n\n{HEADER}Ann,a@x.org,Lee\n\nTotal: 1\nBye\n\n"
    assert read(text, skip_first_lines=2, skip_last_lines=2).cells == [["Ann", "a@x.org", "Lee"]]
    assert refusal(text, skip_first_lines=99).code == "FILE_EMPTY"


@pytest.mark.parametrize("header", ["Frist Name;Mail", "First Name;Email"])
def test_the_refusal_names_the_line_of_the_header_also_when_its_names_are_only_near(header):
    refused = refusal(f"Contacts of Acme\n\n{header}\nAnn;a@x.org\n")
    assert "The header seems to stand in line 3" in refused.message and "`skip_first_lines`" in refused.message


def test_lines_that_are_one_quoted_cell_each_are_to_be_split_into_columns():
    refused = refusal('"First Name,Last Name,Email"\n"Ann,Lee,a@x.org"\n')
    assert refused.code == "FILE_MISSING_COLUMN" and "Each line stands in one cell: split" in refused.message


def test_a_row_whose_quotes_are_not_clear_fits_no_columns_and_says_so():
    file = read('First Name,Email\n"Ann"x,a@example.com\nBen,b@example.com\n')
    assert list(file.ragged) == [1] and "goes on after its closing quote" in file.ragged[1]


def test_another_delimiter_than_the_feeds_is_said():
    refused = refusal("First Name,Email\nAnn,a@example.com\n", delimiter=";")
    assert "This feed's delimiter is ';', and the header seems to use ','" in refused.message


def test_the_record_over_the_limit_is_named_by_its_line():
    refused = refusal(HEADER + "A,a@example.com,\n" * 12, max_records=10)
    assert (refused.code, refused.line) == ("FILE_TOO_MANY_RECORDS", 12) and "12 records" in refused.message
    assert "more than 211" in refusal(HEADER + "A,a@example.com,\n" * 1000, max_records=10).message


def test_more_columns_than_a_spreadsheet_holds_is_no_table_and_as_many_as_it_holds_are_read():
    names = ["First Name", "Email", *(f"c{n}" for n in range(16_382))]
    records = read(",".join(names) + "\nx" + "," * 16_383 + "\n")
    assert len(records.cells[0]) == 16_384
    assert len(records.header.problems) == 21 and "16,362 more columns" in records.header.problems[-1].message
    assert refusal(",".join([*names, "x"]) + "\n").code == "FILE_NOT_CSV"


def test_an_announced_number_of_records_must_be_the_number_in_the_file():
    def read_announced(number: int) -> None:
        list(read_records(Text(f"{HEADER}A,a@example.com,\n".encode(), "utf-8"), FEED, number).pieces)

    read_announced(1)
    for number, sentence in ((2, "2 records were announced, the file has 1."), (-1, "An unreadable number of records")):
        with pytest.raises(FileRefused, match=sentence) as refused:
            read_announced(number)
        assert refused.value.code == "FILE_COUNT_MISMATCH"


def test_a_report_that_a_spreadsheet_saved_with_another_delimiter_and_an_empty_column_is_read_back():
    report = (
        "First Name;Email;_row;_line;_codes;_problems;_import;_cells;\r\n"
        "'=Ann;ann@x.org;1;2;CELL_REQUIRED;blank;7;;\r\n'-Ben;ben@x.org;2;3;CELL_REQUIRED;blank;7;;;\r\n;;;;;;;;\r\n"
    )
    file = read(report)
    assert [cells[:2] for cells in file.cells] == [["=Ann", "ann@x.org"], ["-Ben", "ben@x.org"]] and not file.ragged
    assert file.header.problems == []
