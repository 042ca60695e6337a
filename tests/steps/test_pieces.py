"""A file of several pieces is the same file: outcomes, problems, lines, reports, usernames and refusals are those of one."""

from __future__ import annotations

import csv
import io
from dataclasses import replace

import pandas as pd
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from include.adapters.files import staging
from include.adapters.files.staging import StagingMemory
from include.errors import FileRefused
from include.schemas.feed import Feed
from include.steps.import_file import import_file
from include.steps.validate import judge_file
from include.transforms.csv_reading import records, text
from include.transforms.csv_reading.text import Text, lines_of
from tests import inboxes
from tests.conftest import DESK, PROJECT, empty
from tests.steps.test_any_bytes import NOW, files, whole_of

WHOLE = text.PIECE, records.CELLS
PATIENT = {"deadline": None, "suppress_health_check": [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]}


@pytest.fixture
def in_pieces(monkeypatch):
    """Give the size of pieces: bytes of text, cells of records. A file of two pieces lies in storage."""

    def _in_pieces(size: int, cells: int) -> None:
        monkeypatch.setattr(text, "PIECE", size)
        monkeypatch.setattr(records, "CELLS", cells)
        monkeypatch.setattr(staging, "_IN_MEMORY", 1)

    return _in_pieces


SIZES = st.tuples(st.integers(1, 60), st.integers(1, 12))
ENCODINGS = st.sampled_from([None, None, None, "utf-8", "cp1252", "shift_jis", "utf-16", "utf-16-le", "utf-7"])


def judge(path, feed: Feed, announced: int | None):
    try:
        return whole_of(judge_file(path.name, path, feed, NOW, announced))
    except FileRefused as refused:
        return refused.code, refused.message, refused.line


@settings(max_examples=600, **PATIENT)
@given(content=st.one_of(files(), files(), st.binary(max_size=80)), encoding=ENCODINGS, sizes=SIZES,
       limit=st.sampled_from([1, 2, 60]), announced=st.sampled_from([None, None, 2]))  # fmt: skip
def test_whatever_bytes_are_judged_alike_in_pieces_of_any_size(
    tmp_path, in_pieces, content, encoding, sizes, limit, announced
):
    path = tmp_path / "x.csv"
    path.write_bytes(content)
    feed = Feed(name="x", title="X", max_records=limit, encoding=encoding)
    in_pieces(*WHOLE)
    expected = judge(path, feed, announced)
    in_pieces(*sizes)
    found = judge(path, feed, announced)
    if isinstance(expected, tuple):
        assert found == expected
        return
    assert (found.names, found.cells) == (expected.names, expected.cells)
    pd.testing.assert_frame_equal(found.rows, expected.rows, check_column_type=False)
    pd.testing.assert_frame_equal(found.problems, expected.problems)


@given(
    written=st.text(st.sampled_from('ab,"é山😀\n\r\ufeff\u2028'), max_size=60),
    codec=st.sampled_from(["utf-8", "utf-16", "utf-16-le", "utf-32", "utf-7", "gb18030"]),
    size=st.integers(1, 12),
)
@settings(**PATIENT)
def test_text_comes_in_whole_lines_however_small_the_pieces_are(in_pieces, written, codec, size):
    in_pieces(size, 1)
    found = Text(written.encode(codec), codec)
    pieces = list(found.pieces())
    assert "".join(pieces) == written.lstrip("\ufeff")
    assert list(found.lines()) == list(io.StringIO("".join(pieces), newline=""))
    assert all(piece.endswith(("\n", "\r")) for piece in pieces[:-1])
    assert not any(a.endswith("\r") and b.startswith("\n") for a, b in zip(pieces, pieces[1:], strict=False))


def test_the_lines_of_a_long_text_are_those_of_a_short_one():
    long = ("a" * 9_000 + "\r\n" + "b\r") * 5 + "c" * 70_000 + "\n" + "d"
    assert list(lines_of(long)) == list(io.StringIO(long, newline=""))


EMAILS = st.sampled_from(
    ["ann@example.com", "Ann@example.com", "ann@example.org", "a-n-n@x.example.com", "zoë@example.com", "nobody"]
)
IDS = [f"{number:024x}" for number in range(1, 4)]
ROWS = st.lists(
    st.tuples(
        st.sampled_from(["Ann", "=1", "", "Zoë", "a\nb", 'O"Neil', "A, B"]), EMAILS,
        st.sampled_from(["", "", "", *IDS]), st.sampled_from(["", "", "", "ann", "ann2", "benny"]),
        st.sampled_from(["", "", PROJECT, "Berlin", "default"]), st.sampled_from(["", "yes", "maybe"]),
        st.sampled_from(["", "2024-01-01", "2024-01-01T10:00:00Z", "soon"]), st.sampled_from(["", "note", "x\r\ny"]),
    ) | st.sampled_from([("Ann", "ann@example.com"), (" ",), ()]),
    max_size=9,
)  # fmt: skip


