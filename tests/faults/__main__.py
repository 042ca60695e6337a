"""`make faults`: kill, stop, restart and repeat tasks until the time is over.

FAULTS_SECONDS=N: how long. FAULTS_SEED=ROUND: only that round. FAULTS_KILLS=N: a fixed choice of so many kills.
"""

from __future__ import annotations

import itertools
import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterator

from tests.faults.environment import fault_environment
from tests.faults.rounds import FEEDS, play
from tests.faults.scheduler import Tally, Violation


def main() -> int:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    seconds = float(os.environ.get("FAULTS_SECONDS", "600"))
    kills = int(os.environ.get("FAULTS_KILLS", "0"))
    only = os.environ.get("FAULTS_SEED")
    tally, violations = Tally(), Counter[str]()
    with fault_environment() as environment:
        until = time.monotonic() + seconds
        for name in [only] if only else (_few_kills() if kills else _walks_then_chances(tally)):
            if time.monotonic() > until or (kills and tally.kills.total() >= kills):
                break
            try:
                play(environment, name, tally)
            except Violation as violation:
                violations[name] += 1
                write_line(f"\nVIOLATION in round {name}; repeat it with FAULTS_SEED={name} make faults\n{violation}")
                write_line("  " + "\n".join(violation.__notes__).replace("\n", "\n  "))
    report(tally, violations)
    return 1 if violations else 0


def _walks_then_chances(tally: Tally) -> Iterator[str]:
    """Name a round for every point of every task, feed by feed; then random rounds, with numbers that never repeat."""
    for feed in FEEDS:
        for point in itertools.count(1):
            before = tally.kills.total()
            yield f"walk:{feed}:{point}"
            if tally.kills.total() == before:
                break
    first = int(time.time())
    yield from (f"chance:{number}" for number in itertools.count(first))


def _few_kills() -> Iterator[str]:
    """Name rounds with points spread over all tasks and feeds, and troubles of each kind: always the same."""
    for number in itertools.count():
        yield f"walk:{FEEDS[number % 3]}:{1 + number * 5 % 36}"
        yield f"chance:{number}"


def report(tally: Tally, violations: Counter[str]) -> None:
    write_line("\nkills by place:")
    for place, number in sorted(tally.kills.items()):
        write_line(f"{number:6}  {place}")
    write_line(
        f"{tally.rounds} rounds, {tally.kills.total()} kills at {len(tally.kills)} places, {tally.restarts} PostgreSQL"
        f" restarts, {tally.crashes} crashes, {tally.full} full disks, {tally.terminated} connections cut, {tally.doubles} double runs, {tally.stragglers} stragglers,"
        f" {tally.cleared} tasks cleared, {violations.total()} violations"
    )


def write_line(text: str) -> None:
    """Write to standard output at once, so that a pipe shows it too."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
