"""When a feed runs, in words, and when its next file is expected."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from cron_descriptor import Options, get_description

from include.schemas.feed import Feed

# Airflow's words for cron expressions.
_PRESETS = {
    "@hourly": "0 * * * *", "@daily": "0 0 * * *", "@weekly": "0 0 * * 0", "@monthly": "0 0 1 * *",
    "@quarterly": "0 0 1 */3 *", "@yearly": "0 0 1 1 *",
}  # fmt: skip


@dataclass(frozen=True)
class Expected:
    """When something comes next. `is_file`: a file should have come by then; else the feed only looks for one then."""

    at: datetime
    is_file: bool
    is_late: bool = False
    has_come: bool = False  # it waits in the inbox


def schedule_in_words(feed: Feed) -> str:
    """Say when runs of a feed start; the time zone is said beside it."""
    if feed.schedule is None:
        return "By hand only"
    if feed.schedule == "watch":
        return "When a file arrives"
    return _cron_in_words(_PRESETS.get(feed.schedule, feed.schedule))


@lru_cache(maxsize=512)
def _cron_in_words(cron: str) -> str:
    options = Options()
    options.use_24hour_time_format = True
    try:
        words = get_description(cron, options)
    except Exception:  # noqa: BLE001 - croniter, which checks feeds, understands a few forms more
        return cron
    every_day = words.startswith("At ") and cron.split()[2:] == ["*", "*", "*"]
    return f"Every day at {words.removeprefix('At ')}" if every_day else words


def next_expected(
    feed: Feed, last_arrival: datetime | None, something_waits: bool, next_run: datetime | None, now: datetime
) -> Expected | None:
    """Say when the next file is expected. A file that waits in the inbox has come (SPEC.md section 14)."""
    due = feed.next_file_due(last_arrival) if last_arrival else None
    if due is not None:
        return Expected(due, is_file=True, is_late=due < now and not something_waits, has_come=something_waits)
    looks_at_times = feed.schedule not in (None, "watch")
    return Expected(next_run, is_file=False) if looks_at_times and next_run else None
