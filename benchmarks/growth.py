"""How time and memory grow, with the file and with the client table: `make bench-growth`.

Each file of the first table is imported by a process of its own, so that the peak memory is that file's.
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
    """Import one file and print its seconds and memory. A small file goes first, so that libraries are loaded."""
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
        measured = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        yield (f"| {size:,} | {measured['seconds']:.2f} | {measured['seconds'] / size * 1e6:.0f} "
               f"| {measured['peak']:,.0f} MiB | {measured['before']:,.0f} MiB |")  # fmt: skip
    database.empty(engine)
    engine.dispose()


def by_clients(url: str, folder: Path, sizes: list[int]) -> Iterator[str]:
    """Measure a file of new clients, and one of existing clients from all parts of the table, beside the floor."""
    yield "| clients | inserted: floor | ours | updated: floor | ours |\n|---:|---:|---:|---:|---:|"
    engine = database.build(url)
    plain = psycopg.connect(url)
    load = ours(engine, folder)
    existing = 0
    for size in sizes:
        database.fill(engine, range(existing, size))
        existing = size
        cells = []
        for update in (False, True):
            for importer in (lambda path: _seconds(plain, path), load):
                cells.append(_median(engine, folder, importer, size, update) if size or not update else "-")
        yield f"| {size:,} | " + " | ".join(cells) + " |"
    plain.close()
    engine.dispose()


def _seconds(plain: psycopg.Connection, path: Path) -> float:
    start = time.perf_counter()
    floor.load(plain, path)
    return time.perf_counter() - start


def _median(engine: sa.Engine, folder: Path, importer: Callable[[Path], float], size: int, update: bool) -> str:
    seconds = []
    for run in range(RUNS + 1):
        numbers = range(run, size, size // ROWS)[:ROWS] if update else range(10**8, 10**8 + ROWS)
        path = client_files.write(folder / "clients.csv", numbers, f"Run{time.time_ns()}")
        seconds.append(importer(path))
        if not update:
            with engine.begin() as connection:
                connection.execute(sa.text("DELETE FROM clients WHERE last_name LIKE 'Run%' AND id = ANY(:ids)"),
                                   {"ids": [client_files.client(number)[0] for number in numbers]})  # fmt: skip
        database.tidy(engine)
    return f"{statistics.median(seconds[1:]) * 1000:,.0f} ms"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--one-file", nargs=2, metavar=("URL", "FILE"), help="(what the first table runs)")
    parser.add_argument("--records", nargs="*", type=int, default=list(RECORDS))
    parser.add_argument("--clients", nargs="*", type=int, default=list(EXISTING))
    arguments = parser.parse_args()
    if arguments.one_file:
        return one_file(*arguments.one_file)
    with database.server() as (running, folder):
        if arguments.records:
            print("\n".join([*by_records(running.url("records"), folder, arguments.records), ""]), flush=True)
        if arguments.clients:
            print("\n".join(by_clients(running.url("clients"), folder, arguments.clients)))
    return None


if __name__ == "__main__":
    main()
