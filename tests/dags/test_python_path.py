"""DAGs, plugins and settings load where only the project root is on PYTHONPATH, as in Airflow's image and in Astro."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

from include.settings import ROOT

# Airflow itself adds the folders plugins/, config/ and dags/ to the path, never their parent.
_LOAD = """
import os, sys
from airflow import plugins_manager, settings
settings.initialize()
from airflow.dag_processing.dagbag import BundleDagBag

home = os.environ["AIRFLOW_HOME"]
bag = BundleDagBag(dag_folder=f"{home}/dags", bundle_path=f"{home}/dags", bundle_name="dags")
assert bag.import_errors == {}, bag.import_errors
apps, _ = plugins_manager.get_fastapi_plugins()
assert plugins_manager.get_import_errors() == {}, plugins_manager.get_import_errors()
assert [app["url_prefix"] for app in apps if app["name"] == "client imports"] == ["/client-imports"]
for module in ("airflow_local_settings", "client_imports_page.app", "inbox_trigger", "include.settings"):
    assert sys.modules[module].__file__.startswith(home), (module, sys.modules[module].__file__)
print(*sorted(bag.dags), sep="\\n")
"""


def test_everything_loads_with_the_project_root_as_airflow_home(tmp_path):
    home = tmp_path / "airflow"
    for folder in ("dags", "plugins", "config", "include"):
        shutil.copytree(ROOT / folder, home / folder, ignore=shutil.ignore_patterns("__pycache__"))
    own = {name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "CLIENT_IMPORTS"))}
    variables = {
        "AIRFLOW_HOME": str(home),
        "PYTHONPATH": str(home),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": "postgresql+psycopg2://nobody@127.0.0.1:1/none",
    }
    done = subprocess.run(
        [sys.executable, "-c", _LOAD], cwd=tmp_path, env={**own, **variables},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    expected = ["discard_import", "forget_imports", "import_clients__acme", "import_clients__default", "revert_import"]
    assert done.stdout.splitlines()[-8:] == [*expected, "review_held_import", "scorecard", "watch_feeds"]
