"""The process that checks files before they are sent: `python -m include.steps.preview_process`.

It reads a request a line from its input and writes an answer a line to its output, both JSON. It limits itself before
the first request: a file that makes it take too much memory or time ends this process alone, and it can write no file.
Its environment has no secrets; the address of the database comes with each request. It ends after a while without one.
"""

from __future__ import annotations

import gc
import json
import os
import resource
import select
import sys
import time
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from include.adapters.database.engine import engine_from_url
from include.errors import FeedInvalid, FileRefused, sentence_of
from include.schemas.feed_folder import find_feed
from include.schemas.mapping import Mapping
from include.steps.check_feed import references_of
from include.steps.new_feed import draft_of
from include.steps.preview import judge_rows, preview
from include.transforms.drafting.draft import feed_name

CPU_SECONDS, STATEMENT_MS = 20, 15_000
_MEMORY = 1 << 30  # bytes that checks may take beyond what the process needs by itself
_IDLE_SECONDS = 600
# Pandera, Arrow and the database driver load much when they are first used: a request without a file checks this one.
_WARM_UP = Path(__file__).with_name("preview_warm_up.csv")


def main() -> None:
    """Answer requests until the input ends, or until none has come for a while."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what a library prints is no answer
    _limit()
    gc.freeze()
    while select.select([sys.stdin.buffer], [], [], _IDLE_SECONDS)[0] and (line := sys.stdin.buffer.readline()):
        used = int(time.process_time()) + 1
        resource.setrlimit(resource.RLIMIT_CPU, (used + CPU_SECONDS, resource.getrlimit(resource.RLIMIT_CPU)[1]))
        answer, goes_on = _answer(json.loads(line))
        answers.write(json.dumps(answer) + "\n")
        answers.flush()
        if not goes_on:
            return


def _answer(request: dict[str, Any]) -> tuple[dict[str, Any], bool]:
    """Give the answer, and whether the process can take another request."""
    try:
        engine = _engine(request["database"])
        path = Path(request.get("path", _WARM_UP))
        if request.get("draft"):
            name = feed_name(request["name"])
            draft = draft_of(request["name"], path.read_bytes(), name, references_of(engine))
            return {"draft": {"name": name, "yaml": draft.text, "doubts": draft.doubts}}, True
        feed = find_feed(Path(request["feeds"]), request["feed"])
        gc.disable()  # cells are in no cycle, and the search would look at each of them time and again
        file = (request.get("name", path.name), path, feed, engine, datetime.now(UTC))
        if request.get("rows"):
            return {"rows": judge_rows(*file)}, True
        found = preview(*file, Mapping.kept(request.get("mapping", {})), request.get("suggest", False))
        return {"preview": asdict(found)}, True
    except FileRefused as refused:
        return {"refused": refused.message, "code": refused.code}, True
    except MemoryError:
        return {"error": "it needs more memory than a check may use"}, False
    except FeedInvalid:
        return {"error": "the feed's file has an error"}, True
    except Exception as error:  # noqa: BLE001 - the caller hears the cause in words that quote nothing
        return {"error": sentence_of(error).rstrip(".")}, True
    finally:
        gc.enable()


@cache
def _engine(url: str) -> sa.Engine:
    return engine_from_url(url, STATEMENT_MS, read_only=True)


def _limit() -> None:
    """Let checks take so much memory, and write no file."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    with suppress(OSError, ValueError):  # no /proc, or a lower limit of the account
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
        most = pages * resource.getpagesize() + _MEMORY
        resource.setrlimit(resource.RLIMIT_AS, (most, most))


if __name__ == "__main__":
    main()
