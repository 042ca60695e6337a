"""Airflow imports this at start-up. The processes that fork tasks load the heavy libraries once, so no task has to."""

import sys

if {"scheduler", "worker"} & set(sys.argv[1:]):
    import pandas  # noqa: F401
    import pandera.pandas  # noqa: F401
    import pyarrow.parquet  # noqa: F401
