"""One peer as a warm process: a file's path a line in, the seconds it took a line out.

`python -m benchmarks.peers NAME URL`, in the environment of benchmarks/requirements.txt.
"""

from __future__ import annotations

import gc
import importlib
import sys
import time
from pathlib import Path


def main(name: str, url: str) -> None:
    answers, sys.stdout = sys.stdout, sys.stderr  # some of them talk
    peer = importlib.import_module(f"benchmarks.peers.{name}")
    load = peer.prepare(url)
    print("ready", file=answers, flush=True)
    for line in sys.stdin:
        gc.collect()
        start = time.perf_counter()
        load(Path(line.rstrip("\n")))
        print(time.perf_counter() - start, file=answers, flush=True)


main(*sys.argv[1:])
