"""One peer as a warm process: it reads a file's path from each line, and answers with the seconds that it took.

`python -m benchmarks.peers NAME URL`, in the environment of benchmarks/requirements.txt.
"""

from __future__ import annotations

import gc
import importlib
import sys
import time
from pathlib import Path


def main(name: str, url: str) -> None:
    answers, sys.stdout = sys.stdout, sys.stderr  # some importers print
    peer = importlib.import_module(f"benchmarks.peers.{name}")
    load = peer.prepare(url)
    print("ready", file=answers, flush=True)
    for line in sys.stdin:
        gc.collect()
        start = time.perf_counter()
        load(Path(line.rstrip("\n")))
        print(time.perf_counter() - start, file=answers, flush=True)


main(*sys.argv[1:])
