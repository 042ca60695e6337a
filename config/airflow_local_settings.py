"""Airflow imports this file when a process starts. Before it forks, it loads the heavy libraries for all that it forks.

A scheduler and a worker fork tasks; the DAG processor forks the reading of DAG files, one of which judges what feeds
say. Only libraries are loaded here. This project's own code is read anew each time, so that a change needs no restart.
"""

import os
import sys

# Airflow would take every public name of this file for a setting.
__all__: list[str] = []

if {"scheduler", "worker", "dag-processor"} & set(sys.argv[1:]):
    import aiosmtplib  # noqa: F401
    import email_validator  # noqa: F401
    import jinja2.debug
    import jinja2.ext  # noqa: F401
    import pandas
    import pandas.core.arrays.arrow.extension_types
    import pandas.core.methods.to_dict  # noqa: F401
    import pandera.extensions  # noqa: F401
    import pandera.pandas
    import psycopg  # noqa: F401
    import puremagic  # noqa: F401
    import pyarrow.csv  # noqa: F401
    import pyarrow.pandas_compat
    import pyarrow.vendored.version  # noqa: F401
    import sqlalchemy.dialects.postgresql.psycopg  # noqa: F401
    from airflow.configuration import AIRFLOW_HOME
    from airflow.providers.standard.operators import trigger_dagrun  # noqa: F401
    from airflow.sdk import Asset, Connection, task, task_group  # noqa: F401
    from airflow.sdk.observability import stats  # noqa: F401

    # Pandera and Airflow load more modules when they are first used.
    class _Rows(pandera.pandas.DataFrameModel):
        name: str

    _Rows.validate(pandas.DataFrame({"name": ["x"]}))
    _ = task.python, task.sensor, Asset("nothing", uri="nothing://")

    # The project's code need not be compiled each time either. Its folder may be read-only, so that goes elsewhere.
    sys.dont_write_bytecode = False
    sys.pycache_prefix = os.path.join(AIRFLOW_HOME, "pycache")
