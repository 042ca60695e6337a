"""What Airflow does with the DAG of a feed: the order of tasks, retries, clearing. And the troubles it meets."""

from __future__ import annotations

import random
import signal
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from tests.faults.environment import FaultEnvironment
from tests.faults.worker import DISK_FULL, Call, Ended, Worker, start

TASKS = ("sense_inbox", "validate_and_prepare", "merge", "email_summary")
TRIES = 4


class Violation(Exception):
    """The result is not what SPEC.md promises."""


class Abandoned(Exception):
    """The run is given up: its time is over, or a person has deleted it."""


@dataclass(frozen=True)
class Trouble:
    """What happens to one try. `at`: point; `after`: seconds.

    `kind`: kill, kill_later, full (disk), restart, kill_backend, terminate, twice, straggle.
    """

    kind: str
    at: int = 0
    after: float = 0.0


@dataclass
class Tally:
    """What has happened in all rounds so far."""

    rounds: int = 0
    kills: Counter[str] = field(default_factory=Counter)
    restarts: int = 0
    crashes: int = 0
    full: int = 0
    terminated: int = 0
    doubles: int = 0
    stragglers: int = 0
    cleared: int = 0


@dataclass
class Scheduler:
    """Runs the tasks of one feed, and lets `trouble` decide what happens to each try."""

    environment: FaultEnvironment
    feed: str
    random: random.Random
    tally: Tally
    trouble: Callable[[Call], Trouble | None] = lambda _: None
    abandon_at: int = 0
    stragglers: list[Worker] = field(default_factory=list)
    disturbed: bool = False
    finished: dict[str, list[Call]] = field(default_factory=dict)
    diary: list[str] = field(default_factory=list)
    _started: int = 0

    def run(self, run_id: str) -> bool:
        """Run all tasks of one run, each until it is done. False when there was nothing to do."""
        sensed = self.task(Call(self.feed, run_id, "sense_inbox"))
        if sensed.how == "skipped":
            return False
        for batch in self.random.sample(sensed.value, len(sensed.value)):
            self.task(Call(self.feed, run_id, "validate_and_prepare", batch))
        self.task(Call(self.feed, run_id, "merge"))
        self.task(Call(self.feed, run_id, "email_summary"))
        ended = self.task(Call(self.feed, run_id, "outcome"))
        # A claim that failed is a system error of that file alone.
        red = self._states(run_id, "refused") + self._states(run_id, "failed")
        if (ended.how == "refused") != bool(red):
            raise Violation(f"outcome of {run_id} is {ended}, but {len(red)} file(s) are refused or failed")
        return True

    def task(self, call: Call) -> Ended:
        """Try until the task ends in a way that Airflow accepts; the last try has no trouble."""
        self._started += 1
        if self._started == self.abandon_at and not self.environment.query(
            "SELECT 1 FROM imports WHERE state = 'failed'"
        ):
            self.diary.append(f"{call.run_id} is abandoned before {call}")
            raise Abandoned
        for number in range(1, TRIES + 3):
            trouble = self.trouble(call) if number < TRIES else None
            ended = self._attempt(replace(call, try_number=min(number, TRIES)), trouble)
            self.diary.append(f"{call.run_id} {call} {trouble or ''}: {ended.how} {ended.place}")
            if ended.how in ("done", "skipped", "refused"):
                self.finished.setdefault(call.run_id, []).append(call)
                return ended
            if trouble is None and not self.disturbed:
                break
        raise Violation(f"{call} of {call.run_id} cannot be done by repeating it: {ended.value or ended}")

    def _attempt(self, call: Call, trouble: Trouble | None) -> Ended:
        if trouble is None:
            return self.patiently(start(self.environment, call))
        return getattr(self, f"_{trouble.kind}")(call, trouble)  # type: ignore[no-any-return]

    def _kill(self, call: Call, trouble: Trouble) -> Ended:
        return self._counted(self.patiently(start(self.environment, call, at=trouble.at)), call)

    def _kill_later(self, call: Call, trouble: Trouble) -> Ended:
        worker = start(self.environment, call)
        if worker.wait(trouble.after) is None:
            worker.signal(signal.SIGKILL)
        return self._counted(self.patiently(worker), call)

    def _restart(self, call: Call, trouble: Trouble) -> Ended:
        worker = start(self.environment, call)
        worker.wait(trouble.after)
        self.environment.restart_postgres()
        self.tally.restarts += 1
        return self.patiently(worker)

    def _kill_backend(self, call: Call, trouble: Trouble) -> Ended:
        worker = start(self.environment, call)
        worker.wait(trouble.after)
        self.tally.crashes += self.environment.kill_backend()
        return self.patiently(worker)

    def _full(self, call: Call, trouble: Trouble) -> Ended:
        ended = self.patiently(start(self.environment, call, at=trouble.at, number=DISK_FULL))
        self.tally.full += bool(ended.place)
        return ended

    def _terminate(self, call: Call, trouble: Trouble) -> Ended:
        worker = start(self.environment, call)
        while worker.wait(trouble.after) is None and self.random.random() < 0.7:
            self.tally.terminated += self.environment.terminate_backends()
        return self.patiently(worker)

    def _twice(self, call: Call, trouble: Trouble) -> Ended:
        """Two schedulers start the same task; one of the two may be killed. Airflow sees the end of either."""
        self.tally.doubles += 1
        one, other = start(self.environment, call, at=trouble.at), start(self.environment, call)
        ended = [self._counted(self.patiently(one), call), self.patiently(other)]
        return self.random.choice(ended)

    def _straggle(self, call: Call, trouble: Trouble) -> Ended:
        """Stop a process, so that it counts as dead, and let it go on during or after the work of another try."""
        worker = start(self.environment, call, at=trouble.at, number=signal.SIGSTOP)
        ended = worker.wait(for_stop=True)
        if ended is not None:
            return ended
        self.tally.stragglers += 1
        self.stragglers.append(worker)
        self.disturbed = True
        if self.random.random() < 0.3:
            self.wake()
        return Ended("killed", place="stands still")

    def wake(self) -> None:
        for worker in self.stragglers:
            worker.signal(signal.SIGCONT)

    def reap(self) -> None:
        self.wake()
        for worker in self.stragglers:
            ended = self.patiently(worker)
            self.diary.append(f"woken up: {worker.call}, stood {worker.place}: {ended.how}")
        self.stragglers.clear()

    def patiently(self, worker: Worker) -> Ended:
        """Wait for the end. After a while the stopped processes go on, because one may hold a lock."""
        ended = worker.wait(1.5)
        if ended is None:
            self.wake()
            ended = worker.wait(90)
        if ended is None:
            worker.signal(signal.SIGKILL)
            raise Violation(f"{worker.call} hangs")
        return ended

    def together(self, calls: Iterable[Call]) -> list[Ended]:
        """Start all calls at once, each once."""
        self.disturbed = True
        workers = [start(self.environment, call) for call in calls]
        self.tally.doubles += len(workers) > 1
        return [self.patiently(worker) for worker in workers]

    def clear_some(self, run_id: str) -> None:
        """Run some finished tasks once more, in any order."""
        done = self.finished.get(run_id, [])
        for call in self.random.sample(done, min(len(done), 4)):
            self.tally.cleared += 1
            self.task(call)

    def finish(self) -> None:
        """Do what people and the schedule do in the end: clear failed imports, and start runs until no file waits."""
        self.trouble, self.abandon_at = lambda _: None, 0
        self.reap()
        self.disturbed = False
        for number in range(10):
            for row in self.environment.query(
                "SELECT DISTINCT run_id FROM imports WHERE state = 'failed' ORDER BY run_id"
            ):
                self.run(row["run_id"])
            if not self.run(f"last-{number}"):
                return
        raise Violation("there is always something left to do")

    def _states(self, run_id: str, state: str) -> list[dict]:
        return self.environment.query("SELECT 1 FROM imports WHERE run_id = %s AND state = %s", run_id, state)

    def _counted(self, ended: Ended, call: Call) -> Ended:
        if ended.how == "killed":
            self.tally.kills[f"{call.task}: {ended.place}"] += 1
        return ended
