"""What Airflow reads every few seconds loads nothing heavy: DAG files, the trigger, and all that they import."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from demo.environment import environment
from include.settings import ROOT

DAG_FILES = sorted(path.stem for path in (ROOT / "dags").glob("*.py"))
# The command line is no concern of Airflow's, but `--help` should not take a second either.
MODULES = [
    "include.models", "include.schemas.feed_folder", *DAG_FILES, "include.airflow_support.connections",
    "include.airflow_support.events", "include.airflow_support.notifications", "include.airflow_support.runs",
    "client_imports_plugin", "inbox_trigger", "include.cli",
]  # fmt: skip
_LOAD = """
import sys
from importlib import import_module

for module in sys.argv[1:]:
    import_module(module)
    for library in ("pandas", "pandera", "pyarrow", "numpy"):
        if library in sys.modules:
            sys.exit(f"{module} loads {library}")
"""


# What a feed says of cells is judged by the libraries, which the DAG processor has (tests/test_preload.py).
JUDGE = "feed_errors"


@pytest.mark.parametrize("modules", [[name for name in MODULES if name != JUDGE], [JUDGE]], ids=["all others", JUDGE])
def test_no_dag_file_and_no_plugin_loads_the_libraries_that_judge_rows_before_a_task_runs(tmp_path, modules):
    nowhere = "postgresql://nobody@127.0.0.1:1/none"
    variables = environment(tmp_path, metadata_db=nowhere, clients_db=nowhere, smtp_port=1, api_port=1)
    if JUDGE in modules:
        (tmp_path / "plain.yaml").write_text("title: Plain\nschedule: '@daily'\ntimezone: Europe/Berlin\n")
        variables["CLIENT_IMPORTS_FEEDS"] = str(tmp_path)
    variables["PYTHONPATH"] = os.pathsep.join(str(ROOT / folder) for folder in (".", "dags", "plugins", "config"))
    done = subprocess.run(
        [sys.executable, "-c", _LOAD, *modules],
        env={**os.environ, **variables}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert {"import_clients", JUDGE} <= set(DAG_FILES) and done.returncode == 0, done.stderr
