"""A feed whose file breaks or goes while a run is on: the run ends, and says which file it was."""

from __future__ import annotations

from uuid import uuid4

import pytest

from tests.dags.task_processes import read_dags, trigger

DAG = "import_clients__fragile"
TEXT = "title: Fragile\nstable_seconds: 0\n"


@pytest.fixture
def feed_file(installation, feeds_folder):
    """The file of a feed that the DAG processor knows, with a file in its inbox."""
    path = feeds_folder / "fragile.yaml"
    path.write_text(TEXT)
    read_dags(installation)
    installation.drop("fragile", "First Name,Email\nAnn,ann@example.com\n", "a.csv")
    yield path
    path.unlink(missing_ok=True)


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (lambda path: path.write_text("title: Fragile\nstabel_seconds: 0\n"), "`stabel_seconds` is not a known key"),
        (lambda path: path.unlink(), "does not exist."),
    ],
    ids=["broken", "deleted"],
)
def test_a_run_ends_with_a_sentence_that_names_the_feed_file(feed_file, ledger, clients, tmp_path, damage, sentence):
    run = trigger(DAG, str(uuid4()), "olga", tmp_path)
    assert run.start_tasks() == ["sense_inbox"]
    damage(feed_file)
    run.finish()
    state, tasks = run.ended()
    assert state == "failed" and tasks["validate_and_prepare"] == tasks["outcome"] == "failed", tasks
    assert set(tasks.values()) <= {"success", "failed", "upstream_failed", "skipped"}, "no task is tried again"
    (error,) = run.errors("validate_and_prepare")
    assert f"{feed_file}: " in error and sentence in error
    # Once the file is mended, nothing is lost: the next run goes on.
    assert [row["state"] for row in ledger()] == ["received"]
    feed_file.write_text(TEXT)
    trigger(DAG, str(uuid4()), "olga", tmp_path).finish()
    assert [row["state"] for row in ledger()] == ["merged"] and set(clients()) == {"ann@example.com"}


def test_a_run_of_a_feed_without_a_file_ends_before_it_claims_anything(feed_file, installation, ledger, tmp_path):
    feed_file.unlink()
    run = trigger(DAG, str(uuid4()), "olga", tmp_path)
    run.finish()
    state, tasks = run.ended()
    assert state == "failed" and tasks["sense_inbox"] == "failed", tasks
    assert f"{feed_file}: does not exist." in run.errors("sense_inbox")[0]
    assert ledger() == [] and installation.files("inbox") == ["fragile/a.csv"]
