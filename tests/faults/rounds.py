"""Rounds of trouble. The name of a round is its seed: the same name gives the same files and the same troubles."""

from __future__ import annotations

import itertools
import random
import zlib
from collections.abc import Callable
from contextlib import suppress

from tests.faults.environment import FaultEnvironment
from tests.faults.inspection import inspect
from tests.faults.scheduler import TASKS, Abandoned, Scheduler, Tally, Trouble
from tests.faults.simulation import Simulation, make_simulation
from tests.faults.worker import Call, Ended

RECOVERIES = ("retry", "clear", "next run")
FEEDS = ("swaps", "whole", "sides")


def play(environment: FaultEnvironment, name: str, tally: Tally) -> Scheduler:
    """Play one round. `walk:FEED:POINT` kills every task at one point; `chance:N` is random. Raises Violation."""
    dice = random.Random(zlib.crc32(name.encode()))
    kind, *rest = name.split(":")
    feed = rest[0] if kind == "walk" else dice.choice(FEEDS)
    # All points of a walk meet the same files.
    simulation = _varied_simulation(feed) if kind == "walk" else make_simulation(dice, feed)
    environment.clean()
    number = len(simulation.files)
    simulation.begin(environment, number - 1 if kind == "walk" else dice.randint(1, number))
    scheduler = Scheduler(environment, feed, dice, tally)
    tally.rounds += 1
    try:
        if kind == "walk":
            _walk(scheduler, int(rest[1]))
        else:
            _chance(scheduler, lambda: simulation.drop(environment, len(simulation.files)))
        simulation.drop(environment, len(simulation.files))
        scheduler.finish()
        inspect(environment, simulation)
    except Exception as error:
        error.add_note("\n".join(scheduler.diary))
        raise
    finally:
        scheduler.wake()
        for worker in scheduler.stragglers:
            worker.wait(10)
    return scheduler


def _varied_simulation(feed: str) -> Simulation:
    """Make files of which one is merged, one is refused by `validate_and_prepare` and, where the feed does that, one by `merge`."""
    needed = {None, "FILE_MISSING_COLUMN", "FILE_FAILED_ROWS" if feed == "whole" else None}
    for number in itertools.count():
        simulation = make_simulation(random.Random(number), feed)
        verdicts, _ = simulation.expected([file.name for file in simulation.files[:-1]])
        if needed <= {verdict.code for verdict in verdicts}:
            return simulation
    raise AssertionError


def _walk(scheduler: Scheduler, point: int) -> None:
    """Kill the first try of every task at one point; retry it, then clear the run or leave the rest to the next run."""
    killed: set[str] = set()

    def trouble(call: Call) -> Trouble | None:
        if call.task not in TASKS or f"{call.run_id} {call}" in killed:
            return None
        killed.add(f"{call.run_id} {call}")
        return Trouble("kill", at=point)

    scheduler.trouble = trouble
    recovery = RECOVERIES[point % 3]
    if recovery == "next run":
        scheduler.abandon_at = scheduler.random.randint(3, 9)
    with suppress(Abandoned):
        scheduler.run("first")
    scheduler.abandon_at = 0
    if recovery == "clear":
        scheduler.run("first")


def _chance(scheduler: Scheduler, drop_the_rest: Callable[[], None]) -> None:
    dice, scheduler.trouble = scheduler.random, lambda _: _any_trouble(scheduler.random)
    if dice.random() < 0.3:
        scheduler.abandon_at = dice.randint(2, 12)
    if dice.random() < 0.25:
        _two_runs_at_once(scheduler)
    with suppress(Abandoned):
        scheduler.run("first")
        if dice.random() < 0.4:
            scheduler.clear_some("first")
    scheduler.abandon_at = 0
    drop_the_rest()
    if dice.random() < 0.3:
        scheduler.reap()
    with suppress(Abandoned):
        scheduler.run("second")
    if dice.random() < 0.4:
        scheduler.run("first")
    if dice.random() < 0.5:
        scheduler.clear_some(dice.choice(["first", "second"]))


def _two_runs_at_once(scheduler: Scheduler) -> None:
    """Let two runs of one feed claim files together; each goes on with the files that it claimed.

    Airflow never does this, because a feed's DAG has one active run.
    """
    feed, runs = scheduler.feed, ("left", "right")
    sensed = scheduler.together(Call(feed, run, "sense_inbox") for run in runs)
    scheduler.together(
        Call(feed, run, "validate_and_prepare", batch)
        for run, ended in zip(runs, sensed, strict=True)
        for batch in _claimed(ended)
    )
    for task in ("merge", "email_summary"):
        scheduler.together(Call(feed, run, task) for run in runs)


def _claimed(sensed: Ended) -> list[list[dict[str, str]]]:
    """Give the batches of files of a `sense_inbox`. It raises an error when the other run is ahead."""
    return sensed.value if sensed.how == "done" else []


def _any_trouble(dice: random.Random) -> Trouble | None:
    kinds = {
        "": 55, "kill": 18, "kill_later": 8, "full": 8, "restart": 1, "kill_backend": 1, "terminate": 6, "twice": 6,
        "straggle": 6,
    }  # fmt: skip
    kind = dice.choices(list(kinds), list(kinds.values()))[0]
    at, after = 1 + int(min(60, dice.expovariate(1 / 12))), dice.uniform(0, 0.25)
    if kind == "twice" and dice.random() < 0.5:
        at = 0
    return Trouble(kind, at, after) if kind else None
