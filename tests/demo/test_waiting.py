"""Waiting says what for, goes on while anything changes, and gives up with a sentence."""

from __future__ import annotations

import io
import time

import pytest
from rich.console import Console

from demo.waiting import GaveUp, Waiting


def waiting(patience: float) -> tuple[Waiting, io.StringIO]:
    written = io.StringIO()
    return Waiting(Console(file=written, width=80), patience, pause=0.01, seconds_between_lines=0), written


def test_a_pipe_gets_a_whole_line_for_each_new_thing_that_is_waited_for():
    long = f"import_clients__acme (merge running) with {'n' * 200}.csv [bold]"
    things = iter(["the API server", "the API server", long, ""])
    subject, written = waiting(patience=60)
    subject.until_nothing(lambda: next(things))
    assert written.getvalue().splitlines() == ["waiting for the API server", f"waiting for {long}"]


def test_patience_begins_anew_with_each_change_and_ends_without_one():
    began = time.monotonic()

    def moves_for_a_second() -> str:
        seconds = time.monotonic() - began
        return f"part {min(10, int(seconds * 10))}"

    with pytest.raises(GaveUp, match=r"Nothing has changed for 0\.5 s\. Still waiting for part 10\."):
        waiting(patience=0.5)[0].until_nothing(moves_for_a_second)
    assert time.monotonic() - began > 1.4
