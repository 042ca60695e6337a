"""Whatever bytes arrive: every record is accounted for, no text is altered, and nothing crashes.

`make fuzz` runs the first test for five minutes; tests/data/once_failed/ keeps inputs that failed before.
"""

from __future__ import annotations

import json
import os
import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from include.codes import Code
from include.errors import FileRefused
from include.schemas.feed import Feed
from include.steps.validate import Judged, judge_file
from include.transforms.csv_reading.sent_rows import cells_as_sent
from include.transforms.validation.problems import join_problems, rows_with_errors
from tests.steps import reference_reader

NOW = datetime(2026, 1, 1, tzinfo=UTC)
FEED = Feed(name="x", title="X", max_records=60)
ONCE_FAILED = sorted((Path(__file__).parent.parent / "data" / "once_failed").glob("*.csv"))

NAUGHTY = st.sampled_from(
    ["", " ", "Ann", "ann@example.com", "b@example.org", "=1+1", "\t=cmd", "NULL", "0012", "1E5", "Zoe\u0308", "Å",
     "<script>", "a\nb", "a\r\nb,c,d", 'say "hi"', '"', '""', "'", "\\", '\\"', "\ufeff", "\u200b", "\u202e",
     "\x1b[31m", "\x00", "\ufffd", "名前", "😀", "true", "maybe", "personal", "2024-02-30", "2024-01-01", "default",
     "#N/A", "\u00a0Ann\u3000", "\x0bAnn", "\x85", "\u2028", "x" * 101, "user@münchen.example", "sep=;", "First Name",
     "Email"]
)  # fmt: skip
CELLS = st.one_of(NAUGHTY, NAUGHTY, st.text(max_size=6))
GOOD = {
    "First Name": ["Ann", "Zoë", "O'Neil", "0012", 'A "B" C', "a, b", "a\nb", "Ann\u3000"],
    "Email": ["ann@example.com", "b@example.org", "Ben@Example.org ", "user@münchen.example"],
    "Active": ["yes", "0", ""],
    "Type": ["BUSINESS", ""],
    "Created": ["2024-01-01", ""],
}
NAMES = ["Last Name", "ID", "Active", "Type", "Created", "Username", "Project", "_row", "Shoe size", "Notes"]
ANY_NAME = st.sampled_from([*NAMES, "First Name", "Email", "firstName", "E-mail", "", "first name ", "Name"])
QUOTINGS = st.sampled_from(["never", "always", *["right"] * 12, "wrong"])
DELIMITERS = st.sampled_from([",", ",", ";", "\t", "|"])


def _written(cell: str, quoting: str, delimiter: str) -> str:
    needs = any(c in cell for c in ('"', "\n", "\r", delimiter))
    if quoting == "always" or (quoting == "right" and needs):
        return '"' + cell.replace('"', '""') + '"'
    return f'"{cell}"x' if quoting == "wrong" else cell


@st.composite
def files(draw) -> bytes:
    """Make a file that is nearly a client file, with damage."""
    delimiter, end = draw(DELIMITERS), draw(st.sampled_from(["\n", "\n", "\r\n", "\r"]))
    header = draw(
        st.permutations(["First Name", "Email", *draw(st.lists(st.sampled_from(NAMES), max_size=4, unique=True))])
    )
    if draw(st.integers(0, 19)) == 0:
        header = draw(st.lists(ANY_NAME, min_size=1, max_size=5))
    lines = [delimiter.join(header)]
    for _ in range(draw(st.integers(0, 6))):
        cells = [
            draw(st.sampled_from(GOOD.get(name, [""])) if draw(st.integers(0, 7)) else CELLS)
            for name in header + ["more"] * draw(st.sampled_from([0] * 12 + [1]))
        ][draw(st.sampled_from([0] * 12 + [1])) :]
        lines.append(delimiter.join(_written(cell, draw(QUOTINGS), delimiter) for cell in cells))
    text = draw(st.sampled_from([*[""] * 8, "\ufeff", "sep=;\n", "\n", "Export\n\n"])) + end.join(lines)
    text += draw(st.sampled_from(["", end, end, end * 3, '"']))
    others = ["utf-16", "utf-16", "utf-16-le", "cp1252", "utf-7", "iso2022_jp", "hz", "utf-32"]
    codec = draw(st.sampled_from(["utf-8"] * 24 + others))
    content = text.encode(codec, "replace" if codec not in ("utf-8", "utf-16") else "surrogatepass")
    for _ in range(draw(st.sampled_from([0] * 8 + [1, 2]))):
        at = draw(st.integers(0, len(content)))
        content = content[:at] + draw(st.binary(max_size=4)) + content[at + draw(st.integers(0, 3)) :]
    return content


