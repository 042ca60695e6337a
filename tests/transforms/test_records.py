"""Records stay whole, cells stay in their columns, and the header is found or the sentence says where it is."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.errors import FileRefused
from include.schemas.feed import Feed
from include.transforms.csv_reading.headers import Header
from include.transforms.csv_reading.records import read_records
from include.transforms.csv_reading.text import Text

FEED = Feed(name="x", title="X")
HEADER = "First Name,Email,Last Name\n"


@dataclass(frozen=True)
class Read:
    """`cells` as sent; `ragged`: numbers of the records whose cells belong to no column."""

    header: Header
    cells: list[list[str]]
    lines: list[int]
    ragged: list[int]


def read(text: str, **keys) -> Read:
    records = read_records(Text(text.encode(), "utf-8"), FEED.model_copy(update=keys))
    found = Read(records.header, [], [], [])
    for piece in records.pieces:
        for position, cells in enumerate(zip(*piece.columns, strict=True)):
            ragged = piece.ragged.get(position)
            found.cells.append(ragged.cells if ragged else list(cells))
            found.ragged.extend([len(found.cells)] if ragged else [])
        found.lines.extend(piece.lines)
    return found


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
        found = read(text.getvalue())
    except FileRefused as refused:
        assert "swallowed" in refused.message
        assert any(
            line.count(delimiter) >= 2 and "@" in line for row in rows for cell in row for line in cell.split("\n")
        )
    else:
        assert found.cells == rows


@pytest.mark.parametrize(
    ("line", "is_sound"),
    [
        ('"Ann",ann@example.com,Lee', True),
        ('Ann "Annie",ann@example.com,Lee', True),
        ('"Ann ""Annie""",ann@example.com,Lee', True),
        ('6" Ann,ann@example.com,Lee', True),
        ('"Ann"x,ann@example.com,Lee', False),
        ('"Ann" ,ann@example.com,Lee', False),
        ('"Ann"x,"ann@example.com,Lee"', False),
        ('"O\\"Neil",ann@example.com,Lee', False),
        ('"Ann\\", Lee",ann@example.com', False),
        ('=HYPERLINK("x","y")z,ann@example.com,Lee', False),
    ],
)
def test_a_row_whose_quotes_are_not_clear_fails_alone(line, is_sound):
    records = read(f"{HEADER}Ben,ben@example.com,Low\n{line}\nCat,cat@example.com,\n")
    assert len(records.cells) == 3
    assert records.ragged == ([] if is_sound else [2])


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (f'{HEADER}Ann,a@example.com,"Lee\nBen,b@example.com,Low\n', 2),
        (f'{HEADER}Ann,a@example.com,Lee\nBen,b@example.com,"Low\nCat,c@example.com,"Kay"\n', 3),
        (f'{HEADER}"Ann\n"x,a@example.com,Lee\n', 2),
        (f'{HEADER}Ann,a@example.com,"Lee\nBen,b@example.com,Low"\n', 2),
        ('First "Name,"Email"x\nAnn,a@example.com\n', 1),
        ('"First Name" ,"Email"\nAnn,a@example.com\n', 1),
        ('First Name,Email,"Notes\nAnn,a@example.com,"\nBen,b@example.com,z\n', 1),
        ('First Name,Email\n"Ann,a@example.com\nBen",b@example.com\n', 2),
        (f'{HEADER}"Ann,a@example.com,Lee\nBen",b@example.com,Low\n', 2),
        ('First Name,Last Name,Email\nAnn,"Lee,a@example.com\nBen,Low",b@example.com\n', 2),
        ('First Name,Email,Notes\n"5" pipe",ann@example.com,"see:\nEve,eve@example.com,x"\n', 2),
        (",".join(["First Name", "Email", *"cdefg"]) + '\nAnn,a@example.com,,,,,"x\nBen,,,,,,y"\n', 2),
    ],
)
def test_quotes_that_reach_over_lines_and_do_not_match_refuse_the_file(text, line):
    refused = refusal(text)
    assert refused.code in ("FILE_BROKEN_QUOTING", "FILE_MISSING_COLUMN") and refused.line == line


@pytest.mark.parametrize(
    "text",
    [
        'First Name,Email,Address\r\nAnn,ann@example.com,"1 Main St\r\nSpringfield, IL, 62701"\r\n',
        'First Name,Email\n"Ann\nLee, Jr.",ann@example.com\n',
        'First Name;Email;Notes\nAnn;a@example.com;"x\ny; z; w"\n',
    ],
)
def test_prose_of_several_lines_is_one_cell(text):
    assert len(read(text).cells) == 1


def test_lines_are_physical_ones_and_blank_lines_are_no_records():
    text = 'sep=,\r\n\r\nFirst Name,Email\r\n\r\n"Ann\r\nB",a@example.com\r\n   \r\n\rBen,b@example.com\n""\n,\n'
    records = read(text)
    assert records.lines == [5, 9, 10, 11]
    assert records.cells == [["Ann\r\nB", "a@example.com"], ["Ben", "b@example.com"], [""], ["", ""]]


@pytest.mark.parametrize("sign", ["\x0b", "\x0c", "\x1c", "\x85", "\u2028", "\u2029"])
def test_signs_that_only_some_programs_take_for_line_ends_stay_in_their_cell(sign):
    assert read(f"{HEADER}A{sign}nn,a@example.com,x\n").cells == [[f"A{sign}nn", "a@example.com", "x"]]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("Export of 2026\n\nFirst Name,Email\nAnn,a@example.com\n", "header seems to stand in line 3"),
        ("Ann,a@example.com\nBen,b@example.com\n", "The first record stands where the header should be"),
        ("Vorname;E-Mail-Adresse\nAnn;a@example.com\n", "Did you mean “E-Mail-Adresse” to be Email"),
        ("Frist Name,Mail\nAnn,a@example.com\n", "“Frist Name” to be First Name? Did you mean “Mail” to be Email"),
        ("Name\nAnn\n", "The header has: “Name”"),
    ],
)
def test_a_missing_column_is_named_with_what_could_be_meant(text, sentence):
    refused = refusal(text)
    assert refused.code == "FILE_MISSING_COLUMN" and sentence.replace("?", "") in refused.message.replace("?", "")


def test_another_delimiter_than_the_feeds_is_said():
    refused = refusal("First Name,Email\nAnn,a@example.com\n", delimiter=";")
    assert "This feed's delimiter is ';', and the header seems to use ','" in refused.message


def test_the_record_over_the_limit_is_named_by_its_line():
    refused = refusal(HEADER + "A,a@example.com,\n" * 12, max_records=10)
    assert (refused.code, refused.line) == ("FILE_TOO_MANY_RECORDS", 12) and "12 records" in refused.message
    assert "more than 211" in refusal(HEADER + "A,a@example.com,\n" * 1000, max_records=10).message


def test_more_columns_than_a_spreadsheet_holds_is_no_table_and_as_many_as_it_holds_are_read():
    names = ["First Name", "Email", *(f"c{n}" for n in range(16_382))]
    records = read(",".join(names) + "\n" + "," * 16_383 + "\n")
    assert len(records.cells[0]) == 16_384
    assert len(records.header.problems) == 21 and "16,362 more columns" in records.header.problems[-1].message
    assert refusal(",".join([*names, "x"]) + "\n").code == "FILE_NOT_CSV"


def test_an_unknown_column_that_is_nearly_a_known_one_is_said():
    (problem,) = read("First Name,Email,Usrname\n").header.problems
    assert problem.message == "The column “Usrname” is not known and was ignored. Did you mean Username?"
