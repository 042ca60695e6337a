"""docker-compose.yml's Airflow with two Celery workers, of which one is killed in the middle of a merge.

The result is that of one process: no row lost or doubled, every file merged, every listener informed.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest
import sqlalchemy as sa

from demo import reference_data
from include.adapters.database.engine import engine_from_url
from include.adapters.files.storage import Storage
from include.schemas.feed import Feed
from include.steps.import_file import import_file
from tests.compose_file import filled_in
from tests.faults.cluster import REDIS, Cluster, redis_database, redis_is_there, running, start_init, with_this_python

SECRETS = {
    "POSTGRES_PASSWORD": "in-the-url", "CLIENTS_OWNER_PASSWORD": "in-the-url", "CLIENTS_PASSWORD": "in-the-url",
    "REDIS_PASSWORD": "in-the-url", "ADMIN_PASSWORD": "-starts-with-a-dash",
    "JWT_SECRET": "j" * 43, "API_SECRET_KEY": "a" * 43, "FERNET_KEY": "f" * 43 + "=",
    "AIRFLOW_CONN_SMTP_DEFAULT": "{}",
}  # fmt: skip
FEEDS = ("north", "south", "east", "west")
ROWS = 300
LISTENER = """
from airflow.sdk import Asset, dag, task

@dag(schedule=[Asset("clients", uri="crm://clients")], is_paused_upon_creation=False)
def listener():
    @task
    def hear(triggering_asset_events=None):
        return [fact["import_id"] for events in triggering_asset_events.values() for event in events
                for fact in event.extra["imports"]]
    hear()

