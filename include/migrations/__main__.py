"""`python -m include.migrations [ROLE]`: upgrade the database of AIRFLOW_CONN_CLIENTS_DB, and let ROLE use its rows."""

import sys

import sqlalchemy as sa

from include.adapters.database.engine import engine_from_url
from include.errors import ClientImportError
from include.migrations import allow_rows, upgrade
from include.settings import read_settings
from include.system_errors import cause_of

try:
    engine = engine_from_url(read_settings().clients_db)
    upgrade(engine)
    for role in sys.argv[1:2]:
        allow_rows(engine, role)
except ClientImportError as error:
    sys.exit(str(error))
except sa.exc.SQLAlchemyError as error:
    sys.exit(f"The migrations failed: {cause_of(error)}. Nothing is half done; repair the cause, then run them again.")
