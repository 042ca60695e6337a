"""`python -m include.migrations`: upgrade the database of AIRFLOW_CONN_CLIENTS_DB."""

import sys

from include.adapters.database.engine import engine_from_url
from include.errors import ClientImportError
from include.migrations import upgrade
from include.settings import read_settings

try:
    upgrade(engine_from_url(read_settings().clients_db))
except ClientImportError as error:
    sys.exit(str(error))
