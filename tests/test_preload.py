"""config/airflow_local_settings.py: what a scheduler, a worker or the DAG processor has loaded before it forks."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from demo.environment import environment
from include.settings import ROOT

# What every process has that forks, then what a task does before its first query, or what reads and judges the feeds.
_FORKED = """
import sys
from importlib import import_module
from airflow import settings
settings.initialize()
from airflow.dag_processing.dagbag import BundleDagBag
from airflow.sdk.execution_time import supervisor, task_runner

before = set(sys.modules)
process, dags = sys.argv[1:]
reads_feeds = process == "dag-processor"
file = f"{dags}/{'feed_errors' if reads_feeds else 'import_clients'}.py"
bag = BundleDagBag(dag_folder=file, safe_mode=False, bundle_path=dags, bundle_name="dags")
assert bool(bag.dags) != reads_feeds and not bag.import_errors, bag.import_errors
steps = ("receive", "validate", "prepare", "merge", "archive", "email_summary", "announce", "outcome", "review")
for step in () if reads_feeds else steps:
    import_module(f"include.steps.{step}")
for name in set(sys.modules) - before:
    print(name, getattr(sys.modules[name], "__file__", None), getattr(sys.modules[name], "__cached__", None), sep="\\t")
"""


@pytest.fixture(scope="module", params=["scheduler", "worker", "dag-processor"])
def loaded_in_a_fork(request, tmp_path_factory) -> dict[str, list[str]]:
    """Name to file and compiled file."""
    nowhere = "postgresql://nobody@127.0.0.1:1/none"
    home = tmp_path_factory.mktemp("home")
    variables = environment(home, metadata_db=nowhere, clients_db=nowhere, smtp_port=1, api_port=1)
    variables |= {"PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, "-c", _FORKED, request.param, str(ROOT / "dags")],
        env={**os.environ, **variables}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    rows = [line.split("\t") for line in done.stdout.splitlines() if line.count("\t") == 2]
    return {name: [file, compiled, str(home)] for name, file, compiled in rows}


def test_a_fork_loads_nothing_but_our_code(loaded_in_a_fork):
    libraries = [name for name, (file, *_) in loaded_in_a_fork.items() if "site-packages" in file]
    # A few lines each, which Airflow loads with any DAG.
    assert set(libraries) <= {"airflow.providers.standard.operators.empty", "airflow.version"}, libraries


def test_a_fork_reads_our_code_anew_and_finds_it_compiled(loaded_in_a_fork):
    file, compiled, home = loaded_in_a_fork["include.transforms.validation.cells"]
    assert Path(file) == ROOT / "include" / "transforms" / "validation" / "cells.py"
    assert compiled.startswith(home) and Path(compiled).exists()
