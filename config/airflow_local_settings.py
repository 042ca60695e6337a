"""Airflow imports this at start-up. The processes that fork tasks load the heavy libraries once, so no task has to.

Only libraries: code of ours is read anew by each task, so a change needs no restart.
"""

import sys

if {"scheduler", "worker"} & set(sys.argv[1:]):
    import aiosmtplib  # noqa: F401
    import email_validator  # noqa: F401
    import pandas
    import pandera.pandas
    import psycopg  # noqa: F401
    import puremagic  # noqa: F401
    import pyarrow.dataset
    import pyarrow.parquet  # noqa: F401
    import sqlalchemy.dialects.postgresql.psycopg  # noqa: F401

    # Pandera loads half of itself when it is first used.
    pandera.pandas.DataFrameSchema({}).validate(pandas.DataFrame({}))
