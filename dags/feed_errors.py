"""No DAG lives here. Airflow shows an import error of this file when a feed file is broken, and the feed's DAG is gone.

It is a file of its own so that a broken feed breaks nothing but its own airflow DAG.
"""

from include.errors import FeedInvalid
from include.schemas.feed import feed_files, load_feed
from include.settings import read_settings

broken = []
for path in feed_files(read_settings().feeds):
    try:
        load_feed(path)
    except FeedInvalid as error:
        broken.append(str(error))
if broken:
    raise ImportError("\n" + "\n".join(broken))
