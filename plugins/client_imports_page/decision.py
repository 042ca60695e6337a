"""What the page of a held import says about the decision, and whether the person may make it."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

from client_imports_page.permissions import Person
from include.airflow_support.questions import Asked, asked
from include.models import State
from include.schemas.client_tables import Import
from include.steps.review import ASKING_TASK, REVIEW_DAG, review_run_id


@dataclass(frozen=True)
class Decision:
    """The question about a held import; `question` is None until Airflow has asked it.

    `answer_path`: where Airflow takes the answer, below its own address. `run_path`: the page of the run that asks.
    """

    question: Asked | None
    may_answer: bool
    answer_path: str
    run_path: str

    @property
    def is_open(self) -> bool:
        return self.question is not None and self.question.answered_at is None


def decision_about(entry: Import, person: Person) -> Decision | None:
    """Give the decision that an import waits for; None when it waits for none."""
    if entry.state != State.HELD:
        return None
    run_id = review_run_id(entry)
    question = asked(REVIEW_DAG, run_id, ASKING_TASK)
    of_run = f"/dags/{REVIEW_DAG}/runs/{quote(run_id, safe='')}"
    api = f"/api/v2/dags/{REVIEW_DAG}/dagRuns/{quote(run_id, safe='')}/taskInstances/{ASKING_TASK}/-1/hitlDetails"
    may_answer = question is not None and person.may_decide(question.reviewers)
    return Decision(question, may_answer, api, of_run)
