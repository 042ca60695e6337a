"""The question about a held import names counts and causes, and no cell: Airflow keeps it in its own database."""

from __future__ import annotations

from datetime import UTC, datetime

from include.emails.review import Question
from include.models import Cause, State
from include.schemas.client_rows import FIELDS
from include.schemas.client_tables import Import
from include.schemas.feed import Feed

LABEL = FIELDS["email"].label
ENTRY = Import(
    id="0123456789", feed="acme", file_name="`x|y\n.csv", state=State.HELD, message="2 of 3 rows failed.",
    received_at=datetime(2026, 11, 2, 6, tzinfo=UTC), planned_path="reports/planned.csv", report_path=None,
    plan_hash="abcdef0123456789", read=1200, created=1, updated=0, unchanged=0, duplicate=0, failed=1199,
)  # fmt: skip
CAUSES = [
    Cause("CELL_FORMAT", "email", "zoe@", "error", 1199, "Email “zoe@” has nothing after the @.", False, ""),
    Cause("CELL_READ_ONLY", "created", "2020", "warning", 1, "Ignored.", True, ""),
]


def question(newer=()) -> Question:
    return Question(Feed(name="acme", title="Acme"), ENTRY, CAUSES, newer)


def test_the_body_has_counts_causes_and_the_plan_and_no_cell():
    body = question().body
    assert "| 1,200 | 1 | 0 | 0 | 0 | 1,199 |" in body and f"- 1,199 × Not in the right format ({LABEL})" in body
    assert "Import `0123456789`, plan `abcdef012345`." in body
    assert "zoe" not in body and "2020" not in body


def test_a_hostile_file_name_stays_in_its_code_span():
    assert "File `xy.csv`, received 2026-11-02 06:00 UTC" in question().body


def test_the_body_leads_to_the_page_of_the_import():
    page = "https://airflow.example/plugin/client-imports/client-imports/imports/0123456789"
    shown = Question(Feed(name="acme", title="Acme"), ENTRY, CAUSES, (), page)
    assert f"decide there]({page})" in shown.body


def test_newer_files_that_are_merged_already_are_a_warning():
    assert "merged already" not in question().body
    assert "**1 newer file of this feed is merged already**" in question([ENTRY]).body
    assert "**2 newer files of this feed are merged already**" in question([ENTRY, ENTRY]).body


def test_what_the_task_returns_says_who_may_answer_and_about_which_plan():
    shown = question().as_shown()
    assert shown["subject"] == "Acme: xy.csv waits for a decision"
    assert shown["plan_hash"] == ENTRY.plan_hash and shown["reviewers"] == [] and shown["answer_days"] > 0
