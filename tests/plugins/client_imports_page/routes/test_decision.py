"""A held import is decided on its page, by Airflow's own answer and under Airflow's own rights."""

from __future__ import annotations

import pytest

from include.schemas.feed import Hold
from tests.plugins.page import ROOT

TEXT = "First Name,Email\nAnn,ann@example.com\n,no@example.com\n,none@example.com\n"


@pytest.fixture
def held(imported):
    return imported(TEXT, hold=Hold(failed_over=0.5))


@pytest.fixture
def ask(web_app, engine):
    """Ask about a held import as the task `decide` does; gives where Airflow takes the answer."""

    def _ask(import_id, reviewers=()):
        import sqlalchemy as sa
        from airflow.models.hitl import HITLDetail
        from airflow.models.taskinstance import TaskInstance
        from airflow.utils.session import create_session

        from include.adapters.database import ledger
        from include.airflow_support.runs import trigger_run
        from include.steps.review import REVIEW_DAG, review_run_id

        entry = ledger.find(engine, import_id)
        run_id = review_run_id(entry)
        trigger_run(REVIEW_DAG, run_id, {"import_id": entry.id, "feed": entry.feed}, "admin")
        with create_session() as session:
            of_task = (TaskInstance.run_id == run_id, TaskInstance.task_id == "decide")
            ti_id = session.scalar(sa.select(TaskInstance.id).where(*of_task))
            assignees = [{"id": name, "name": name} for name in reviewers]
            session.add(HITLDetail(
                ti_id=ti_id, options=["Approve", "Discard"], subject="s", body="b", params={}, assignees=assignees
            ))  # fmt: skip
        return f"/api/v2/dags/{REVIEW_DAG}/dagRuns/{run_id}/taskInstances/decide/-1/hitlDetails"

    return _ask


def test_the_page_shows_why_what_and_who_and_gives_the_answer_to_airflow(web, held, ask):
    page = web("admin").get(f"{ROOT}/imports/{held}").text
    assert "2 of 3 rows failed (67%; the feed holds above 50%)" in page and "Airflow has not asked yet" in page
    assert "Would be created" in page and "Discard this import" in page
    answer_at = ask(held)
    page = web("admin").get(f"{ROOT}/imports/{held}").text
    assert f'data-answer="{answer_at}"' in page and "Discard this import" not in page
    assert "You may not decide" in web("olga").get(f"{ROOT}/imports/{held}").text


def test_only_the_reviewers_of_the_feed_may_answer(web, held, ask):
    answer_at = ask(held, ["zoe"])
    assert "You may not decide" in web("admin").get(f"{ROOT}/imports/{held}").text
    assert web("admin").patch(answer_at, json={"chosen_options": ["Approve"]}).status_code == 403


def test_a_second_answer_is_refused_and_everybody_sees_the_first(web, held, ask):
    answer_at, admin = ask(held), web("admin")
    version = admin.get(f"{ROOT}/api/imports/{held}/version").json()
    for status in (200, 409):
        answer = admin.patch(answer_at, json={"chosen_options": ["Discard"], "params_input": {"reason": "old"}})
        assert answer.status_code == status
    page = web("olga").get(f"{ROOT}/imports/{held}").text
    assert "admin has answered" in page and "Discard (" in page and "data-soon" in page
    assert admin.get(f"{ROOT}/api/imports/{held}/version").json() != version
