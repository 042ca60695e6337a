"""Where the time of one file goes, in CPU time of the importer and of the server: `make bench-phases`.

A busy machine changes CPU time less than elapsed time; the least of several runs is shown. Linux only (/proc).
"""

from __future__ import annotations

import argparse
import gc
import time
from collections.abc import Callable
from functools import wraps
from pathlib import Path

import psycopg
import sqlalchemy as sa

from benchmarks import client_files, database, floor
from benchmarks.speed import CASES, EXISTING, ours
from include.steps import import_file as all_steps

STEPS = ("receive_copy", "validate", "prepare", "merge", "archive", "result_of")
Spent = dict[tuple[str, str], float]


def cpu_of(process: int) -> float:
    """Give the milliseconds of CPU that a process has used so far."""
    return int(Path(f"/proc/{process}/schedstat").read_text().split()[0]) / 1e6


class Watch:
    """Adds up the CPU time of the importer by step, and of the server by statement."""

    def __init__(self, engine: sa.Engine) -> None:
        self.spent: Spent = {}
        for name in STEPS:
            setattr(all_steps, name, self._timed(name, getattr(all_steps, name)))
        sa.event.listen(engine, "before_cursor_execute", self._before)
        sa.event.listen(engine, "after_cursor_execute", self._after)

    def add(self, process: str, part: str, milliseconds: float) -> None:
        self.spent[process, part] = self.spent.get((process, part), 0) + milliseconds

    def _timed(self, name: str, step: Callable[..., object]) -> Callable[..., object]:
        @wraps(step)
        def timed(*args: object, **keys: object) -> object:
            start = time.process_time()
            try:
                return step(*args, **keys)
            finally:
                self.add("importer", name, (time.process_time() - start) * 1000)

        return timed

    def _before(self, connection, _cursor, _statement, _parameters, context, _many) -> None:
        context.cpu_before = cpu_of(_server_of(connection))

    def _after(self, connection, _cursor, statement, _parameters, context, _many) -> None:
        words = " ".join(statement.split()[:3])
        self.add("server", words, cpu_of(_server_of(connection)) - context.cpu_before)


def _server_of(connection: sa.Connection) -> int:
    return connection.connection.dbapi_connection.info.backend_pid


def _servers(engine: sa.Engine) -> list[int]:
    with engine.connect() as connection:
        query = (
            "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' AND datname = current_database()"
        )
        return list(connection.scalars(sa.text(query)))


def total_of(engine: sa.Engine, do: Callable[[], object]) -> tuple[float, float]:
    """Give the CPU time of importer and server, in milliseconds."""
    database.reset(engine)
    servers = _servers(engine)
    gc.collect()
    server, importer = sum(map(cpu_of, servers)), time.process_time()
    do()
    return (time.process_time() - importer) * 1000, sum(map(cpu_of, servers)) - server


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--case", default="5,000 rows updated", choices=[case.name for case in CASES])
    parser.add_argument("--runs", type=int, default=7)
    arguments = parser.parse_args()
    case = next(case for case in CASES if case.name == arguments.case)
    with database.server() as (running, folder):
        engine = database.build(running.url("phases"))
        database.fill(engine, range(EXISTING))
        database.remember(engine)
        path = client_files.write(folder / "clients.csv", case.numbers, case.last_name, case.failed_each)
        plain = psycopg.connect(running.url("phases"))
        least_floor = min(sum(total_of(engine, lambda: floor.load(plain, path))) for _ in range(arguments.runs))
        load = ours(engine, folder, collect=False)
        load(path)
        watch = Watch(engine)
        runs: list[tuple[float, float, Spent]] = []
        for _ in range(arguments.runs):
            watch.spent = {}
            importer, server = total_of(engine, lambda: watch.spent.clear() or load(path))
            runs.append((importer, server, watch.spent))
        plain.close()
        engine.dispose()
    print(f"{case.name}: floor {least_floor:.0f} ms of CPU\n\n| | importer | server |\n|---|---:|---:|")
    print("\n".join(_table(runs, least_floor)))


def _table(runs: list[tuple[float, float, Spent]], least_floor: float) -> list[str]:
    least = {key: min(run[2].get(key, 0) for run in runs) for key in runs[-1][2]}
    steps = [f"| step `{name}` | {least['importer', name]:.1f} | |" for name in STEPS]
    by_server = [(ms, part) for (process, part), ms in least.items() if process == "server" and ms >= 1]
    statements = sorted(by_server, reverse=True)
    shown = [f"| `{part} ...` | | {ms:.1f} |" for ms, part in statements]
    importer, server = min(run[0] for run in runs), min(run[1] for run in runs)
    rest = server - sum(ms for ms, _ in statements)
    ratio = (importer + server) / least_floor
    return [
        *steps, *shown, f"| COPY, commits, other statements | | {rest:.1f} |",
        f"| all | {importer:.0f} | {server:.0f} |", f"\nCPU of ours / CPU of the floor: {ratio:.2f}",
    ]  # fmt: skip


if __name__ == "__main__":
    main()
