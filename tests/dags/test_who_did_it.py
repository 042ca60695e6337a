"""Who requested an import is what Airflow has noted of the run, or who sent the upload: nobody can write another name."""

from __future__ import annotations

from uuid import uuid4

import pytest
import sqlalchemy as sa

from include.steps.context import ImportContext
from include.steps.upload import UploadRequest, Writing
from tests.dags.task_processes import read_dags, trigger

TEXT = "First Name,Email\nAnn,ann@example.com\n"
DAG = "import_clients__default"


@pytest.fixture
def context(installation, feed, engine):
    from include.adapters.files.storage import Storage

    read_dags(installation)
    return ImportContext.of(feed, engine, Storage(installation.home / "storage"))


def test_a_name_in_the_parameters_of_a_run_is_ignored(context, installation, ledger, tmp_path):
    installation.drop("default", TEXT, "a.csv")
    forged = {"requested_by": "the.ceo", "triggering_user_name": "the.ceo", "by": "the.ceo"}
    trigger(DAG, str(uuid4()), "olga", tmp_path, **forged).finish()
    assert [(row["state"], row["requested_by"]) for row in ledger()] == [("merged", "olga")]
    undo = trigger("revert_import", str(uuid4()), "ben", tmp_path, import_id=str(ledger()[0]["id"]), **forged)
    undo.finish()
    assert [row["requested_by"] for row in ledger()] == ["olga", "ben"] and undo.ended()[0] == "success"


def test_an_upload_keeps_its_sender_whoever_starts_a_run_for_it(context, ledger, tmp_path):
    with Writing(context, UploadRequest("zoe", "b.csv", dry_run=True, note="please look")) as writing:
        writing.write(TEXT.encode())
        upload = writing.finish()
    run = trigger(
        DAG, str(uuid4()), "olga", tmp_path, upload=upload.id, requested_by="the.ceo", note="mine", force=True
    )
    run.finish()
    (entry,) = ledger()
    assert (entry["requested_by"], entry["note"], entry["state"]) == ("zoe", "please look", "previewed")


@pytest.mark.parametrize("upload", ["", "x", 7, ["a"], "00000000-0000-0000-0000-000000000000"])
def test_a_run_for_an_upload_that_there_is_not_ends_with_a_sentence(context, installation, ledger, tmp_path, upload):
    installation.drop("default", TEXT, "a.csv")
    run = trigger(DAG, str(uuid4()), "olga", tmp_path, upload=upload)
    run.finish()
    assert run.ended()[0] == "failed" and "There is no upload" in run.errors("sense_inbox")[0]
    assert ledger() == [] and installation.files("inbox") == ["default/a.csv"]


def test_the_trigger_form_asks_for_nothing_that_the_page_or_airflow_knows(airflow):
    params = airflow.bag.dags[DAG].params
    assert sorted(params) == ["dry_run", "file", "force", "note"]
    assert "name of one file in the inbox" in params.get_param("file").description


def test_a_run_of_the_schedule_says_so(context, installation, ledger, engine):
    from airflow.models.dagrun import DagRun
    from airflow.utils.session import create_session

    installation.drop("default", TEXT, "a.csv")
    run = trigger(DAG, str(uuid4()), "olga", installation.home)
    with create_session() as session:
        session.execute(
            sa.update(DagRun).where(DagRun.run_id == run.run_id).values(run_type="scheduled", triggering_user_name=None)
        )
    run.finish()
    assert [row["requested_by"] for row in ledger()] == ["the schedule"]
