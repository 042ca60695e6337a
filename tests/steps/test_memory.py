"""How much memory the whole import of one file takes, measured in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from include.settings import ROOT

MIB = 1024 * 1024
IMPORT = """
import sys
from pathlib import Path
from include.adapters.database.engine import engine_from_url
from include.adapters.files.storage import Storage
from include.schemas.feed import Feed
from include.steps.import_file import import_file

path, url, storage = sys.argv[1:]
result = import_file(Path(path), feed=Feed(name="x", title="X"), engine=engine_from_url(url), storage=Storage(Path(storage)))
# Not getrusage: what it says includes the memory of the process that started this one.
peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(result.counts.failed, int(peak.split()[1]) // 1024)
"""


@pytest.mark.parametrize(
    "row",
    ['"{cell}",ann@example.com', '"{lines}",ann@example.com', 'Ann,ann@example.com,"{cell}"'],
    ids=["a long line", "ten million lines", "a cell too many"],
)
def test_a_file_of_20_mib_that_is_one_cell_takes_at_most_400_mib(engine, clients_url, tmp_path, row):
    size = 20 * MIB - 100
    path = tmp_path / "one.csv"
    path.write_text("First Name,Email\n" + row.format(cell="a" * size, lines="a\n" * (size // 2)) + "\n")
    output = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", IMPORT, str(path), clients_url, str(tmp_path / "storage")],
        env={**os.environ, "PYTHONPATH": str(ROOT)}, check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    failed, peak_mib = map(int, output.split())
    assert failed == 1 and peak_mib <= 400
