"""This file defines no DAG. It shows broken feed files as an import error, since their DAGs are missing.

The check has a file of its own so that a broken feed affects no other DAG. Airflow reads only files that contain the
words `airflow` and `dag`, so this text must keep them.
"""

from include.errors import FeedInvalid
from include.schemas.feed import feed_files, load_feed
from include.settings import read_settings


def errors_in_feeds() -> list[str]:
    """Give the error messages of all broken feed files."""
    errors = []
    for path in feed_files(read_settings().feeds):
        try:
            load_feed(path)
        except FeedInvalid as error:
            errors.append(str(error))
    return errors


if errors := errors_in_feeds():
    raise ImportError("\n" + "\n".join(errors))
