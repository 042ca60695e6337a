"""This file defines no DAG. It shows what is wrong in feed files as an import error.

A feed whose file cannot be understood has no DAG. What its defaults, words and columns say is judged here, and again
when a run starts, and so are inboxes that two feeds share: their runs fail before they claim a file.

The check has a file of its own so that a broken feed affects no other DAG. Airflow reads only files that contain the
words `airflow` and `dag`, so this text must keep them.
"""

from datetime import UTC, datetime

from include.errors import FeedInvalid
from include.schemas.feed import Feed
from include.schemas.feed_folder import feed_files, load_feed, shared_inboxes
from include.settings import read_settings


def errors_in_feeds() -> list[str]:
    """Give the error messages about all feed files."""
    feeds, errors = [], []
    for path in feed_files(read_settings().feeds):
        try:
            feeds.append(load_feed(path))
            check_values(feeds[-1])
        except FeedInvalid as error:
            errors.append(str(error))
    return errors + [str(error) for error in shared_inboxes(feeds)]


def check_values(feed: Feed) -> None:
    """Raise FeedInvalid where no cell could hold what the feed says."""
    if feed.defaults or feed.values or feed.columns:
        # The DAG processor has loaded the libraries before (config/airflow_local_settings.py).
        from include.transforms.validation.feed_values import wrong_values

        if sentences := wrong_values(feed, datetime.now(UTC)):
            raise FeedInvalid(feed.file, sentences)


if errors := errors_in_feeds():
    raise ImportError("\n" + "\n".join(errors))
