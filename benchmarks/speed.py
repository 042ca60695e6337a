"""How long a file takes, beside the floor and beside other importers: `make bench`.

Each contender gets the same file, the same table with its indexes and clients, and a warm process. They take turns, so
that a slow minute of the machine slows all of them. After each run the written rows are counted.
"""

from __future__ import annotations

import argparse
import gc
import os
import platform
import re
import statistics
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import sqlalchemy as sa

from benchmarks import client_files, database, floor
from include.adapters.files.storage import Storage
from include.schemas import email_addresses
from include.schemas.feed import Feed
from include.steps.import_file import import_file

EXISTING = 100_000
PEERS = {
    "dlt_merge": "dlt, Arrow",
    "dlt_rows": "dlt",
    "orm_merge": "ORM",
    "django_import_export": "import-export, bulk",
    "django_row_by_row": "import-export",
}
ROOT = Path(__file__).resolve().parent.parent
PATIENCE = 60  # seconds in one case, after which a peer has no further run


@dataclass(frozen=True)
class Case:
    """A file of the clients `numbers` with a new last name, or with the one they have.

    Peers have no failed rows: they stop at the first wrong cell, or write it.
    """

    name: str
    numbers: range
    last_name: str = ""
    failed_each: int = 0

    @property
    def good(self) -> int:
        return len(self.numbers) - (len(self.numbers) // self.failed_each if self.failed_each else 0)


CASES = (
    Case("5,000 rows inserted", range(EXISTING, EXISTING + 5000), "New"),
    Case("5,000 rows updated", range(5000), "New"),
    Case("5,000 rows unchanged", range(5000)),
    Case("5,000 rows updated, 1 % failed", range(5000), "New", failed_each=100),
    Case("5,000 rows updated, 10 % failed", range(5000), "New", failed_each=10),
    Case("100,000 rows updated", range(100_000), "New"),
)


@dataclass
class Contender:
    """One importer: `load` imports a file and gives the seconds. `checks`: it does not write rows with wrong cells."""

    name: str
    engine: sa.Engine
    load: Callable[[Path], float]
    checks: bool = False
    seconds: dict[str, list[float]] = field(default_factory=dict)

    def run(self, case: Case, path: Path) -> None:
        database.reset(self.engine)
        self.seconds.setdefault(case.name, []).append(self.load(path))
        with self.engine.connect() as connection:
            written = connection.scalar(sa.text("SELECT count(*) FROM clients WHERE last_name = 'New'"))
        expected = (case.good if self.checks else len(case.numbers)) if case.last_name else 0
        if written != expected:
            raise AssertionError(f"{self.name}: {case.name}: {written} rows were written, not {expected}")


def seconds_of(do: Callable[[], object], collect: bool = True) -> float:
    if collect:
        gc.collect()
    start = time.perf_counter()
    do()
    return time.perf_counter() - start


def ours(engine: sa.Engine, folder: Path, collect: bool = True) -> Callable[[Path], float]:
    """Measure all steps of one file. What the last file left in caches is forgotten, as each task starts without it."""
    feed = Feed(name="bench", title="Bench", max_records=10**7, max_bytes=2**40)
    storage = Storage(folder / "storage")

    def load(path: Path) -> float:
        email_addresses._ascii_domain.cache_clear()
        return seconds_of(lambda: import_file(path, feed=feed, engine=engine, storage=storage), collect)

    return load


@contextmanager
def peer(name: str, url: str) -> Iterator[Callable[[Path], float]]:
    command = [str(ROOT / ".bench/bin/python"), "-m", "benchmarks.peers", name, url]
    with subprocess.Popen(
        command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    ) as process:  # fmt: skip

        def answer_to(path: Path | None = None) -> float:
            if path is not None:
                print(path, file=process.stdin, flush=True)
            answer = process.stdout.readline()
            if not answer:
                raise RuntimeError(f"{name} died")
            return float(answer) if path is not None else 0.0

        answer_to()
        yield answer_to
        process.stdin.close()


def start_contenders(stack: ExitStack, url: Callable[[str], str], folder: Path, peers: list[str]) -> list[Contender]:
    engine = database.build(url("bench"))
    plain = psycopg.connect(url("bench"))
    stack.callback(plain.close)
    contenders = [
        Contender("floor", engine, lambda path: seconds_of(lambda: floor.load(plain, path))),
        Contender("ours", engine, ours(engine, folder), checks=True),
    ]
    for name in peers:
        own = database.build(url(name)) if name.startswith("dlt") else engine
        contenders.append(Contender(PEERS[name], own, stack.enter_context(peer(name, url(own.url.database)))))
        if own is not engine:
            _fill_own_columns(own)
    for each in {contender.engine for contender in contenders}:
        stack.callback(each.dispose)
        database.fill(each, range(EXISTING))
        database.remember(each)
    return contenders


def _fill_own_columns(engine: sa.Engine) -> None:
    """Give dlt's own columns a default value, so that it recognises clients that it did not load itself."""
    with engine.begin() as connection:
        connection.execute(sa.text("TRUNCATE clients CASCADE"))
        added = sa.text(
            r"SELECT attname FROM pg_attribute WHERE attrelid = 'clients'::regclass AND attname LIKE '\_dlt%'"
        )
        for column in connection.scalars(added).all():
            connection.execute(sa.text(f"ALTER TABLE clients ALTER {column} SET DEFAULT gen_random_uuid()"))


def measure(contenders: list[Contender], case: Case, runs: int, folder: Path) -> None:
    path = client_files.write(folder / "clients.csv", case.numbers, case.last_name, case.failed_each)
    for number in range(runs + 1):
        for each in contenders:
            if each.name in ("floor", "ours") or _is_worth_it(each, case):
                each.run(case, path)
                if number == 0 and each.seconds[case.name][0] < PATIENCE / 4:
                    each.seconds[case.name].clear()  # the first run warms up


def _is_worth_it(peer: Contender, case: Case) -> bool:
    """False for failed rows, after too long, and where a smaller file shows that it will take too long."""
    expected = [seconds / 5000 * len(case.numbers) for seconds in peer.seconds.get(CASES[1].name, ())]
    spent = sum(peer.seconds.get(case.name, ()))
    return not case.failed_each and max(spent, min(expected, default=0)) < PATIENCE


def heading(peers: list[Contender]) -> str:
    names = "| | floor | **ours** | ours / floor |" + "".join(f" {peer.name} | / ours |" for peer in peers)
    return f"{names}\n|---|---:|---:|---:|{'---:|---:|' * len(peers)}"


def table_row(contenders: list[Contender], case: Case) -> str:
    base, own, *others = (_median(each, case) for each in contenders)
    shown = "".join(f" {_milliseconds(s)} | {s / own:.1f} |" if s else " - | - |" for s in others)
    return f"| {case.name} | {_milliseconds(base)} | {_milliseconds(own)} | {own / base:.2f} |{shown}"


def _median(contender: Contender, case: Case) -> float:
    return statistics.median(contender.seconds.get(case.name) or [0])


def _milliseconds(seconds: float) -> str:
    return f"{seconds * 1000:,.0f} ms"


def machine() -> str:
    processors = re.findall(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    load = f"load {os.getloadavg()[0]:.1f}"
    return f"{os.cpu_count()} cores ({processors[0].strip()}), {load}, Python {platform.python_version()}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=7, help="of each contender and case; the table has medians")
    parser.add_argument("--peers", nargs="*", default=list(PEERS), choices=list(PEERS), metavar="PEER")
    parser.add_argument("--cases", default="", help="only cases whose name holds this")
    arguments = parser.parse_args()
    cases = [case for case in CASES if arguments.cases in case.name]
    with ExitStack() as stack:
        running, folder = stack.enter_context(database.server())
        contenders = start_contenders(stack, running.url, folder, arguments.peers)
        with contenders[0].engine.connect() as connection:
            version = connection.scalar(sa.text("SHOW server_version"))
        print(f"{datetime.now(UTC):%Y-%m-%d}, {machine()}, PostgreSQL {version}; {EXISTING:,} clients, "
              f"medians of up to {arguments.runs} runs.\n\n{heading(contenders[2:])}", flush=True)  # fmt: skip
        for case in cases:
            measure(contenders, case, arguments.runs, folder)
            print(table_row(contenders, case), flush=True)
    if CASES[1] in cases:
        base, own = (_median(each, CASES[1]) for each in contenders[:2])
        print(f"\nours / floor, {CASES[1].name}: {own / base:.2f}")


if __name__ == "__main__":
    main()
