"""A process beside this one that does dangerous work: one request at a time, for a limited time, replaced when it dies.

It is asked and answers in JSON: nothing that comes from it is run, as a pickled object would be.
"""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from threading import BoundedSemaphore, Lock, Thread
from typing import Any

from include.errors import CheckImpossible
from include.settings import ROOT

_LARGEST_ANSWER = 4 << 20  # bytes
# What Python, libpq and the libraries need. Everything else stays behind: the environment of a server holds secrets.
_PASSED_ON = ("PATH", "HOME", "LANG", "LC_", "TZ", "TMPDIR", "LD_LIBRARY_PATH", "PG")
# Each thread of a library would reserve memory for itself, which counts against the limit.
_FEW_THREADS = {"MALLOC_ARENA_MAX": "2", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "ARROW_IO_THREADS": "1"}


class LimitedProcess:
    """One process that runs a module.

    `seconds`: for one request; `to_start`: more for the first one. `waiting`: callers at once; others are refused.
    """

    def __init__(self, module: str, seconds: float, waiting: int, to_start: float = 0.0) -> None:
        self._module, self._seconds, self._to_start = module, seconds, to_start
        self._room, self._turn = BoundedSemaphore(waiting), Lock()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    def warm(self, request: Mapping[str, Any]) -> None:
        """Start the process if it is not there, with a first request, and do not wait for it."""
        if self._process is None or self._process.poll() is not None:
            Thread(target=self._warm, args=(request,), daemon=True).start()

    def _warm(self, request: Mapping[str, Any]) -> None:
        if self._turn.acquire(blocking=False):  # otherwise another caller starts it
            try:
                with suppress(CheckImpossible):
                    self._ask(request)
            finally:
                self._turn.release()

    def ask(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Give the answer. Raises CheckImpossible: too many callers, too slow, or the process died."""
        if not self._room.acquire(blocking=False):
            raise CheckImpossible("too many files are being checked just now")
        try:
            if not self._turn.acquire(timeout=self._seconds):
                raise CheckImpossible("too many files are being checked just now")
            try:
                return self._ask(request)
            finally:
                self._turn.release()
        finally:
            self._room.release()

    def end(self) -> None:
        """Kill the process."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.communicate()

    def _ask(self, request: Mapping[str, Any]) -> dict[str, Any]:
        try:
            answer = json.loads(self._exchange(json.dumps(request).encode() + b"\n"))
        except (OSError, ValueError):
            self.end()
            raise CheckImpossible("it needs more time or memory than a check may use") from None
        except CheckImpossible:
            self.end()
            raise
        if not isinstance(answer, dict):
            self.end()
            raise CheckImpossible("the check ended with an error")
        return answer

    def _exchange(self, request: bytes) -> bytes:
        """Send one line and read one. Raises BrokenPipeError when the process has died."""
        before, process = self._process, self._running()
        seconds = self._seconds + (0 if process is before else self._to_start)
        assert process.stdin is not None and process.stdout is not None  # noqa: S101 - both are pipes
        process.stdin.write(request)
        process.stdin.flush()
        answer, until = bytearray(), time.monotonic() + seconds
        output = select.poll()  # unlike select() it knows no highest number of open files
        output.register(process.stdout, select.POLLIN)
        while not answer.endswith(b"\n"):
            if not output.poll(max(0.0, until - time.monotonic()) * 1000):
                raise CheckImpossible(f"it takes longer than {self._seconds:.0f} seconds")
            part = os.read(process.stdout.fileno(), 1 << 16)
            answer += part
            if not part or len(answer) > _LARGEST_ANSWER:
                raise BrokenPipeError
        return bytes(answer)

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            self.end()
            self._process = subprocess.Popen(  # noqa: S603 - this Python, and a module of ours
                [sys.executable, "-m", self._module], cwd=ROOT, env=_environment(), stdin=subprocess.PIPE,
                stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, bufsize=0,
                start_new_session=True,  # a Ctrl-C for the server is not meant for it; it ends with its input
            )  # fmt: skip
        return self._process


def _environment() -> dict[str, str]:
    own = {name: value for name, value in os.environ.items() if name.startswith(_PASSED_ON)}
    path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH", "")])])
    return {**own, **_FEW_THREADS, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"}
