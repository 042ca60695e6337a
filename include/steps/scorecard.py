"""Mail the people of each feed, once a week, how its files were."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise

import sqlalchemy as sa

from include.adapters.database.scorecards import Received, last_before, mailed_once, received
from include.codes import Code
from include.emails.scorecard import FailedBecause, Scorecard, Week
from include.models import State
from include.schemas.client_rows import FIELDS
from include.schemas.feed import Feed

Send = Callable[[Sequence[str], Scorecard], None]
_WEEKS, _CAUSES = 8, 5
_WEEK, _NONE = timedelta(weeks=1), timedelta(0)


@dataclass
class Mailed:
    """The names of feeds whose people were mailed now. `errors` are system errors of single feeds."""

    feeds: list[str] = field(default_factory=list)
    errors: list[Exception] = field(default_factory=list)


def mail_scorecards(
    engine: sa.Engine, feeds: Mapping[str, Feed | None], now: datetime, send: Send, link: str
) -> Mailed:
    """Mail the scorecard of the last whole week of each feed whose file is not broken, where there is one to mail."""
    mailed = Mailed()
    for feed in feeds.values():
        try:
            if feed is not None and _mail(engine, feed, now, send, link):
                mailed.feeds.append(feed.name)
        except Exception as error:  # noqa: BLE001 - one feed's mail must not keep those of the others
            mailed.errors.append(error)
    return mailed


def _mail(engine: sa.Engine, feed: Feed, now: datetime, send: Send, link: str) -> bool:
    """Say whether a mail was sent: none is where there is nothing to say, or where it was sent before."""
    card = scorecard(engine, feed, now, link)
    if not card.is_wanted:
        return False
    with mailed_once(engine, feed.name, _midnight(feed, card.week.monday + _WEEK)) as is_new:
        if is_new:
            send(feed.notify.to, card)
    return is_new


def scorecard(engine: sa.Engine, feed: Feed, now: datetime, link: str) -> Scorecard:
    """Write the scorecard of the last week, from Monday to Sunday, that is whole in the feed's time zone."""
    today = feed.local(now).date()
    monday = today - timedelta(days=today.weekday()) - _WEEK
    mondays = [monday - number * _WEEK for number in reversed(range(_WEEKS))]
    since, until = _midnight(feed, monday), _midnight(feed, monday + _WEEK)
    files = received(engine, feed.name, _midnight(feed, mondays[0]), until)
    weeks = [_week(feed, each, files) for each in mondays]
    now_received = [file for file in files if file.at >= since]
    before = last_before(engine, feed.name, since)
    arrivals = [*([before] if before else []), *(file.at for file in now_received if not before or file.at > before)]
    late = _late(feed, arrivals, since, until)
    return Scorecard(feed, weeks, _causes(file for file in now_received if not file.is_correction), late, link)


def _midnight(feed: Feed, day: date) -> datetime:
    return datetime.combine(day, time(), feed.zone).astimezone(UTC)


def _week(feed: Feed, monday: date, files: Sequence[Received]) -> Week:
    since, until = _midnight(feed, monday), _midnight(feed, monday + _WEEK)
    own = [file for file in files if since <= file.at < until and not file.is_correction]
    return Week(
        monday, len(own), sum(file.state == State.REFUSED for file in own),
        sum(file.read for file in own), sum(file.failed for file in own),
    )  # fmt: skip


def _causes(files: Iterable[Received]) -> list[FailedBecause]:
    """Give the most frequent reasons. What a corrected file has no more, and not more than it brought, is corrected."""
    rows, corrected = Counter[str](), Counter[str]()
    for file in files:
        for kind, number in file.kinds.items():
            rows[kind] += number
            corrected[kind] += min(max(0, number - file.still.get(kind, 0)), file.fixed)
    return [_cause(kind, number, corrected[kind]) for kind, number in rows.most_common(_CAUSES)]


def _cause(kind: str, rows: int, corrected: int) -> FailedBecause:
    code, _, name = kind.partition(" ")
    return FailedBecause(Code(code), FIELDS[name].label if name in FIELDS else "", rows, corrected)


def _late(feed: Feed, arrivals: Sequence[datetime], since: datetime, until: datetime) -> timedelta:
    """Add up how long a file was due within the week."""
    late = _NONE
    for at, following in pairwise([*arrivals, until]):
        due = feed.next_file_due(at)
        late += max(_NONE, min(following, until) - max(due, since)) if due else _NONE
    return late
