"""The page *Clients* inside the Airflow UI: an entry in the navigation, and tabs on DAG, run and task.

Every process of Airflow executes this file, so the page itself is only built in the process that serves it.
"""

from functools import cached_property
from typing import Any

from airflow.plugins_manager import AirflowPlugin

PREFIX = "client-imports"


class ClientImportsPlugin(AirflowPlugin):
    name = "client_imports"
    external_views = [
        {
            "name": "Clients", "href": f"{PREFIX}/", "destination": "nav", "url_route": PREFIX,
            "nav_top_level": True, "icon": f"{PREFIX}/static/icon.svg",
            "icon_dark_mode": f"{PREFIX}/static/icon_dark.svg",
        },
        {
            "name": "Imports", "href": f"{PREFIX}/dag?dag_id={{DAG_ID}}", "destination": "dag",
            "url_route": "client-imports-of-dag",
        },
        {
            "name": "Imports", "href": f"{PREFIX}/run?dag_id={{DAG_ID}}&run_id={{RUN_ID}}",
            "destination": "dag_run", "url_route": "client-imports-of-run",
        },
        {
            "name": "Import", "destination": "task_instance", "url_route": "client-import-of-task",
            "href": f"{PREFIX}/task?dag_id={{DAG_ID}}&run_id={{RUN_ID}}&map_index={{MAP_INDEX}}",
        },
    ]  # fmt: skip

    @cached_property
    def fastapi_apps(self) -> list[dict[str, Any]]:  # type: ignore[override]  # built only where Airflow asks for it
        from client_imports_page.app import build_app

        return [{"app": build_app(), "url_prefix": f"/{PREFIX}", "name": "client imports"}]
