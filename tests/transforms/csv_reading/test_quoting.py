"""Quotes that do not match hurt one row, or it is unknown where records end and the file is refused."""

from __future__ import annotations

import pytest

from include.errors import FileRefused
from include.transforms.csv_reading.csv_source import begin
from include.transforms.csv_reading.quoting import ends_in_an_escape
from include.transforms.csv_reading.text import Text

HEADER = "First Name,Email,Last Name\n"


def records(text: str, delimiter: str = ",") -> list[tuple[int, list[str], bool]]:
    return list(begin(Text(text.encode(), "utf-8")).records(delimiter))


@pytest.mark.parametrize(
    ("line", "is_clear"),
    [
        ('"Ann",ann@example.com,Lee', True),
        ('Ann "Annie",ann@example.com,Lee', True),
        ('"Ann ""Annie""",ann@example.com,Lee', True),
        ('6" Ann,ann@example.com,Lee', True),
        ('"Ann"x,ann@example.com,Lee', False),
        ('"Ann" ,ann@example.com,Lee', True),
        ('"Ann" x,ann@example.com,Lee', False),
        ('"Ann"x,"ann@example.com,Lee"', False),
        ('"O\\"Neil",ann@example.com,Lee', False),
        ('"Ann\\", Lee",ann@example.com', False),
        ('=HYPERLINK("x","y")z,ann@example.com,Lee', False),
    ],
)
def test_a_row_whose_quotes_are_not_clear_is_marked_alone(line, is_clear):
    clear = [clear for _, _, clear in records(f"{HEADER}Ben,ben@example.com,Low\n{line}\nCat,cat@example.com,\n")]
    assert clear == [True, True, is_clear, True]


@pytest.mark.parametrize(
    ("line", "cells"),
    [
        ('Bo, "Ek", x@y', ["Bo", "Ek", " x@y"]),
        ('  "Bo"  , "Ek, ""Jr."""  ,x@y', ["Bo", 'Ek, "Jr."', "x@y"]),
        ('"Bo" ,"" , "x@y"', ["Bo", "", "x@y"]),
        (' "Bo" Ek, "", x@y', [' "Bo" Ek', "", " x@y"]),
        ('Bo, "Ek, x@y', ["Bo", ' "Ek', " x@y"]),
        ('" ""Bo""", x, "y"', [' "Bo"', " x", "y"]),
    ],
)
def test_a_cell_is_quoted_when_it_begins_and_ends_with_a_quote_without_the_spaces_around_it(line, cells):
    read = records(f"{HEADER}{line}\nCat,c@example.com,\n")
    assert read[1] == (2, cells, True) and len(read) == 3


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (f'{HEADER}Ann,a@example.com,"Lee\nBen,b@example.com,Low\n', 2),
        (f'{HEADER}Ann,a@example.com,Lee\nBen,b@example.com,"Low\nCat,c@example.com,"Kay"\n', 3),
        (f'{HEADER}"Ann\n"x,a@example.com,Lee\n', 2),
        (f'{HEADER}Ann,a@example.com,"Lee\nBen,b@example.com,Low"\n', 2),
        ('First Name,Email,"Notes\nAnn,a@example.com,"\nBen,b@example.com,z\n', 1),
        ('First Name,Email\n"Ann,a@example.com\nBen",b@example.com\n', 2),
        (f'{HEADER}"Ann,a@example.com,Lee\nBen",b@example.com,Low\n', 2),
        ('First Name,Last Name,Email\nAnn,"Lee,a@example.com\nBen,Low",b@example.com\n', 2),
        ('First Name,Email,Notes\n"5" pipe",ann@example.com,"see:\nEve,eve@example.com,x"\n', 2),
        (",".join(["First Name", "Email", *"cdefg"]) + '\nAnn,a@example.com,,,,,"x\nBen,,,,,,y"\n', 2),
    ],
)
def test_quotes_that_reach_over_lines_and_do_not_match_refuse_the_file(text, line):
    with pytest.raises(FileRefused) as refused:
        records(text)
    assert (refused.value.code, refused.value.line) == ("FILE_BROKEN_QUOTING", line)


@pytest.mark.parametrize(
    ("text", "delimiter"),
    [
        ('First Name,Email,Address\r\nAnn,ann@example.com,"1 Main St\r\nSpringfield, IL, 62701"\r\n', ","),
        ('First Name,Email\n"Ann\nLee, Jr.",ann@example.com\n', ","),
        ('First Name;Email;Notes\nAnn;a@example.com;"x\ny; z; w"\n', ";"),
    ],
)
def test_prose_of_several_lines_is_one_cell(text, delimiter):
    assert len(records(text, delimiter)) == 2


@pytest.mark.parametrize(
    ("cells", "answer"),
    [(["Ann\\", ' Lee"'], True), (["Ann\\", "Lee"], False), (["Ann", ' Lee"'], False), (["Ann\\", '""'], False)],
)
def test_a_backslash_before_the_delimiter_may_have_meant_a_quote(cells, answer):
    assert ends_in_an_escape(cells) is answer
