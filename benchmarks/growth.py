"""How time and memory grow, with the file and with the client table: `make bench-growth`.

Every file of the first table goes through a process of its own, whose peak memory is then that file's.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import sqlalchemy as sa

from benchmarks import client_files, database, floor
from benchmarks.speed import ours
from include.adapters.database.engine import engine_from_url

RECORDS = (5_000, 50_000, 100_000, 300_000, 1_000_000)
EXISTING = (0, 1_000_000, 5_000_000)
ROWS, RUNS = 5_000, 5


def one_file(url: str, path: str) -> None:
    """Import one file and say what it took. The small file before it loads what is loaded once."""
    engine = engine_from_url(url)
    load = ours(engine, Path(path).parent)
    load(client_files.write(Path(path).with_name("first.csv"), [0]))
    before = _peak()
    print(json.dumps({"seconds": load(Path(path)), "before": before, "peak": _peak()}))


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def by_records(url: str, folder: Path, sizes: list[int]) -> Iterator[str]:
    yield "| records | seconds | µs a record | peak memory | of it before the file |\n|---:|---:|---:|---:|---:|"
    engine = database.build(url)
    for size in sizes:
        database.empty(engine)
        path = client_files.write(folder / "clients.csv", range(1, size + 1))
        command = [sys.executable, "-W", "ignore", "-m", "benchmarks.growth", "--one-file", url, str(path)]
        took = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        yield (f"| {size:,} | {took['seconds']:.2f} | {took['seconds'] / size * 1e6:.0f} "
               f"| {took['peak']:,.0f} MiB | {took['before']:,.0f} MiB |")  # fmt: skip
    database.empty(engine)
    engine.dispose()


def by_clients(url: str, folder: Path, sizes: list[int]) -> Iterator[str]:
    """A file of new clients, and one of clients that lie all over the table, beside the floor."""
    yield "| clients | inserted: floor | ours | updated: floor | ours |\n|---:|---:|---:|---:|---:|"
    engine = database.build(url)
    plain = psycopg.connect(url)
    load = ours(engine, folder)
    there = 0
    for size in sizes:
        database.resolve_duplicates(engine, range(there, size))
        there = size
        cells = []
        for existing in (False, True):
            for importer in (lambda path: _seconds(plain, path), load):
                cells.append(_median(engine, folder, importer, size, existing) if size or not existing else "-")
        yield f"| {size:,} | " + " | ".join(cells) + " |"
    plain.close()
    engine.dispose()


def _seconds(plain: psycopg.Connection, path: Path) -> float:
    start = time.perf_counter()
    floor.load(plain, path)
    return time.perf_counter() - start


def _median(engine: sa.Engine, folder: Path, importer: Callable[[Path], float], size: int, existing: bool) -> str:
    taken = []
    for run in range(RUNS + 1):
        numbers = range(run, size, size // ROWS)[:ROWS] if existing else range(10**8, 10**8 + ROWS)
        path = client_files.write(folder / "clients.csv", numbers, f"Run{time.time_ns()}")
        taken.append(importer(path))
        if not existing:
            with engine.begin() as connection:
                connection.execute(sa.text("DELETE FROM clients WHERE last_name LIKE 'Run%' AND id = ANY(:ids)"),
                                   {"ids": [client_files.client(number)[0] for number in numbers]})  # fmt: skip
        database.tidy(engine)
    return f"{statistics.median(taken[1:]) * 1000:,.0f} ms"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--one-file", nargs=2, metavar=("URL", "FILE"), help="(what the first table runs)")
    parser.add_argument("--records", nargs="*", type=int, default=list(RECORDS))
    parser.add_argument("--clients", nargs="*", type=int, default=list(EXISTING))
    request = parser.parse_args()
    if request.one_file:
        return one_file(*request.one_file)
    with database.server() as (running, folder):
        if request.records:
            print("\n".join([*by_records(running.url("records"), folder, request.records), ""]), flush=True)
        if request.clients:
            print("\n".join(by_clients(running.url("clients"), folder, request.clients)))
    return None


if __name__ == "__main__":
    main()
