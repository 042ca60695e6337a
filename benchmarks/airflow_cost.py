"""What Airflow costs beside our own work: `make bench-airflow`, or `python -m benchmarks.airflow_cost NAME`.

latency   from a file in the inbox to its merge, beside a DAG of the same shape that does nothing
parse     reading the DAG file, with 1 and with 100 feeds, beside an empty one
idle      what 100 watched feeds cost while no file comes
backlog   files a minute through the DAG, beside `import_file` in a loop

ROUNDS, FILES, FEEDS and RECORDS set the size. Airflow settings of the environment (AIRFLOW__...) are added to the
demo's in latency and backlog. With PRELOAD=0 no library is loaded before tasks fork.
"""

from __future__ import annotations

import itertools
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.installation import FEED, Installation, installation
from include.adapters.files.storage import Storage
from include.schemas.feed import Feed
from include.settings import ROOT
from include.steps.import_file import import_file

ROUNDS = int(os.environ.get("ROUNDS", "9"))
FILES = int(os.environ.get("FILES", "40"))
FEEDS = int(os.environ.get("FEEDS", "1"))
RECORDS = int(os.environ.get("RECORDS", "5000"))
MERGED = (
    "SELECT extract(epoch FROM max(end_date)) FROM task_instance"
    " WHERE dag_id = :dag AND task_id = 'merge' AND state = 'success'"
)

_TASKS = ("sense_inbox", "validate_and_prepare", "merge")
# When the newest run was made, and when each of these tasks was queued, started and ended.
_MOMENTS = f"""
    SELECT json_agg(extract(epoch FROM moment) ORDER BY task, number) FROM (
        SELECT 0 AS task, 0 AS number, queued_at AS moment FROM dag_run WHERE run_id = :run
        UNION ALL
        SELECT array_position(ARRAY{list(_TASKS)}, task_id::text), number, moment
        FROM task_instance, LATERAL (VALUES (1, queued_dttm), (2, start_date), (3, end_date)) v(number, moment)
        WHERE run_id = :run AND dag_id = :dag AND task_id = ANY(ARRAY{list(_TASKS)})) moments
"""
_NEWEST_RUN = "SELECT run_id FROM dag_run WHERE dag_id = :dag ORDER BY queued_at DESC LIMIT 1"


def content_of(number: int, records: int) -> bytes:
    lines = (f"Ann{n},Lee,ann{n}.of{number}@example.com\n" for n in range(records))
    return ("First Name,Last Name,Email\n" + "".join(lines)).encode()


def _settings() -> dict[str, str]:
    settings = {name: value for name, value in os.environ.items() if name.startswith("AIRFLOW__")}
    return settings | ({"PYTHONPATH": str(ROOT)} if os.environ.get("PRELOAD") == "0" else {})


def latency() -> None:
    with installation(FEEDS, **_settings()) as airflow:
        for dag, inbox in (("import_clients__feed0", "feed0"), ("do_nothing", "nothing")):
            _dropped_to_merged(airflow, dag, inbox, 0, 1)  # the first run loads the libraries
        size = _metadata_kib(airflow)
        for records in (1, RECORDS):
            ours, empty = [], []
            our_parts, empty_parts = [], []
            for n in range(ROUNDS):
                number = records * 1000 + n + 1
                ours.append(_dropped_to_merged(airflow, "import_clients__feed0", "feed0", number, records))
                our_parts.append(_parts(airflow, "import_clients__feed0", ours[-1]))
                empty.append(_dropped_to_merged(airflow, "do_nothing", "nothing", number, records))
                empty_parts.append(_parts(airflow, "do_nothing", empty[-1]))
            a, b = statistics.median(ours), statistics.median(empty)
            print(f"{records:>5} records, {FEEDS} feeds: merged after {a:.1f} s ({min(ours):.1f} to {max(ours):.1f}); "
                  f"empty tasks: {b:.1f} s ({min(empty):.1f} to {max(empty):.1f}); {a / b:.2f} x")  # fmt: skip
            _print_parts(our_parts, empty_parts)
        print(f"Airflow's own database grew by {(_metadata_kib(airflow) - size) / (4 * ROUNDS):.0f} KiB a run")


def _dropped_to_merged(airflow: Installation, dag: str, inbox: str, number: int, records: int) -> float:
    content, began = content_of(number, records), time.time()
    airflow.drop(inbox, f"{number}.csv", content)
    airflow.wait(MERGED, began, dag=dag)
    merged = float(airflow.query(MERGED, dag=dag))
    airflow.wait("SELECT -count(*) FROM dag_run WHERE state IN ('running', 'queued')", 0)
    return merged - began


def _print_parts(ours: list[list[float]], empty: list[list[float]]) -> None:
    names = ["the run is made", *(f"{task} {what}" for task in _TASKS for what in ("is queued", "starts", "ends"))]
    for n, name in enumerate(names):
        ours_each, empty_each = (statistics.median(parts[n] for parts in each) for each in (ours, empty))
        print(f"      until {name:<32} {ours_each:.2f} s; empty tasks: {empty_each:.2f} s")


def _parts(airflow: Installation, dag: str, seconds: float) -> list[float]:
    """Split the seconds from the drop to the merge of the newest run: until the run was made, then for each task."""
    moments = airflow.query(_MOMENTS, dag=dag, run=airflow.query(_NEWEST_RUN, dag=dag))
    dropped = moments[-1] - seconds
    return [after - before for before, after in itertools.pairwise([dropped, *moments])]