@settings(max_examples=60, **PATIENT)
@given(
    rows=ROWS, sizes=SIZES, quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    keys=st.fixed_dictionaries({
        "duplicates": st.sampled_from(["keep_last", "keep_first", "reject"]),
        "mode": st.sampled_from(["upsert", "upsert", "create_only", "update_only"]),
        "unknown_id": st.sampled_from(["create", "reject"]),
        "on_failed_rows": st.sampled_from(["import_others", "import_others", "refuse_file"]),
    }),
)  # fmt: skip
def test_a_file_in_pieces_does_and_says_what_it_does_and_says_whole(
    shared_engine, storage, in_pieces, tmp_path, rows, sizes, quoting, keys
):
    names = ("First Name", "Email", "ID", "Username", "Project", "Active", "Created", "Shoe size")
    written = io.StringIO()
    csv.writer(written, quoting=quoting).writerows([names, *rows])
    (tmp_path / "x.csv").write_text(written.getvalue(), newline="")
    feed = Feed(name="x", title="X", **keys)
    in_pieces(*WHOLE)
    expected = bring(shared_engine, storage, tmp_path / "x.csv", feed)
    in_pieces(*sizes)
    assert bring(shared_engine, storage, tmp_path / "x.csv", feed) == expected


def bring(engine, storage, path, feed: Feed) -> tuple:
    """What is left in the ledger, in the client table and in the report, but for ids that are made up."""
    empty(engine)
    with engine.begin() as connection:
        connection.execute(
            sa.text("""INSERT INTO clients (id, email, email_key, username, first_name, project, desk) VALUES
            (:a, 'ann@example.com', 'ann@example.com', 'ann', 'Ann', :project, :desk),
            (:b, 'ben@example.com', 'ben@example.com', 'benny', 'Ben', :project, :desk)"""),
            {"a": IDS[0], "b": IDS[1], "project": PROJECT, "desk": DESK},
        )
    result = import_file(path, feed=feed, engine=engine, storage=storage)
    report = storage.read(result.report).decode().replace(result.import_id, "") if result.report else None
    with engine.connect() as connection:
        rows = connection.execute(
            sa.text("""
            SELECT row, line, outcome, coalesce(email_key, '') AS client, problems, cells FROM import_rows
            LEFT JOIN clients ON id = client_id ORDER BY row""")
        ).all()
        clients = connection.execute(
            sa.text("""
            SELECT first_name, email, email_key, username, project, desk, active, type,
                   CASE WHEN created < now() - interval '1 day' THEN created END FROM clients ORDER BY email_key""")
        ).all()
    without_ids = replace(result, import_id=None, report=None)
    return without_ids, report, [tuple(row) for row in rows], [tuple(client) for client in clients]


def test_pieces_lie_in_storage_of_any_kind_until_the_file_is_merged(engine, folder_or_bucket, in_pieces, tmp_path):
    in_pieces(200, 30)
    many = "".join(f"Ann,ann{number}@example.com\n" for number in range(100))
    (tmp_path / "x.csv").write_text(f"First Name,Email\n{many}Ann,nobody\nBen,ann7@example.com\n")
    counts = import_file(
        tmp_path / "x.csv", feed=Feed(name="x", title="X"), engine=engine, storage=folder_or_bucket
    ).counts
    assert (counts.created, counts.duplicate, counts.failed) == (100, 1, 1)
    assert not [name for name in inboxes.all_files(folder_or_bucket) if name.startswith("staging")]


def test_a_refusal_in_a_late_piece_leaves_nothing_for_prepare(tmp_path, in_pieces):
    in_pieces(40, 4)
    memory = StagingMemory(tmp_path)
    (tmp_path / "staging" / "1").mkdir(parents=True)

    def pieces():
        yield (pd.DataFrame({"a": ["1"]}),)
        yield (pd.DataFrame({"a": ["2"]}),)
        raise FileRefused("FILE_BROKEN_QUOTING", "late")

    with pytest.raises(FileRefused):
        memory.save("1", ("rows",), pieces())
    assert list((tmp_path / "staging" / "1").iterdir()) == []
    with pytest.raises(FileNotFoundError):
        list(memory.load("1", "rows"))
