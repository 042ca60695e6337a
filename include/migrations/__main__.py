"""`python -m include.migrations`: upgrade the database of AIRFLOW_CONN_CLIENTS_DB."""

from include.adapters.database.engine import engine_from_url
from include.migrations import upgrade
from include.settings import read_settings

upgrade(engine_from_url(read_settings().clients_db))
