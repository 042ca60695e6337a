"""A dozen kills, in the normal suite; `make faults` does hundreds."""

from __future__ import annotations

import os
import re
import subprocess
import sys

from include.settings import ROOT


def test_a_dozen_kills_lose_no_file_and_apply_none_twice():
    known = {name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "CLIENT_IMPORTS"))}
    done = subprocess.run(
        [sys.executable, "-m", "tests.faults"], cwd=ROOT, capture_output=True, text=True, timeout=500,
        env=known | {"PYTHONPATH": f"{ROOT}:{ROOT / 'config'}", "FAULTS_KILLS": "12", "FAULTS_SECONDS": "300"},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert int(re.search(r"(\d+) kills at", done.stdout)[1]) >= 12