def parse() -> None:
    with tempfile.TemporaryDirectory() as folder:
        empty = Path(folder, "empty.py")
        empty.write_text("from airflow.sdk import dag\n\n\n@dag\ndef empty(): ...\n\n\nempty()\n")
        for feeds in (1, 100):
            place = Path(folder, str(feeds))
            place.mkdir()
            for n in range(feeds):
                (place / f"feed{n}.yaml").write_text(FEED.format(name=f"feed{n}"))
            print(f"import_clients.py, {feeds:>3} feed(s): {_parsed(ROOT / 'dags' / 'import_clients.py', place):.3f} s")
        print(f"empty DAG file:              {_parsed(empty, Path(folder)):.3f} s")


_PARSE = """
import sys, time, structlog
from pathlib import Path
from airflow.dag_processing.processor import DagFileParseRequest, _parse_file, _pre_import_airflow_modules
log = structlog.get_logger()
_pre_import_airflow_modules(sys.argv[1], log)
began = time.perf_counter()
request = DagFileParseRequest(file=sys.argv[1], bundle_path=Path(sys.argv[1]).parent, bundle_name="bench")
result = _parse_file(request, log)
assert not result.import_errors, result.import_errors
print(time.perf_counter() - began, file=sys.stderr)
"""


def _parsed(file: Path, feeds: Path) -> float:
    """Give the seconds to read and serialize the file as the DAG processor does it in a fork; the median of ROUNDS."""
    paths = f"{ROOT}:{ROOT / 'config'}:{ROOT / 'plugins'}"
    variables = {**os.environ, "CLIENT_IMPORTS_FEEDS": str(feeds), "PYTHONPATH": paths,
                 "CLIENT_IMPORTS_STORAGE": str(feeds), "AIRFLOW__CORE__LOAD_EXAMPLES": "False"}  # fmt: skip

    def once() -> float:
        done = subprocess.run(
            [sys.executable, "-c", _PARSE, str(file)], env=variables, capture_output=True, text=True, check=True
        )
        return float(done.stderr.splitlines()[-1])

    return statistics.median(once() for _ in range(ROUNDS))


def idle() -> None:
    for feeds in (1, 100):
        with installation(feeds) as airflow:
            time.sleep(30)
            parts = ("triggerer", "scheduler", "dag-processor")
            before = {name: _cpu(airflow, name) for name in parts}
            runs = airflow.query("SELECT count(*) FROM dag_run")
            time.sleep(60)
            new = airflow.query("SELECT count(*) FROM dag_run") - runs
            used = ", ".join(f"{name} {(_cpu(airflow, name) - before[name]) / 60:.1%}" for name in parts)
            print(f"{feeds:>3} idle feeds, 60 s: {new} runs; of a core: {used}")


def _cpu(airflow: Installation, name: str) -> float:
    process = airflow.part(name)
    times = [each.cpu_times() for each in (process, *process.children(recursive=True))]
    return sum(each.user + each.system + each.children_user + each.children_system for each in times)


def backlog() -> None:
    with installation(FEEDS, **_settings()) as airflow:
        _dropped_to_merged(airflow, "import_clients__feed0", "feed0", 0, 1)
        began, cpu = time.monotonic(), _cpu(airflow, "scheduler")
        for n in range(FILES):
            airflow.drop(f"feed{n % FEEDS}", f"{n}.csv", content_of(n + 1, RECORDS))
        while _merged(airflow) < FILES + 1:
            time.sleep(0.2)
        seconds = time.monotonic() - began
        cpu = _cpu(airflow, "scheduler") - cpu  # tasks are descendants of the scheduler
        print(f"{FILES} files of {RECORDS} records through the DAG of {FEEDS} feed(s): {_speed(seconds, cpu)}")
        began, cpu = time.monotonic(), time.process_time()
        _in_a_loop(airflow)
        alone = time.monotonic() - began
        print(f"in a loop of import_file: {_speed(alone, time.process_time() - cpu)}; {seconds / alone:.2f} x")


def _metadata_kib(airflow: Installation) -> float:
    return float(airflow.query("SELECT pg_database_size(current_database()) / 1024.0"))


def _speed(seconds: float, cpu: float) -> str:
    return f"{seconds:.0f} s, {FILES * 60 / seconds:.0f} a minute, {cpu / FILES:.2f} s of processor a file"


def _merged(airflow: Installation) -> int:
    with airflow.clients.connect() as connection:
        return int(connection.exec_driver_sql("SELECT count(*) FROM imports WHERE state = 'merged'").scalar_one())


def _in_a_loop(airflow: Installation) -> None:
    """Import files with new addresses into the same database, so that each file creates as many clients as before."""
    feed, storage = Feed(name="loop", title="loop"), Storage(airflow.home / "storage")
    path = airflow.home / "loop.csv"
    for n in range(FILES):
        path.write_bytes(content_of(1_000_000 + n, RECORDS))
        import_file(path, feed=feed, engine=airflow.clients, storage=storage)


def main() -> None:
    parts: dict[str, Callable[[], None]] = {each.__name__: each for each in (latency, parse, idle, backlog)}
    for name in sys.argv[1:] or parts:
        parts[name]()


if __name__ == "__main__":
    main()
