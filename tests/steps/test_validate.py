"""Reading and judging a file: Pandera judges every piece of it, and a broken check is a system error."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from include.adapters.database import ledger
from include.adapters.files.staging import StagingMemory
from include.codes import Code
from include.errors import CheckBroken, FileRefused
from include.models import RunRequest, State
from include.schemas import cell_rules
from include.schemas.client_rows import FIELDS, ClientRows
from include.schemas.feed import Feed
from include.steps.context import ImportContext
from include.steps.receive import receive_copy
from include.steps.validate import judge_file, validate
from include.transforms.csv_reading import records, text
from tests.conftest import LONDON
from tests.frames import NOW, reasons


@pytest.fixture
def judged_frames(monkeypatch) -> list:
    """The frames that Pandera judges from here on."""
    frames, original = [], ClientRows.validate

    def validate(frame, **how):
        frames.append(frame)
        return original(frame, **how)

    monkeypatch.setattr(ClientRows, "validate", validate)
    return frames


@pytest.fixture
def receive_text(engine, storage, feed, tmp_path):
    """Receive text as one file; gives the context and the id of the import."""

    def receive(content: str, **keys: object) -> tuple[ImportContext, str]:
        (tmp_path / "x.csv").write_text(content)
        context = ImportContext(feed.model_copy(update=keys), engine, storage, StagingMemory(storage.root))
        return context, receive_copy(context, tmp_path / "x.csv", RunRequest()).id

    return receive


def judge(tmp_path, content: str, **keys: object):
    path = tmp_path / "x.csv"
    path.write_text(content)
    return list(judge_file(path.name, path, Feed(name="x", title="X", **keys), NOW).pieces)


# Every row is judged by the model.


def test_pandera_judges_each_piece_of_a_clean_file_in_all_columns(tmp_path, monkeypatch, judged_frames):
    monkeypatch.setattr(text, "PIECE", 100)
    monkeypatch.setattr(records, "CELLS", 20)
    rows = "".join(f"Ann,ann{number}@example.com\n" for number in range(100))
    pieces = judge(tmp_path, f"First Name,Email\n{rows}")
    assert len(pieces) > 5 and len(judged_frames) == len(pieces)
    assert all(list(frame) == list(FIELDS) for frame in judged_frames)
    assert [row for frame in judged_frames for row in frame.index] == list(range(1, 101))
    assert all(piece.problems.empty for piece in pieces)


def test_pandera_judges_a_clean_import(bring, judged_frames):
    assert bring("First Name,Email\nAnn,ann@example.com\nBen,ben@example.com\n").counts.created == 2
    (frame,) = judged_frames
    assert frame["email"].tolist() == ["ann@example.com", "ben@example.com"]


def test_an_exception_inside_a_check_is_a_system_error_and_no_row_is_blamed(bring, engine, clients, monkeypatch):
    def breaks(_text):
        raise ZeroDivisionError

    with monkeypatch.context() as broken:
        broken.setattr(cell_rules, "is_executable", breaks)
        with pytest.raises(CheckBroken, match="ZeroDivisionError"):
            bring("First Name,Email\nAnn,ann@example.com\n", file_name="x.csv")
    with engine.connect() as connection:
        assert connection.execute(sa.text("SELECT state, code, message FROM imports")).all() == [
            ("failed", None, "The checks of first_name could not judge the rows: ZeroDivisionError.")
        ]
        assert connection.scalar(sa.text("SELECT count(*) FROM import_rows")) == 0
    assert clients() == {}


# What is left for the next step.


def test_a_piece_has_the_cells_as_sent_and_as_cleaned_and_the_problems(tmp_path):
    (piece,) = judge(
        tmp_path, "First Name,Email,Desk,Shoe size\n Zoë ,nobody,London,42\nBen\n", values={"desk": {"LONDON ": LONDON}}
    )
    assert piece.sent.loc[1, ["first_name", "email", "desk", "3"]].tolist() == [" Zoë ", "nobody", "London", "42"]
    assert piece.rows.loc[1, ["first_name", "email", "desk", "active"]].tolist() == ["Zoë", "nobody", LONDON, ""]
    assert reasons(piece.problems) == [(1, "email", "CELL_FORMAT"), (2, "", "ROW_RAGGED")]


def test_an_import_becomes_validated_and_the_ledger_notes_what_the_file_is(receive_text):
    context, import_id = receive_text("First Name;Email;Shoe size\nAnn;ann@example.com;42\nBen;nobody;41\n")
    validate(context, import_id)
    entry = ledger.find(context.engine, import_id)
    assert (entry.state, entry.counts.read, entry.delimiter) == (State.VALIDATED, 2, ";")
    assert entry.header == ["First Name", "Email", "Shoe size"]
    assert [problem["code"] for problem in entry.file_problems] == [Code.COLUMN_UNKNOWN]


def test_validating_again_reads_nothing_again(receive_text, judged_frames):
    context, import_id = receive_text("First Name,Email\nAnn,ann@example.com\n")
    validate(context, import_id)
    validate(context, import_id)
    assert len(judged_frames) == 1


def test_a_refused_file_is_refused_again_with_the_same_sentence(receive_text):
    context, import_id = receive_text("First Name\nAnn\n")
    with pytest.raises(FileRefused) as first:
        validate(context, import_id)
    with pytest.raises(FileRefused) as second:
        validate(context, import_id)
    assert ledger.find(context.engine, import_id).state == State.REFUSED
    assert (first.value.code, first.value.message) == (second.value.code, second.value.message)
    assert first.value.code == Code.FILE_MISSING_COLUMN


def test_a_file_that_is_refused_at_its_end_leaves_no_rows(receive_text):
    context, import_id = receive_text("First Name,Email\n" + "Ann,ann@example.com\n" * 3, max_records=2)
    with pytest.raises(FileRefused, match="at most 2"):
        validate(context, import_id)
    assert ledger.find(context.engine, import_id).counts.read == 0


def test_no_file_at_all_is_a_system_error(tmp_path, feed):
    with pytest.raises(FileNotFoundError):
        judge_file("x.csv", tmp_path / "x.csv", feed, NOW)


def test_a_link_is_refused_because_of_its_name_and_never_followed(tmp_path, feed):
    (tmp_path / "x.csv").symlink_to("/etc/passwd")
    with pytest.raises(FileRefused, match="is a link") as refused:
        judge_file("x.csv", tmp_path / "x.csv", feed, NOW)
    assert refused.value.code == Code.FILE_NAME


# How far it is.


class Clock:
    """A clock that goes on by a second whenever it is looked at."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self):
        self.now += timedelta(seconds=1)
        return self.now


