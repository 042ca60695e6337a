"""Files and folders that the importer's account may not read or write: sentences say so, and other files go on."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg.types.json  # noqa: F401 - an account without rights cannot load what tests load for the first time
import pyarrow.ipc  # noqa: F401
import pytest

from include.adapters.database import ledger
from include.adapters.files.storage import Storage
from include.errors import StepFailed, StorageMissing
from include.models import RunRequest
from include.steps.context import ImportContext
from include.steps.import_file import import_file
from include.steps.merge import merge_all
from include.steps.outcome import not_done
from include.steps.prepare import prepare
from include.steps.receive import receive, something_to_do
from include.steps.validate import validate

pytestmark = pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="only root can become another account")
NOBODY = 65534
TEXT = "First Name,Email\nAnn,ann@example.com\n"


def run(number: int) -> RunRequest:
    return RunRequest("test", dag_id="import_clients__default", run_id=f"run-{number}")


@pytest.fixture
def inbox(storage) -> Path:
    """The inbox of the feed, in a storage that belongs to nobody."""
    folder = storage.inbox("default")
    folder.mkdir(parents=True)
    for path in (storage.root, folder.parent, folder):
        os.chown(path, NOBODY, NOBODY)
    return folder


@pytest.fixture
def context(feed, engine, storage, inbox) -> ImportContext:
    return ImportContext.of(feed, engine, storage)


def put(path: Path, text: str = TEXT, owner: int = NOBODY) -> Path:
    path.write_text(text)
    path.chmod(0o600)
    os.chown(path, owner, owner)
    return path


@pytest.fixture
def as_nobody(tmp_path, engine) -> Callable[..., Any]:
    """Do something with the rights of an account that is nobody's, but may reach the database server's socket."""
    server = Path(str(engine.url.query["host"]))
    for path in (tmp_path, *tmp_path.parents[:-2], server):
        path.chmod(path.stat().st_mode | 0o011)
    (server / ".s.PGSQL.5432").chmod(0o777)

    def _as_nobody(action: Callable[[], object]) -> object:
        os.seteuid(NOBODY)
        try:
            return action()
        finally:
            os.seteuid(0)

    return _as_nobody


def take_in(context: ImportContext, request: RunRequest) -> None:
    for entry in receive(context, request):
        validate(context, entry.id)
        prepare(context, entry.id)
    merge_all(context, request)


def test_a_file_that_may_not_be_read_stays_in_the_inbox_until_it_may_and_the_others_are_imported(
    context, inbox, as_nobody, clients
):
    file = put(inbox / "a.csv", owner=0)
    put(inbox / "b.csv", "First Name,Email\nBen,ben@example.com\n")
    as_nobody(lambda: take_in(context, run(1)))
    (sentence,) = not_done(context, run(1))
    assert sentence.startswith("'a.csv': failed (The account that runs the importer may not read this file.")
    assert list(clients()) == ["ben@example.com"] and file.is_file()

    ledger.change(context.engine, ledger.of_run(context.engine, run(1).dag_id, "run-1")[1].id, notified_state="merged")
    file.chmod(0o644)
    assert as_nobody(lambda: something_to_do(context, run(2)))
    as_nobody(lambda: take_in(context, run(2)))
    assert not_done(context, run(2)) == [] and sorted(clients()) == ["ann@example.com", "ben@example.com"]


def test_files_of_an_inbox_that_may_not_be_written_to_are_imported_once_it_may(context, inbox, as_nobody, clients):
    put(inbox / "a.csv")
    os.chown(inbox, 0, 0)
    inbox.chmod(0o755)
    with pytest.raises(ExceptionGroup) as error:
        as_nobody(lambda: receive(context, run(1)))
    assert str(error.value.exceptions[0]).startswith("receive failed: Permission denied in inbox")
    os.chown(inbox, NOBODY, NOBODY)
    assert as_nobody(lambda: something_to_do(context, run(2)))
    as_nobody(lambda: take_in(context, run(2)))
    assert len(clients()) == 1 and not_done(context, run(2)) == []


def test_an_inbox_that_may_not_be_listed_is_not_an_empty_one(context, inbox, as_nobody):
    put(inbox / "a.csv")
    for mode in (0o300, 0o744):
        inbox.chmod(mode)
        os.chown(inbox, NOBODY if mode == 0o300 else 0, 0)
        with pytest.raises(
            StorageMissing, match=r"inbox/default cannot be listed: Permission denied\. Let the account"
        ):
            as_nobody(lambda: something_to_do(context, run(1)))


def test_a_storage_that_may_not_be_entered_is_not_an_empty_one(context, storage, as_nobody):
    os.chown(storage.root, 0, 0)
    storage.root.chmod(0o700)
    with pytest.raises(StorageMissing, match="has no folder `inbox`. Is the storage mounted"):
        as_nobody(lambda: something_to_do(context, run(1)))


def test_a_count_that_may_not_be_read_is_never_taken_for_none(context, inbox, as_nobody):
    put(inbox / "a.csv")
    count = put(inbox / "a.csv.count", "7", owner=0)
    with pytest.raises(ExceptionGroup):
        as_nobody(lambda: receive(context, run(1)))
    os.chown(count, NOBODY, NOBODY)
    (entry,) = as_nobody(lambda: receive(context, run(1)))
    assert entry.announced_records == 7 and not count.exists()


@pytest.mark.parametrize(
    ("folder", "text"), [("archive", TEXT), ("reports", f"{TEXT},x\n"), ("refused", "First Name\nAnn\n")]
)
def test_a_folder_that_may_not_be_written_to_loses_nothing_and_a_repetition_files_the_file(
    context, inbox, storage, as_nobody, folder, text
):
    put(inbox / "a.csv", text)
    (storage.root / folder).mkdir(mode=0o755)
    with pytest.raises(ExceptionGroup) as error:
        as_nobody(lambda: _try_all(context))
    assert str(error.value.exceptions[0]) == f"archive failed: Permission denied in {folder}"
    os.chown(storage.root / folder, NOBODY, NOBODY)
    as_nobody(lambda: merge_all(context, run(1)))
    (entry,) = ledger.of_run(context.engine, run(1).dag_id, "run-1")
    assert entry.filed and storage.read(entry.file_path).decode() == text


def _try_all(context: ImportContext) -> None:
    (entry,) = receive(context, run(1))
    for step in (validate, prepare):
        try:
            step(context, entry.id)
        except Exception as error:  # noqa: BLE001 - a refusal
            assert "FILE_MISSING_COLUMN" in str(error)
    merge_all(context, run(1))


def test_the_command_line_notes_why_a_file_could_not_be_read(feed, engine, tmp_path, inbox, storage, as_nobody):
    file = put(tmp_path / "x.csv", owner=0)
    with pytest.raises(StepFailed, match="^receive failed: Permission denied$"):
        as_nobody(lambda: import_file(file, feed=feed, engine=engine, storage=Storage(storage.root)))
    (entry,) = ledger.remembered(engine)
    assert (entry.state, entry.message) == ("failed", "receive failed: Permission denied")
