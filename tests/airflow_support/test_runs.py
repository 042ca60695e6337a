"""What the current task knows about its run."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

STARTED = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
def in_a_task(airflow):
    """Make a run with these parameters the current one."""
    from airflow.sdk.execution_time.context import set_current_context

    def _in_a_task(user: str | None = None, run_type: str = "scheduled", **params: object):
        run = SimpleNamespace(
            dag_id="import_clients__acme", run_id="run-1", run_type=run_type, start_date=STARTED,
            triggering_user_name=user,
        )  # fmt: skip
        ti = SimpleNamespace(
            log_url="http://airflow/dags/import_clients__acme/runs/run-1/tasks/merge", try_number=4, max_tries=3
        )
        return set_current_context({"dag_run": run, "params": params, "ti": ti})

    return _in_a_task


def test_a_request_names_the_run_the_person_and_the_options(in_a_task):
    from include.airflow_support.runs import current_files, current_request

    with in_a_task(user="olga", force=True, dry_run=None, note="by hand", file="a.csv"):
        request, files = current_request(), current_files()
    assert (request.dag_id, request.run_id, request.started) == ("import_clients__acme", "run-1", STARTED)
    assert (request.by, request.note, request.force, request.dry_run) == ("olga", "by hand", True, False)
    assert (files.file, files.upload) == ("a.csv", None)


def test_the_person_is_the_one_that_airflow_has_noted_and_no_parameter_changes_that(in_a_task):
    from include.airflow_support.runs import current_request

    with in_a_task(user="olga", requested_by="the.ceo"):
        assert current_request().by == "olga"


@pytest.mark.parametrize(
    ("run_type", "by"),
    [
        ("scheduled", "the schedule"), ("asset_triggered", "a new file"), ("operator_triggered", "another DAG"),
        ("backfill", "a backfill"), ("manual", "an unknown person"),
    ],
)  # fmt: skip
def test_a_run_that_no_person_started_says_in_words_how_it_was_started(in_a_task, run_type, by):
    from airflow.utils.types import DagRunType

    from include.airflow_support.runs import current_request

    for kind in (run_type, DagRunType(run_type)):
        with in_a_task(run_type=kind, requested_by="the.ceo"):
            assert current_request().by == by


def test_what_names_an_upload_may_be_anything_and_is_handled_as_text(in_a_task):
    from include.airflow_support.runs import current_files

    with in_a_task(upload=7):
        assert current_files().upload == "7"
    with in_a_task():
        assert current_files().upload is None


def test_the_link_to_a_run_leads_to_the_run_and_not_to_the_task(in_a_task):
    from include.airflow_support.runs import current_run_url, is_last_try

    with in_a_task():
        assert current_run_url() == "http://airflow/dags/import_clients__acme/runs/run-1" and is_last_try()


def test_a_feed_and_its_dag_name_each_other(airflow):
    from include.airflow_support.runs import dag_id_of, feed_of

    assert feed_of(dag_id_of("acme")) == "acme" and feed_of("revert_import") is None