listener()
"""


pytestmark = [
    pytest.mark.skipif("TEST_WHOLE" not in os.environ, reason="takes minutes: make test-whole"),
    pytest.mark.skipif(not redis_is_there(), reason=f"no Redis at {REDIS}, which Celery's workers need"),
]


def files_of(feed: str) -> list[tuple[str, str]]:
    """The first file creates, the second changes every third client and adds some, the third has failed rows."""
    header = "First Name,Last Name,Email,Username\n"
    first = [f"Ann,{n},{feed}{n}@example.com,{feed}-{n}\n" for n in range(ROWS)]
    second = [f"Bea,{n},{feed}{n}@example.com,\n" for n in range(0, ROWS + 30, 3)]
    third = [f"{'Cat' if n % 2 else ''},{n},{feed}{n}@example.com,\n" for n in range(0, 40)]
    return [(f"{n}.csv", header + "".join(rows)) for n, rows in enumerate((first, second, third))]


@pytest.fixture(scope="module")
def cluster(postgres, tmp_path_factory) -> Iterator[Cluster]:
    """Everything but the workers, after what the container `airflow-init` does."""
    home = tmp_path_factory.mktemp("cluster")
    for folder in ("feeds", "listeners", *(f"storage/inbox/{feed}" for feed in FEEDS)):
        (home / folder).mkdir(parents=True)
    (home / "listeners" / "listener.py").write_text(LISTENER)
    for feed in FEEDS:
        text = f"title: {feed}\nstable_seconds: 0\nnotify: {{to: [{feed}@example.com]}}\n"
        (home / "feeds" / f"{feed}.yaml").write_text(text)
    with redis_database() as broker, running(home, postgres, broker, SECRETS) as cluster:
        with start_init(SECRETS, cluster.settings, home / "init") as first:
            output = first.communicate(timeout=300)[0]
        assert first.returncode == 0, output
        filler = engine_from_url(cluster.crm.url)
        reference_data.load(filler)
        filler.dispose()
        for name in ("api-server", "scheduler", "dag-processor"):
            cluster.start(name, name)
        cluster.wait_for("the API server", lambda: cluster.log_in("admin", SECRETS["ADMIN_PASSWORD"]))
        for dag in (*(f"import_clients__{feed}" for feed in FEEDS), "listener"):
            cluster.wait_for(dag, lambda dag=dag: cluster.api(f"api/v2/dags/{dag}"))
        yield cluster


@pytest.fixture
def two_workers(cluster) -> Cluster:
    for name in ("one", "two"):
        if name not in cluster.processes:
            cluster.start(name, "celery", "worker", "--celery-hostname", f"{name}@%h")
    return cluster


CLIENTS = "SELECT email, username, first_name, last_name, project, desk, active, type FROM clients ORDER BY email"
COUNTS = ("SELECT feed, file_name, state, read, created, updated, unchanged, duplicate, failed, filed "
          "FROM imports ORDER BY feed, file_name")  # fmt: skip


@pytest.mark.timeout(900)
def test_a_worker_killed_in_the_middle_of_a_merge_changes_nothing_about_the_result(two_workers, engine, tmp_path):
    cluster, crm, airflow = two_workers, two_workers.crm, two_workers.airflow
    for feed in FEEDS:
        drop(cluster, feed)
    with blocked_merge(cluster, FEEDS[0]) as worker:
        for feed in FEEDS[1:]:
            trigger(cluster, feed)
        # All in their merge: what the worker has only received would be queued again after ten minutes.
        merging = "SELECT 1 FROM task_instance WHERE state = 'running' AND task_id = 'merge'"
        cluster.wait_for("the other feeds' merges", lambda: len(airflow.query(merging)) == len(FEEDS))
        assert crm.query("SELECT 1 FROM clients") == []
        cluster.kill(worker)
    runs = cluster.wait_for("all runs", lambda: ended(cluster, len(FEEDS)), seconds=400)
    assert {run["state"] for run in runs} == {"success"}, cluster.logs()
    (merge,) = tries_of_merge(cluster, FEEDS[0])
    assert merge["try_number"] > 1, "the killed merge was tried again"

    import_alone(engine, tmp_path)
    assert crm.query(CLIENTS) == rows(engine, CLIENTS) and crm.query(COUNTS) == rows(engine, COUNTS)
    lost = "SELECT 1 FROM imports i WHERE read <> (SELECT count(*) FROM import_rows WHERE import_id = i.id)"
    assert crm.query(lost) == [] and list((cluster.home / "storage" / "inbox").rglob("*.csv")) == []
    imports = {str(row["id"]) for row in crm.query("SELECT id FROM imports")}
    cluster.wait_for("the listener", lambda: heard(cluster) == imports)
    created = sum(each.value for each in cluster.statsd.ours() if each.tags.get("outcome") == "created")
    assert created >= crm.query("SELECT sum(created) AS n FROM imports")[0]["n"]
    mails = [path.read_text() for path in (cluster.home / "mail").glob("*.eml")]
    assert {text.partition("To: ")[2].partition("@")[0] for text in mails} == set(FEEDS)


@pytest.mark.timeout(900)
def test_a_worker_that_is_asked_to_stop_finishes_its_merge_first(two_workers):
    cluster = two_workers
    before = len(ended(cluster))
    drop(cluster, FEEDS[0], "First Name,Email\nDan,dan@example.com\n")
    with blocked_merge(cluster, FEEDS[0]) as worker:
        stopped = cluster.processes.pop(worker)
        stopped.terminate()  # the container's first process, and only that one (DUMB_INIT_SETSID)
    cluster.wait_for("the worker's end", lambda: stopped.poll() is not None)
    assert cluster.crm.query("SELECT 1 FROM clients WHERE email = 'dan@example.com'")
    cluster.wait_for("the run", lambda: ended(cluster, before + 1))
    assert [merge["try_number"] for merge in tries_of_merge(cluster, FEEDS[0])][-1] == 1


@pytest.mark.timeout(900)
def test_a_second_up_changes_nothing_and_the_containers_own_checks_find_them_healthy(two_workers):
    cluster = two_workers
    with start_init(SECRETS, cluster.settings, cluster.home / "init") as second:
        for service in ("airflow-dag-processor", "airflow-worker"):
            cluster.wait_for(f"{service} to be healthy", lambda service=service: is_healthy(cluster, service))
        output = second.communicate(timeout=300)[0]
    assert second.returncode == 0, output
    assert "admin already exists" in output and "Added 0 permission(s)" in output


def is_healthy(cluster: Cluster, service: str) -> bool:
    """Run the container's own check; the workers are called one and two."""
    kind, command = filled_in(SECRETS)["services"][service]["healthcheck"]["test"]
    assert kind == "CMD-SHELL"
    (host,) = {job["hostname"] for job in cluster.airflow.query("SELECT hostname FROM job")}
    name = f"one@{host}" if service == "airflow-worker" else host
    command = command.replace('"celery@${HOSTNAME}"', name).replace('"${HOSTNAME}"', name)
    own = {"PATH": with_this_python(cluster.settings["PATH"]), "AIRFLOW_HOME": str(cluster.home / "check")}
    return subprocess.run(["sh", "-c", command], env=cluster.settings | own, capture_output=True).returncode == 0


