"""One task of the real DAG in a process of its own, which can be killed or stopped at every statement and file change."""

from __future__ import annotations

import ctypes
import errno
import json
import os
import select
import signal
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

from tests.faults.environment import FaultEnvironment

_PR_SET_PDEATHSIG = 1
DISK_FULL = 0  # no signal: from the point on nothing can be written


@dataclass(frozen=True)
class Call:
    """What Airflow starts: a task of a run, for some files if the task is mapped."""

    feed: str
    run_id: str
    task: str
    files: list[dict[str, str]] | None = None
    try_number: int = 1
    params: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.task}[{', '.join(file['file_name'] for file in self.files)}]" if self.files else self.task


@dataclass(frozen=True)
class Ended:
    """`how`: done, skipped, refused (AirflowFailException), error, or killed. `place`: where a signal struck."""

    how: str
    value: Any = None
    place: str = ""


@dataclass
class Worker:
    """A started process. `stops` when a signal at a point was SIGSTOP and has struck."""

    call: Call
    pid: int
    pipe: int
    place: str = ""
    ended: Ended | None = None
    _text: bytes = b""

    def wait(self, seconds: float = 120, *, for_stop: bool = False) -> Ended | None:
        """Give the end; None when there is none after so many seconds, or when the process has stopped (`for_stop`)."""
        until = time.monotonic() + seconds
        while self.ended is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG | (os.WUNTRACED if for_stop else 0))
            self._read()
            if pid and os.WIFSTOPPED(status):
                return None
            if pid:
                self._read()
                os.close(self.pipe)
                self.ended = self._judge(status)
            elif time.monotonic() > until:
                return None
            else:
                select.select([self.pipe], [], [], 0.002)
                time.sleep(0.001)
        return self.ended

    def signal(self, number: int) -> None:
        if self.ended is None:
            os.kill(self.pid, number)

    def _read(self) -> None:
        while select.select([self.pipe], [], [], 0)[0] and (some := os.read(self.pipe, 65536)):
            self._text += some

    def _judge(self, status: int) -> Ended:
        report: dict[str, Any] = {}
        for line in self._text.decode().splitlines():
            report |= json.loads(line)
        self.place = report.get("place", "")
        if os.WIFSIGNALED(status):
            return Ended("killed", place=self.place or "at a random instant")
        return Ended(report.get("how", "error"), report.get("value"), self.place)


def start(environment: FaultEnvironment, call: Call, *, at: int = 0, number: int = signal.SIGKILL) -> Worker:
    """Fork a process for the call. At its `at`-th point (from 1; 0: never) it sends itself the signal.

    With DISK_FULL for the signal, it can write no file from that point on.
    """
    reading, writing = os.pipe()
    pid = os.fork()
    if pid:
        os.close(writing)
        return Worker(call, pid, reading)
    try:
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        log = os.open(environment.home / "tasks.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(log, 1)
        os.dup2(log, 2)
        _work(environment, call, lambda **report: os.write(writing, json.dumps(report).encode() + b"\n"), at, number)
    finally:
        os._exit(0)


def _work(environment: FaultEnvironment, call: Call, report: Callable[..., Any], at: int, number: int) -> None:
    from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException
    from airflow.sdk.execution_time.context import set_current_context

    point = _points(report, at, number)
    _watch(str(environment.storage), point)
    dag = environment.bag.dags[f"import_clients__{call.feed}"]
    task = dag.get_task(call.task)
    empty = dict.fromkeys(("file", "upload", "note"))
    params = {**empty, "force": False, "dry_run": False, **call.params}
    arguments = {"feed_name": call.feed} | ({"files": call.files} if call.files else {})
    run = SimpleNamespace(
        dag_id=dag.dag_id, run_id=call.run_id, run_type="manual", start_date=datetime.now(UTC),
        triggering_user_name="faults", conf={},
    )  # fmt: skip
    link = f"http://airflow/dags/{dag.dag_id}/runs/{call.run_id}/tasks/{call.task}"
    ti = SimpleNamespace(log_url=link, try_number=call.try_number, max_tries=3)
    try:
        with set_current_context({"dag_run": run, "params": params, "ti": ti, "run_id": call.run_id}):  # type: ignore[arg-type]
            value = task.python_callable(**arguments)
        point("after its last statement")
        report(how="done", value=getattr(value, "xcom_value", value))
    except AirflowSkipException:
        report(how="skipped")
    except AirflowFailException as refused:
        report(how="refused", value=str(refused))
    except BaseException:  # noqa: BLE001 - the parent decides what it means
        report(how="error", value=traceback.format_exc())


_NEED_SPACE = ("before opening a file to write", "before os.rename", "before os.mkdir")


def _points(report: Callable[..., Any], at: int, number: int) -> Callable[[str], None]:
    reached = 0

    def point(place: str) -> None:
        nonlocal reached
        reached += 1
        if number == DISK_FULL:
            if 0 < at <= reached and place in _NEED_SPACE:
                report(place=f"disk full {place}")
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        elif reached == at:
            report(place=place)
            os.kill(os.getpid(), number)

    return point


def _watch(storage: str, point: Callable[[str], None]) -> None:
    """Reach a point before every statement and change of a file, around every commit, and at every SMTP command."""
    import psycopg
    import sqlalchemy as sa

    def audit(event: str, args: tuple[Any, ...]) -> None:
        if event == "open" and isinstance(args[0], str) and args[0].startswith(storage):
            if (args[2] or 0) & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
                point("before opening a file to write")
        elif event in ("os.rename", "os.mkdir", "os.remove", "os.rmdir"):
            if any(isinstance(a, str) and a.startswith(storage) for a in map(_text, args[:2])) or args[-1] not in (
                -1,
                None,
            ):
                point(f"before {event}")
        elif event in ("smtplib.connect", "smtplib.send"):
            point(f"before {event}")

    def statement(_connection: Any, _cursor: Any, text: str, *_: Any) -> None:
        point("before " + " ".join(text.split()[:3]).partition("(")[0][:50])

    commit, write = psycopg.Connection.commit, psycopg.Copy.write

    def committing(self: Any) -> None:
        point("before COMMIT")
        commit(self)
        point("after COMMIT")

    def copying(self: Any, buffer: Any) -> None:
        point("in COPY, before the rows")
        write(self, buffer)
        point("in COPY, after the rows")

    psycopg.Connection.commit, psycopg.Copy.write = committing, copying  # type: ignore[method-assign,assignment]
    sa.event.listen(sa.Engine, "before_cursor_execute", statement)
    sys.addaudithook(audit)


def _text(path: Any) -> Any:
    return os.fspath(path) if isinstance(path, os.PathLike) else path
