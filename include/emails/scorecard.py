"""Write the weekly mail about a feed: files, rows, what failed and why, and delays. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from html import escape

from include.codes import Code
from include.emails.chart import bars
from include.emails.letter import Letter
from include.emails.summary import plural
from include.schemas.feed import Feed

_CHART = "chart"


@dataclass(frozen=True)
class Week:
    """What came in the week that begins on `monday`: files without corrections, and rows of those that were merged."""

    monday: date
    files: int = 0
    refused: int = 0
    read: int = 0
    failed: int = 0

    @property
    def share(self) -> str:
        return f"{100 * self.failed / self.read:.1f} %" if self.read else "no rows"


@dataclass(frozen=True)
class FailedBecause:
    """A reason of failed rows, by code and field's name for people; how many rows, and how many of them came right."""

    code: Code
    label: str
    rows: int
    corrected: int

    def __str__(self) -> str:
        about = f" ({self.label})" if self.label else ""
        corrected = f"{self.corrected:,} of them corrected" if self.corrected else "none of them corrected"
        return f"{self.code.title}{about}: {plural(self.rows, 'row')}, {corrected}. {self.code.advice}"


@dataclass(frozen=True)
class Scorecard(Letter):
    """A feed's last week. `weeks`: the last ones, oldest first; `late`: for how long of the week a file was due."""

    feed: Feed
    weeks: Sequence[Week]
    causes: Sequence[FailedBecause]
    late: timedelta
    link: str

    @property
    def week(self) -> Week:
        return self.weeks[-1]

    @property
    def is_wanted(self) -> bool:
        """Say whether there is something to say that the people of the feed want to be told."""
        problems = bool(self.week.failed or self.week.refused or self.late)
        wanted = {"always": problems or bool(self.week.files), "problems": problems, "never": False}
        return bool(self.feed.notify.to) and wanted[self.feed.notify.when]

    @property
    def subject(self) -> str:
        late = ", late" if self.late else ""
        return f"{self.feed.name}: week of {self.week.monday}, {plural(self.week.files, 'file')}, {self._failed}{late}"

    @property
    def paragraphs(self) -> list[str]:
        week, last_day = self.week, self.week.monday + timedelta(days=6)
        refused = f", {week.refused:,} of them refused" if week.refused else ""
        rows = f"{plural(week.read, 'row')}, {self._failed}" if week.read else "No rows"
        causes = ["Most rows failed because of:", *map(str, self.causes)] if self.causes else []
        return [
            f"{self.feed.title} ({self.feed.name}), {week.monday} to {last_day}",
            f"{plural(week.files, 'file')}{refused}. {rows}.{self._trend}",
            *([f"A file was due for {_days(self.late)} of the week, and had not come."] if self.late else []),
            *causes,
            f"Share of failed rows by week: {'; '.join(f'{each.monday} {each.share}' for each in self.weeks)}.",
            f"The run that wrote this: {self.link}",
        ]

    @property
    def _failed(self) -> str:
        return f"{self.week.share} failed" if self.week.read else "no rows"

    @property
    def _trend(self) -> str:
        """Compare the share with that of all weeks before."""
        read, failed = sum(week.read for week in self.weeks[:-1]), sum(week.failed for week in self.weeks[:-1])
        if not read or not self.week.read:
            return ""
        before, now = failed / read, self.week.failed / self.week.read
        trend = "as many" if round(before, 3) == round(now, 3) else "fewer" if now < before else "more"
        return f" In the weeks before it was {100 * before:.1f} %: {trend} fail."

    @property
    def pictures(self) -> Mapping[str, bytes]:
        return {_CHART: bars([(week.read, week.failed) for week in self.weeks])}

    def html(self) -> str:
        alt = escape(f"Rows of the last {len(self.weeks)} weeks, the failed ones in red")
        return f'{super().html()}\n<p><img src="cid:{_CHART}" alt="{alt}"></p>'


def _days(time: timedelta) -> str:
    days, hours = time // timedelta(days=1), round(time % timedelta(days=1) / timedelta(hours=1))
    parts = [plural(days, "day")] if days else []
    return " and ".join([*parts, *([plural(hours, "hour")] if hours or not days else [])])
