"""A file read in several pieces has the outcomes, problems, lines, reports, usernames and refusals of a file read whole."""

from __future__ import annotations

import csv
import io
import os
from dataclasses import replace

import pandas as pd
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from include.adapters.files import staging
from include.errors import FileRefused
from include.schemas.feed import Feed
from include.steps.import_file import import_file
from include.steps.validate import judge_file
from include.transforms.csv_reading import records, text
from tests import inboxes
from tests.conftest import DESK, PROJECT, empty
from tests.steps.test_any_bytes import NOW, files, whole_of

AS_RELEASED = text.PIECE, records.CELLS
RELAXED = {"deadline": None, "suppress_health_check": [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]}


@pytest.fixture
def in_pieces(monkeypatch):
    """Set the size of pieces: bytes of text, cells of records. A file of two pieces is staged in storage."""

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


@settings(max_examples=int(os.environ.get("FUZZ_EXAMPLES", "60")), **RELAXED)
@given(content=st.one_of(files(), files(), st.binary(max_size=80)), encoding=ENCODINGS, sizes=SIZES,
       limit=st.sampled_from([1, 2, 60]), announced=st.sampled_from([None, None, 2]))  # fmt: skip
def test_whatever_bytes_are_judged_alike_in_pieces_of_any_size(
    tmp_path, in_pieces, content, encoding, sizes, limit, announced
):
    path = tmp_path / "x.csv"
    path.write_bytes(content)
    feed = Feed(name="x", title="X", max_records=limit, encoding=encoding)
    in_pieces(*AS_RELEASED)
    expected = judge(path, feed, announced)
    in_pieces(*sizes)
    in_many = judge(path, feed, announced)
    if isinstance(expected, tuple):
        assert in_many == expected
        return
    assert (in_many.names, in_many.cells) == (expected.names, expected.cells)
    pd.testing.assert_frame_equal(in_many.rows, expected.rows, check_column_type=False)
    pd.testing.assert_frame_equal(in_many.problems, expected.problems)


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


@settings(max_examples=int(os.environ.get("PROPERTY_EXAMPLES", "25")), **RELAXED)
@given(
    rows=ROWS, sizes=SIZES, quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    keys=st.fixed_dictionaries({
        "duplicates": st.sampled_from(["keep_last", "keep_first", "reject", "combine", "combine"]),
        "mode": st.sampled_from(["upsert", "upsert", "create_only", "update_only"]),
        "unknown_id": st.sampled_from(["create", "reject"]),
        "on_failed_rows": st.sampled_from(["import_others", "import_others", "refuse_file"]),
    }),
)  # fmt: skip
def test_a_file_in_pieces_leaves_what_a_file_read_whole_leaves(
    shared_engine, storage, in_pieces, tmp_path, rows, sizes, quoting, keys
):
    names = ("First Name", "Email", "ID", "Username", "Project", "Active", "Created", "Shoe size")
    written = io.StringIO()
    csv.writer(written, quoting=quoting).writerows([names, *rows])
    (tmp_path / "x.csv").write_text(written.getvalue(), newline="")
    feed = Feed(name="x", title="X", **keys)
    in_pieces(*AS_RELEASED)
    expected = bring(shared_engine, storage, tmp_path / "x.csv", feed)
    in_pieces(*sizes)
    assert bring(shared_engine, storage, tmp_path / "x.csv", feed) == expected


def bring(engine, storage, path, feed: Feed) -> tuple:
    """Import a file and give what is in the ledger, in the client table and in the report, without generated ids."""
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


def test_pieces_are_staged_in_storage_of_any_kind_until_the_file_is_merged(
    engine, folder_or_bucket, in_pieces, tmp_path
):
    in_pieces(200, 30)
    many = "".join(f"Ann,ann{number}@example.com\n" for number in range(100))
    (tmp_path / "x.csv").write_text(f"First Name,Email\n{many}Ann,nobody\nBen,ann7@example.com\n")
    counts = import_file(
        tmp_path / "x.csv", feed=Feed(name="x", title="X"), engine=engine, storage=folder_or_bucket
    ).counts
    assert (counts.created, counts.duplicate, counts.failed) == (100, 1, 1)
    assert not [name for name in inboxes.all_files(folder_or_bucket) if name.startswith("staging")]
