"""The tasks of `import_clients` in the same order and with the same mapping, but empty: what Airflow itself costs.

Only `make bench-airflow` loads this folder.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
from airflow.sdk import Asset, AssetOrTimeSchedule, AssetWatcher, CronTriggerTimetable, PokeReturnValue, dag, task

from inbox_trigger import InboxTrigger
from include.settings import read_settings

root = read_settings().storage
trigger = InboxTrigger(root=root, inbox="nothing", pattern="*", stable_seconds=0)
inbox = Asset("nothing", uri="nothing://inbox", watchers=[AssetWatcher("inbox_trigger", trigger=trigger)])


@dag(
    schedule=AssetOrTimeSchedule(timetable=CronTriggerTimetable("0 0 1 1 *", timezone="UTC"), assets=[inbox]),
    start_date=datetime(2024, 1, 1),
    catchup=False,
    max_active_runs=1,
    is_paused_upon_creation=False,
)
def do_nothing() -> None:
    @task.sensor(poke_interval=30, mode="poke")
    def sense_inbox() -> PokeReturnValue:
        paths = sorted(Path(root, "inbox", "nothing").glob("*.csv"))
        for path in paths:
            path.unlink()
        return PokeReturnValue(True, [{"file_name": path.name} for path in paths])

    @task
    def validate_and_prepare(file: dict[str, str]) -> None: ...

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

    sensed, merged, held = sense_inbox(), merge(), held_imports()
    validate_and_prepare.expand(file=sensed) >> merged
    sensed >> merged >> [email_summary(), announce(), outcome()]
    merged >> held
    TriggerDagRunOperator.partial(task_id="ask_a_person", trigger_dag_id="do_nothing").expand_kwargs(held)


do_nothing()
