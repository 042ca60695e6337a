"""A local SMTP server that writes every mail as an `.eml` file: `python -m demo.mail_catcher PORT FOLDER`."""

from __future__ import annotations

import sys
import threading
import time
import uuid
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller


class _ToFiles:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        name = f"{time.strftime('%Y%m%d-%H%M%S')}-{uuid.uuid4().hex[:8]}"
        unfinished = self._folder / f".{name}"
        unfinished.write_bytes(envelope.original_content)
        unfinished.rename(self._folder / f"{name}.eml")
        return "250 OK"


def start(port: int, folder: Path) -> Controller:
    controller = Controller(_ToFiles(folder), hostname="127.0.0.1", port=port)
    controller.start()
    return controller


if __name__ == "__main__":
    start(int(sys.argv[1]), Path(sys.argv[2]))
    threading.Event().wait()
