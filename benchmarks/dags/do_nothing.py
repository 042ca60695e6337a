"""The tasks of `import_clients`, the same order and the same mapping, and nothing done in them: what Airflow costs.

Only for `make bench-airflow`; no installation of ours loads this folder.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
from airflow.sdk import Asset, AssetOrTimeSchedule, AssetWatcher, CronTriggerTimetable, dag, task, task_group
from inbox_trigger import InboxTrigger

from include.settings import read_settings

root = read_settings().storage
doorbell = InboxTrigger(root=root, inbox="nothing", pattern="*", stable_seconds=0, require_done_file=False)
inbox = Asset("nothing", uri="nothing://inbox", watchers=[AssetWatcher("doorbell", trigger=doorbell)])


@dag(
    schedule=AssetOrTimeSchedule(timetable=CronTriggerTimetable("0 0 1 1 *", timezone="UTC"), assets=[inbox]),
    start_date=datetime(2024, 1, 1),
    catchup=False,
    max_active_runs=1,
    is_paused_upon_creation=False,
)
def do_nothing() -> None:
    @task.sensor(poke_interval=30, mode="poke")
    def sense_inbox() -> bool:
        return True

    @task
    def receive() -> list[dict[str, str]]:
        found = sorted(Path(root, "inbox", "nothing").glob("*.csv"))
        for path in found:
            path.unlink()
        return [{"file_name": path.name} for path in found]

    @task
    def validate(file: dict[str, str]) -> None: ...

    @task
    def prepare(file: dict[str, str]) -> None: ...

    @task_group
    def each_file(file: dict[str, str]) -> None:
        validate(file) >> prepare(file)

    @task(trigger_rule="none_skipped")
    def merge() -> None: ...

    @task(trigger_rule="none_skipped")
    def email_summary() -> None: ...

    @task(trigger_rule="none_skipped")
    def announce() -> None: ...

    @task(trigger_rule="none_skipped")
    def outcome() -> None: ...

    @task(trigger_rule="none_skipped")
    def held_imports() -> list[dict[str, str]]:
        return []

    taken, done, held = receive(), merge(), held_imports()
    sense_inbox() >> taken
    each_file.expand(file=taken) >> done
    taken >> done >> [email_summary(), announce(), outcome()]
    done >> held
    TriggerDagRunOperator.partial(task_id="ask_a_person", trigger_dag_id="do_nothing").expand_kwargs(held)


do_nothing()
