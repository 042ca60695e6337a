"""How long a user of the CRM waits for one client while a file is imported: `make bench-locks`.

A process of its own plays the CRM: it updates one client after another, each in its own transaction, and times each
update. It does so while nothing is imported, beside a file with other clients, and beside a file with the same ones.
"""

from __future__ import annotations

import argparse
import multiprocessing
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import cycle
from multiprocessing.connection import Connection
from pathlib import Path

import psycopg
import sqlalchemy as sa

from benchmarks import client_files, database
from benchmarks.speed import machine, ours

LARGEST = 100_000
SIZES = (5_000, LARGEST)
TOUCHED = 1_000  # clients that the CRM updates in turn
PAUSE = 0.002  # seconds between two updates: the CRM must not use up a processor that the import needs
QUIET = 5.0  # seconds without an import
LIMIT = 50  # milliseconds that another client's update may wait longer beside the largest file than without one


@dataclass
class Case:
    """What is imported while the CRM updates clients: `size` rows (0: no file), with the same clients or others."""

    size: int
    same: bool = False
    waits: list[float] = field(default_factory=list)

    def __str__(self) -> str:
        if not self.size:
            return "no import"
        return f"{self.size:,} rows, {'the same clients' if self.same else 'other clients'}"

    @property
    def touched(self) -> range:
        return range(TOUCHED) if self.same else range(LARGEST, LARGEST + TOUCHED)

    @property
    def median(self) -> float:
        return statistics.median(self.waits) * 1000

    @property
    def longest(self) -> float:
        return max(self.waits) * 1000


def update_clients(url: str, numbers: range, link: Connection) -> None:
    """Update clients until the other side says stop; answers with the seconds that each update took."""
    ids = [client_files.client(number)[0] for number in numbers]
    waits: list[float] = []
    with psycopg.connect(url, autocommit=True) as connection:
        link.send("ready")
        for number, id in enumerate(cycle(ids)):
            if link.poll(PAUSE):
                break
            start = time.perf_counter()
            connection.execute("UPDATE clients SET middle_name = %s WHERE id = %s", (str(number), id))
            waits.append(time.perf_counter() - start)
    link.send(waits)


@contextmanager
def crm_at_work(url: str, case: Case) -> Iterator[None]:
    """Let the CRM update clients meanwhile, and add its waits to the case."""
    link, other_end = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=update_clients, args=(url, case.touched, other_end))
    process.start()
    try:
        link.recv()
        yield
        link.send("stop")
        case.waits += link.recv()
    finally:
        process.join(10)
        process.kill()


def measure(case: Case, engine: sa.Engine, url: str, load: Callable[[Path], float], file: Path) -> None:
    """One run of one case. The file changes the last name of each of its clients."""
    database.reset(engine)
    if case.size:
        client_files.write(file, range(case.size), f"Run{time.time_ns()}")
    with crm_at_work(url, case):
        if case.size:
            load(file)
        else:
            time.sleep(QUIET)


def table(cases: list[Case]) -> Iterator[str]:
    base = cases[0]
    yield "| import | updates | median | longest | longest, more than without an import |\n|---|---:|---:|---:|---:|"
    for case in cases:
        more = f"{case.longest - base.longest:+,.0f} ms ({case.longest / base.longest:.1f} x)" if case.size else "-"
        yield f"| {case} | {len(case.waits):,} | {case.median:.1f} ms | {case.longest:,.0f} ms | {more} |"


def verdict(cases: list[Case]) -> str:
    base, other = cases[0], next(case for case in cases if case.size == LARGEST and not case.same)
    more = other.longest - base.longest
    kept = "kept" if more <= LIMIT else "NOT KEPT"
    return f"\nAnother client waits {more:+.0f} ms longer beside {LARGEST:,} rows; the limit is {LIMIT} ms: {kept}."


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=3, help="of each case; the table has the longest wait of all runs")
    arguments = parser.parse_args()
    cases = [Case(0), *(Case(size, same) for size in SIZES for same in (False, True))]
    with database.server() as (running, folder):
        url = running.url("locks")
        engine = database.build(url)
        database.fill(engine, range(LARGEST + TOUCHED))
        database.remember(engine)
        load = ours(engine, folder)
        load(client_files.write(folder / "first.csv", [0]))  # what is loaded once is loaded now
        for _ in range(arguments.runs):
            for case in cases:
                measure(case, engine, url, load, folder / "clients.csv")
        engine.dispose()
    print(f"{machine()}; {LARGEST + TOUCHED:,} clients, {arguments.runs} runs of each case.\n")
    print("\n".join([*table(cases), verdict(cases)]))


if __name__ == "__main__":
    main()
