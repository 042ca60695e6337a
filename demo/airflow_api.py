"""Ask the demo's Airflow through its public API."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote
from urllib.request import Request, urlopen

_UNFINISHED = "state=queued&state=running"


@dataclass
class AirflowApi:
    """The API server at a port of this machine. Each call gives None, or nothing, while it does not answer."""

    port: int
    passwords: Path
    _token: str = field(default="", init=False, repr=False)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def password(self) -> str:
        return str(json.loads(self.passwords.read_text())["admin"])

    def log_in(self) -> bool:
        with suppress(OSError, KeyError, ValueError):
            answer = self._call("/auth/token", {"username": "admin", "password": self.password()})
            self._token = str(answer["access_token"])
            return True
        return False

    def trigger(self, dag_id: str) -> bool:
        return bool(self._ask(f"dags/{quote(dag_id)}/dagRuns", {"logical_date": None}))

    def unfinished_runs(self) -> list[dict[str, Any]] | None:
        """List the queued and running runs, except those of DAGs that are switched off."""
        runs = self._ask(f"dags/~/dagRuns?{_UNFINISHED}&order_by=run_after&limit=100")
        paused = self._ask("dags?paused=true&limit=100")
        if runs is None or paused is None:
            return None
        off = {dag["dag_id"] for dag in paused["dags"]}
        return [run for run in runs["dag_runs"] if run["dag_id"] not in off]

    def unfinished_tasks(self, run: dict[str, Any]) -> list[tuple[str, str]]:
        """List (task, state) of the tasks of a run that have begun and are not finished."""
        path = f"dags/{quote(run['dag_id'])}/dagRuns/{quote(run['dag_run_id'], safe='')}/taskInstances?limit=100"
        tasks = (self._ask(path) or {"task_instances": []})["task_instances"]
        ended = (None, "success", "failed", "skipped", "upstream_failed", "removed")
        return [(task["task_id"], task["state"]) for task in tasks if task["state"] not in ended]

    def import_errors(self) -> list[str]:
        errors = self._ask("importErrors?limit=20") or {"import_errors": []}
        return [str(error["filename"]) for error in errors["import_errors"]]

    def _ask(self, path: str, body: object = None) -> Any:
        with suppress(OSError, ValueError):
            return self._call(f"/api/v2/{path}", body)
        return None

    def _call(self, path: str, body: object) -> Any:
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        with urlopen(Request(f"{self.url}{path}", data, headers), timeout=10) as answer:
            return json.load(answer)