def drop(cluster: Cluster, feed: str, text: str = "") -> None:
    for name, content in [("extra.csv", text)] if text else files_of(feed):
        (cluster.home / "storage" / "inbox" / feed / f"{feed}-{name}").write_text(content)


# A lock would not do: a merge gives way to it. The function reads the table anew in each round of its loop.
# The function has the rights of its owner: the account of tasks may not read the table.
BLOCK = """
    CREATE TABLE blocks_merges (reason text);
    INSERT INTO blocks_merges VALUES ('a test');
    CREATE FUNCTION wait_while_blocked() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN
        WHILE EXISTS (SELECT 1 FROM blocks_merges) LOOP PERFORM pg_sleep(0.05); END LOOP;
        RETURN NULL;
    END $$;
    CREATE TRIGGER wait_while_blocked BEFORE INSERT ON import_rows EXECUTE FUNCTION wait_while_blocked()
"""
LET_GO_ON = ("DELETE FROM blocks_merges", "DROP FUNCTION wait_while_blocked CASCADE", "DROP TABLE blocks_merges")


@contextmanager
def blocked_merge(cluster: Cluster, feed: str) -> Iterator[str]:
    """Start the feed; inside, its merge has written clients and cannot commit. Gives the worker that runs it."""
    waits = "SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND query ILIKE '%INSERT INTO import_rows%'"
    merging = "SELECT pid FROM task_instance WHERE task_id = 'merge' AND state = 'running'"
    cluster.crm.query(BLOCK)
    try:
        trigger(cluster, feed)
        cluster.wait_for("a merge that waits before its commit", lambda: cluster.crm.query(waits))
        (merge,) = cluster.airflow.query(merging)
        parents = {parent.pid for parent in psutil.Process(merge["pid"]).parents()}
        yield next(name for name in ("one", "two") if cluster.processes[name].pid in parents)
    finally:
        for statement in LET_GO_ON:
            cluster.crm.query(statement)


def ended(cluster: Cluster, number: int = 0) -> list[dict[str, Any]]:
    """The runs of all feeds that have ended, once there are so many."""
    runs = cluster.airflow.query(
        "SELECT state FROM dag_run WHERE dag_id LIKE 'import_clients__%' AND state IN ('success', 'failed')"
    )
    return runs if len(runs) >= number else []


def tries_of_merge(cluster: Cluster, feed: str) -> list[dict[str, Any]]:
    return cluster.airflow.query(
        "SELECT try_number FROM task_instance WHERE task_id = 'merge' AND dag_id = %s ORDER BY start_date",
        f"import_clients__{feed}",
    )


def import_alone(engine: sa.Engine, folder: Path) -> None:
    """The same files, in one process, without Airflow."""
    for feed in FEEDS:
        for name, text in files_of(feed):
            path = folder / f"{feed}-{name}"
            path.write_text(text)
            storage = Storage(folder / "alone")
            import_file(path, feed=Feed(name=feed, title=feed), engine=engine, storage=storage)


def trigger(cluster: Cluster, feed: str) -> None:
    cluster.api(f"api/v2/dags/import_clients__{feed}/dagRuns", {"logical_date": None})


def heard(cluster: Cluster) -> set[str]:
    runs = cluster.api("api/v2/dags/listener/dagRuns")["dag_runs"]
    path = "api/v2/dags/listener/dagRuns/{}/taskInstances/hear/xcomEntries/return_value"
    values = [cluster.api(path.format(run["dag_run_id"]))["value"] for run in runs if run["state"] == "success"]
    return {import_id for value in values for import_id in (json.loads(value) if isinstance(value, str) else value)}


def rows(engine: sa.Engine, sql: str) -> list[dict]:
    with engine.connect() as connection:
        return [dict(row._mapping) for row in connection.execute(sa.text(sql))]