@pytest.mark.parametrize(("end", "state", "read"), [("", State.VALIDATED, 30), ('"x\n', State.REFUSED, 0)], ids=str)
def test_the_ledger_says_how_many_records_of_a_large_file_are_checked_so_far(
    receive_text, monkeypatch, judged_frames, engine, end, state, read
):  # fmt: skip
    monkeypatch.setattr(text, "PIECE", 100)
    monkeypatch.setattr(records, "CELLS", 20)
    lines = "".join(f"Ann,a{n}@example.com\n" for n in range(30))
    context, import_id = receive_text(f"First Name,Email\n{lines}{end}")
    seen, save = [], context.staging.save

    def save_and_look(staged, names, frames):
        save(staged, names, ((seen.append(ledger.find(engine, import_id).checked), frame)[1] for frame in frames))

    monkeypatch.setattr(context.staging, "save", save_and_look)
    with suppress(FileRefused):
        validate(replace(context, clock=Clock()), import_id)
    entry = ledger.find(engine, import_id)
    assert (entry.state, entry.read) == (state, read) and len(seen) > 1 and seen == sorted(set(seen)) and seen[0] > 0


def test_a_small_file_is_not_noted_on_its_way(receive_text, engine):
    context, import_id = receive_text("First Name,Email\nAnn,ann@example.com\n")
    validate(context, import_id)
    assert ledger.find(engine, import_id).checked == 0
