"""The demo's background processes: start them, know which of them run, and end them with all that they started.

A process is known by its working directory, `FOLDER/NAME`, in which nothing else ever runs. Files with process numbers
would be wrong after a crash; a working directory is right even when `make demo` was killed or the folder is deleted.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

_KILL_SECONDS = 10


@dataclass(frozen=True)
class Processes:
    """The processes whose working directories are below `folder`. Their logs are in `logs`."""

    folder: Path
    logs: Path

    def start(self, name: str, command: list[str]) -> subprocess.Popen[bytes]:
        """Start a process that outlives this one, after ending what is left of an earlier one of this name."""
        self.end([name])
        home = self.folder / name
        home.mkdir(parents=True, exist_ok=True)
        with self.log(name).open("ab") as log:
            return subprocess.Popen(
                command, cwd=home, stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                start_new_session=True,
            )  # fmt: skip

    def log(self, name: str) -> Path:
        return self.logs / f"{name}.log"

    def is_running(self, name: str) -> bool:
        """Say whether the process itself runs, and not only what it has started."""
        return any(_leads(process) for process in self._members([name]))

    def end(self, names: Iterable[str] = (), patience: float = 5) -> None:
        """End these processes, or all. After `patience` seconds they are killed, with all that they have started.

        Raises RuntimeError when one goes on.
        """
        names = list(names)
        leaders = [process for process in self._members(names) if _leads(process)]
        for process in leaders:
            with suppress(psutil.NoSuchProcess):
                process.terminate()
        psutil.wait_procs(leaders, timeout=patience)
        left = list(self._members(names))
        for process in left:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        if alive := psutil.wait_procs(left, timeout=_KILL_SECONDS)[1]:
            raise RuntimeError(f"These processes do not end: {', '.join(str(process.pid) for process in alive)}.")

    def _members(self, names: Iterable[str]) -> Iterator[psutil.Process]:
        folder = self.folder.resolve()
        homes = {str(folder / name) for name in names}
        for process in psutil.process_iter():
            with suppress(psutil.Error, OSError):
                cwd = process.cwd()
                ours = cwd in homes if homes else cwd.startswith(f"{folder}{os.sep}")
                if ours and not _has_terminal(process) and process.status() != psutil.STATUS_ZOMBIE:
                    yield process


def _leads(process: psutil.Process) -> bool:
    with suppress(OSError):
        return os.getsid(process.pid) == process.pid
    return False


def _has_terminal(process: psutil.Process) -> bool:
    """Recognise a person's shell, which may stand in any folder. psutil does not notice terminals of a later time."""
    status = Path(f"/proc/{process.pid}/stat")
    if not status.exists():
        return process.terminal() is not None
    return status.read_text(errors="replace").rpartition(")")[2].split()[4] != "0"