@dataclass(frozen=True)
class Whole:
    """A judged file, its pieces put together."""

    names: list[str]
    positions: dict[str, int]
    rows: pd.DataFrame
    problems: pd.DataFrame
    cells: dict[int, list[str]]


def judge(content: bytes, folder: Path) -> Whole:
    path = folder / "x.csv"
    path.write_bytes(content)
    return whole_of(judge_file(path.name, path, FEED, NOW))


def whole_of(judged: Judged) -> Whole:
    pieces = list(judged.pieces)
    cells = {row: json.loads(sent) for p in pieces for row, sent in cells_as_sent(p.sent, p.sent.index).items()}
    rows = pd.concat([piece.rows for piece in pieces])
    problems = join_problems(*(piece.problems for piece in pieces))
    return Whole(judged.header.names, judged.header.positions, rows, problems, cells)


def is_unseen(character: str) -> bool:
    fillers = "\t\n\r\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0" + "".join(map(chr, range(0xFE00, 0xFE10)))
    return character in fillers or unicodedata.category(character) in ("Zs", "Zl", "Zp", "Cf")


def of_width(cells: list[str], names: list[str]) -> list[str]:
    """Blank cells beyond the header go; those of columns without a name at its end may be missing."""
    if not any(cell.strip(reference_reader.WHITE_SPACE) for cell in cells[len(names) :]):
        cells = cells[: len(names)]
    unnamed = not any(name.strip() for name in names[len(cells) :])
    return cells + [""] * (len(names) - len(cells)) if unnamed else cells


def check_invariants(content: bytes, folder: Path) -> None:
    try:
        judged = judge(content, folder)
    except FileRefused as refused:
        assert refused.code in set(Code) and refused.message.strip() and "\n" not in refused.message
        assert refused.line is None or 1 <= refused.line <= content.count(b"\n") + content.count(b"\r") + 1
        return
    text = content.decode("utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig").lstrip("\ufeff")
    hint = text.lstrip("\ufeff").lower().startswith(("sep=", '"sep='))
    names = judged.names
    expected = next(
        read[1 + hint :]
        for delimiter in (*(text.split("=")[1][:1] if hint else ""), ",", ";", "\t", "|")
        if (read := reference_reader.read(text, delimiter)) != reference_reader.BROKEN and read[hint][1] == names
    )
    assert len(judged.rows) == len(expected)
    failed = set(rows_with_errors(judged.problems))
    assert set(judged.problems["code"]) <= set(Code) and all(judged.problems["message"].str.strip())
    for row, (line, cells) in enumerate(expected, 1):
        assert judged.rows.at[row, "line"] == line
        if cells is not reference_reader.UNCLEAR:
            cells = of_width(cells, names)
        if cells is reference_reader.UNCLEAR or len(cells) != len(names):
            assert row in failed
            continue
        assert judged.cells[row] == cells
        for field, position in judged.positions.items():
            cell = cells[position]
            if row not in failed:
                text = unicodedata.normalize("NFC", cell.strip(reference_reader.WHITE_SPACE))
                assert judged.rows.at[row, field] == ("" if all(map(is_unseen, text)) else text)
                assert "\ufffd" not in cell or field in ("project", "desk")


@settings(
    max_examples=int(os.environ.get("FUZZ_EXAMPLES", "100")),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    deadline=None,
)
@given(content=st.one_of(files(), files(), files(), st.binary(max_size=80)))
def test_any_bytes_are_refused_with_a_sentence_or_every_record_is_accounted_for(tmp_path, content):
    check_invariants(content, tmp_path)


@pytest.mark.parametrize("path", ONCE_FAILED, ids=lambda path: path.name)
def test_inputs_that_once_failed_do_not_fail_again(tmp_path, path):
    check_invariants(path.read_bytes(), tmp_path)


@settings(
    max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None
)
@given(content=files())
def test_imported_and_reported_rows_are_the_records_of_the_file(bring, engine, content):
    result = bring(content, max_records=60, force=True)
    assert result.state in ("merged", "refused")
    assert result.counts.add_up() if result.state == "merged" else result.counts.imported == 0
    assert len({p.row for p in result.problems if p.severity == "error"} - {0}) == result.counts.failed
