"""A process beside this one: it answers, and whatever it does wrong ends it alone."""

from __future__ import annotations

import os
import signal
from concurrent.futures import ThreadPoolExecutor

import pytest

from include.adapters.limited_process import LimitedProcess
from include.errors import CheckImpossible


@pytest.fixture
def process(request):
    seconds, waiting = getattr(request, "param", (20.0, 8))
    limited = LimitedProcess("tests.adapters.obedient_process", seconds, waiting)
    yield limited
    limited.end()


def test_one_process_answers_one_request_after_another(process):
    with ThreadPoolExecutor(5) as at_once:
        answers = list(at_once.map(lambda n: process.ask({"do": "echo", "n": n}), range(5)))
    assert [answer["n"] for answer in answers] == [0, 1, 2, 3, 4]
    assert {answer["pid"] for answer in answers} == {process.pid}


@pytest.mark.parametrize("wrong", ["die", "flood", "babble"])
def test_a_process_that_does_not_answer_is_replaced(process, wrong):
    first = process.ask({"do": "echo"})["pid"]
    with pytest.raises(CheckImpossible, match="more time or memory"):
        process.ask({"do": wrong})
    assert process.ask({"do": "echo"})["pid"] != first


@pytest.mark.parametrize("process", [(0.3, 8)], indirect=True)
def test_a_process_that_takes_too_long_is_killed(process):
    with pytest.raises(CheckImpossible, match="takes longer than"):
        process.ask({"do": "sleep"})
    assert process.pid is None


@pytest.mark.parametrize("process", [(20.0, 1)], indirect=True)
def test_callers_that_find_no_room_are_refused_at_once(process):
    with ThreadPoolExecutor(1) as beside:
        busy = beside.submit(process.ask, {"do": "sleep"})
        while process.pid is None:
            pass
        with pytest.raises(CheckImpossible, match="too many files"):
            process.ask({"do": "echo"})
        os.kill(process.pid, signal.SIGKILL)
        with pytest.raises(CheckImpossible):
            busy.result()


def test_a_process_that_was_warmed_is_the_one_that_answers(process):
    process.warm({"do": "echo"})
    while process.pid is None:
        pass
    warmed = process.pid
    assert process.ask({"do": "echo"})["pid"] == warmed


def test_it_knows_no_secret_of_the_server(process, monkeypatch):
    monkeypatch.setenv("AIRFLOW__CORE__FERNET_KEY", "secret")
    assert not [name for name in process.ask({"do": "secrets"})["names"] if name.startswith("AIRFLOW")]
