"""The real Airflow of tests/dags, in which a task that failed is tried again at once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from tests.dags.conftest import Installation, airflow, feeds_folder, installation, ledger

__all__ = ["airflow", "feeds_folder", "impatient", "installation", "ledger"]


@pytest.fixture
def impatient(installation: Installation) -> Iterator[Installation]:
    tasks = [task for dag in installation.bag.dags.values() for task in dag.tasks]
    before = [(task, task.retry_delay, task.retry_exponential_backoff) for task in tasks]
    for task in tasks:
        task.retry_delay, task.retry_exponential_backoff = timedelta(0), 0
    yield installation
    for task, delay, backoff in before:
        task.retry_delay, task.retry_exponential_backoff = delay, backoff
