"""Where many files wait, one task takes several, and what goes wrong with one stays its own."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from include.adapters.database import ledger
from include.models import RunRequest
from include.steps import batches
from include.steps.batches import in_batches, label_of, validate_and_prepare
from include.steps.context import ImportContext
from include.steps.receive import receive
from tests import inboxes

RUN = RunRequest(dag_id="import_clients__default", run_id="run-1")


def entries(number):
    return [SimpleNamespace(id=str(n), file_name=f"{n}.csv") for n in range(number)]


@pytest.mark.parametrize(
    ("files", "sizes"), [(0, []), (1, [1]), (8, [1] * 8), (9, [2, 2, 2, 2, 1]), (200, [25] * 8), (201, [26] * 7 + [19])]
)
def test_up_to_eight_files_have_a_task_each_and_more_share_eight(files, sizes):
    divided = in_batches(entries(files))
    assert [len(batch) for batch in divided] == sizes
    assert [file["import_id"] for batch in divided for file in batch] == [str(n) for n in range(files)], "in order"


def test_a_batch_is_named_by_its_files():
    assert [label_of(batch) for batch in in_batches(entries(9))][3:] == ["6.csv to 7.csv (2 files)", "8.csv"]


def test_a_refused_file_and_a_system_error_stop_no_other_file_of_the_batch(feed, engine, tmp_path, monkeypatch):
    place = inboxes.in_a_folder(tmp_path)
    context = ImportContext.of(feed.model_copy(update={"stable_seconds": 0}), engine, place.storage)
    for name in ("1", "3", "4"):
        place.put(f"{name}.csv", f"First Name,Email\nAnn,{name}@example.com\n")
    place.put("2.csv", "First Name\nBen\n")
    received = receive(context, RUN)
    files = [file for batch in in_batches(received) for file in batch]
    ids = {entry.file_name: entry.id for entry in received}
    prepare, broken = batches.prepare, ids["3.csv"]

    def breaks_once(context, import_id):
        if import_id == broken:
            raise OSError("No space left on device")
        prepare(context, import_id)

    monkeypatch.setattr(batches, "prepare", breaks_once)
    with pytest.raises(ExceptionGroup, match="^1 file"):
        validate_and_prepare(context, files)
    assert [ledger.find(engine, ids[f"{n}.csv"]).state for n in (1, 2, 3, 4)] == [
        "prepared", "refused", "validated", "prepared",
    ]  # fmt: skip

    monkeypatch.setattr(batches, "prepare", prepare)
    (refused,) = validate_and_prepare(context, files)
    assert refused.startswith("2.csv: FILE_MISSING_COLUMN") and ids["2.csv"] in refused
    assert ledger.find(engine, broken).state == "prepared"
