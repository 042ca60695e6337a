"""What a feed file may say (SPEC.md section 9). Reading one: `feed_folder`.

Airflow reads the feeds with the DAG files, every few seconds, so nothing here loads pandas. What a cell may hold is
judged elsewhere (`include/steps/check_feed.py`).
"""

from __future__ import annotations

import posixpath
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, field_validator, model_validator

from include.schemas import file_patterns
from include.schemas.feed_sentences import Wrong
from include.schemas.feed_types import (
    FEED_NAME,
    Address,
    ClearWord,
    ConnectionId,
    DateFormat,
    Encoding,
    FilePattern,
    Inbox,
    Schedule,
    Share,
    Span,
    Zone,
)  # fmt: skip
from include.schemas.feed_words import Columns, Defaults, Values, Write


class _Strict(BaseModel):
    # The texts below the keys are their descriptions: in docs/feeds.md, and in docs/feed.schema.json for editors.
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, use_attribute_docstrings=True)


class Hold(_Strict):
    """Shares of a file's records above which an import waits for a person; None for no limit."""

    failed_over: Share | None = None
    """Hold when a larger share of the records failed."""
    updated_over: Share | None = None
    """Hold when a larger share of the records would change a client."""
    deactivated_over: Share | None = None
    """Hold when a larger share of the records would make a client inactive."""
    fewer_than: Share | None = None
    """Hold a file with fewer records than this share of the feed's usual number: the median of its last ten files."""
    missing_columns: bool = False
    """Hold a file that lacks a column which the last three files had. A new column is a note."""
    from_records: Annotated[int, Field(ge=1)] = 1
    """Smaller files are not held; `fewer_than` looks at the usual number."""
    reviewers: list[str] = []
    """Names of the Airflow users who may answer; empty: everyone who may edit the DAG's runs."""
    answer_days: Annotated[float, Field(gt=0, le=90)] = 7
    """Without an answer in this time the import is discarded."""

    @property
    def limits(self) -> dict[str, float]:
        """Give the shares that are set, by the name of the records that they limit."""
        shares = {"failed": self.failed_over, "updated": self.updated_over, "deactivated": self.deactivated_over}
        return {about: share for about, share in shares.items() if share is not None}

    @property
    def looks_back(self) -> bool:
        """Say whether a limit depends on the feed's earlier files."""
        return self.fewer_than is not None or self.missing_columns


# A watched feed runs when no person is there, and a few odd rows are no reason to wake one.
_HOLD_OF_WATCHED_FEEDS = {
    "failed_over": 0.5, "deactivated_over": 0.2, "fewer_than": 0.5, "missing_columns": True, "from_records": 20,
}  # fmt: skip
# A list that is not whole would make clients inactive.
_HOLD_OF_LISTS = {"failed_over": 0.5, "deactivated_over": 0.2, "fewer_than": 0.5}


class Notify(_Strict):
    """Who is mailed, and when."""

    to: list[Address] = []
    """The people of the feed."""
    when: Literal["always", "problems", "never"] = "always"
    """`problems`: only when a file was refused, held or changed, a row failed, or a system error came."""
    uploader: bool = False
    """The person who sent a file on the page or by its API is mailed what became of it, whatever `when` says. The \
address is that of the person's account in Airflow; an account without one gets no mail."""
    attach_failed_rows: bool = False
    """The failed-row report goes with the mail."""
    sender: list[Address] = []
    """The partner's people: each file of the inbox is answered with its receipt by mail, without personal data."""
    webhook: ConnectionId | None = None
    """The ID of an HTTP connection of Airflow: the receipt of each file is posted there, also to Slack and Teams."""


class Feed(_Strict):
    """The settings of one feed. Sizes are bytes; times are seconds unless the name says another unit."""

    name: Annotated[str, Field(pattern=f"^{FEED_NAME}$")]
    title: str
    """The feed's name for people."""
    owner: str = "data-engineering"
    """Owner of the DAG in Airflow."""
    timezone: Zone = "UTC"
    """The zone of `schedule`, of whole days in `expected_every` and of times in mails."""
    schedule: Schedule | None = None
    """`watch`, a cron expression of five parts, or `@hourly`, `@daily`, `@weekly`, `@monthly`, `@yearly`. None: runs \
are started by hand, by the page or by the API."""
    inbox: Inbox = ""
    """A folder below `inbox/`, or `sftp://CONNECTION_ID/FOLDER`. Default: the feed's name."""
    compression: Literal["gzip", "zip"] | None = None
    """Files whose names end in `.gz` (gzip) or `.zip` (zip) are unpacked. Each holds one CSV file, of at most \
`max_bytes` both packed and unpacked. Without it an archive is refused."""
    file_pattern: FilePattern = "*"
    """Only files whose names match are imported: `*`, `?`, `[a-z]`, `[!a-z]`."""
    stable_seconds: Annotated[float, Field(ge=0, le=3600)] = 10
    """A file is read once its size and time have not changed for so long. Safer: a name that ends in `.part` until \
the file is complete, a `.done` or a `.count` file."""
    wait_minutes: Annotated[int, Field(ge=0, le=7 * 24 * 60)] = 0
    """How long a scheduled run waits for a file; 0 looks once. Not with `schedule: watch`."""
    max_files_per_run: Annotated[int, Field(ge=1, le=1000)] = 200
    """Further files wait for the next run."""
    require_done_file: bool = False
    """`NAME.csv` is read only once `NAME.csv.done` is there."""
    require_count_file: bool = False
    """`NAME.csv` is read only once `NAME.csv.count` is there, with the number of its records."""
    expected_every: Span | None = None
    """A number and a unit (m, h, d, w): the feed is late when no file has come for so long."""
    columns: Columns = {}
    """What a column of the partner means: a field, or `ignore` for a column that is the partner's own."""
    values: Values = {}
    """What the words in a field's cells mean, by field; projects and desks by ID, or `default`. Case and \
surrounding space of a word do not count."""
    clear_word: ClearWord | None = "#CLEAR"
    """A cell that is this word clears a middle or last name. `null`: no word does. In quotes, because YAML takes \
what follows `#` for a comment."""
    date_format: DateFormat | None = None
    """The form of the partner's dates, as strftime names it. ISO 8601 is always understood."""
    defaults: Defaults = {}
    """What a new client gets where the file has nothing; project and desk by ID, or `default`."""
    mode: Literal["upsert", "create_only", "update_only"] = "upsert"
    """`create_only` fails rows of existing clients, `update_only` fails rows of new ones: its files need \
ID or Email and the columns that change, nothing else."""
    write: Write = {}
    """When a field of an existing client is written. `if_empty`: only while the client has nothing in it. \
`create_only`: never again once the client is there. `never`: a new client gets the default, too. Otherwise `always`."""
    snapshot: Literal["deactivate_missing"] | None = None
    """Each file is the partner's whole list: clients that this feed has created and that the file lacks become \
inactive. Not for a file that has no records, far fewer than usual (`hold.fewer_than`), too many failed rows \
(`hold.failed_over`), or a failed row that does not say which client it means."""
    unknown_id: Literal["create", "reject"] = "create"
    """`reject` fails a row whose ID is not a client's."""
    duplicates: Literal["keep_last", "keep_first", "reject", "combine"] = "keep_last"
    """Which of several rows of one client counts; `combine` takes each cell from the last row that fills it; \
`reject` fails all of them."""
    max_records: Annotated[int, Field(ge=1, lt=2**24)] = 5000  # an id counts its rows with six hex digits
    """A file with more records is refused."""
    max_bytes: Annotated[int, Field(ge=1)] = 20 * 1024 * 1024
    """A larger file is refused."""
    encoding: Encoding | None = None
    """Any encoding that Python knows. Default: UTF-8, or UTF-16 with a byte-order mark."""
    delimiter: Literal[",", ";", "\t", "|"] | None = None
    """Default: recognised from the file."""
    skip_first_lines: Annotated[int, Field(ge=0, le=1000)] = 0
    """Lines above the header that are no part of the table; blank lines count, too."""
    skip_last_lines: Annotated[int, Field(ge=0, le=1000)] = 0
    """Lines below the table, such as a footer; blank lines do not count."""
    on_failed_rows: Literal["import_others", "refuse_file"] = "import_others"
    """`refuse_file` takes a file whole or not at all; its failed-row report then holds all rows."""
    answer: bool = False
    """Each file of the inbox is answered in the folder `answers/` beside it: `NAME.receipt.json`, and \
`NAME.failed.csv` where rows failed."""
    hold: Hold = Hold()
    """Limits above which an import waits for a person."""
    notify: Notify = Notify()
    """Whom a mail tells what became of the files."""
    retention_days: Annotated[int, Field(ge=1, le=36_500)] = 365
    """After so many days, from the end of its week, the rows of an import and its file are forgotten."""
    _file: Path | None = PrivateAttr(None)

    @classmethod
    def of_file(cls, path: Path, keys: dict[str, Any]) -> Feed:
        """Make the feed that a file describes, named after it. Raises ValidationError."""
        feed = cls(**{**keys, "name": path.stem})
        feed._file = path
        return feed

    @property
    def file(self) -> Path:
        """The file that describes the feed."""
        return self._file or Path(f"{self.name}.yaml")

    @property
    def side_files(self) -> tuple[str, ...]:
        """The endings of the files that have to lie beside a file before it is taken."""
        return (".done",) * self.require_done_file + (".count",) * self.require_count_file

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)

    def local(self, time: datetime) -> datetime:
        """Give the same instant as clocks show it in the feed's time zone."""
        return time.astimezone(self.zone)

    def next_file_due(self, last: datetime) -> datetime | None:
        """Say until when the file after `last` is expected (UTC), None without `expected_every`.

        A span of whole days ends at the same time of day in the feed's time zone, so a day may have 23 or 25 hours.
        """
        if self.expected_every is None:
            return None
        if self.expected_every % timedelta(days=1):
            return last + self.expected_every
        return (self.local(last) + self.expected_every).astimezone(UTC)

    def shares_files_with(self, other: Feed) -> bool:
        """Return True when both feeds could take one file: the same inbox, and a name that matches both patterns."""
        same_inbox = _place(self.inbox) == _place(other.inbox)
        return same_inbox and file_patterns.overlap(self.file_pattern, other.file_pattern)

    @model_validator(mode="before")
    @classmethod
    def _defaults_from_other_keys(cls, keys: Any) -> Any:
        if not isinstance(keys, dict):
            return keys
        watched = {"hold": _HOLD_OF_WATCHED_FEEDS} if keys.get("schedule") == "watch" else {}
        keys = {"inbox": keys.get("name", ""), **watched, **keys}
        hold = keys.get("hold", {})
        return {**keys, "hold": {**_HOLD_OF_LISTS, **hold}} if keys.get("snapshot") and isinstance(hold, dict) else keys

    @model_validator(mode="after")
    def _guarded(self) -> Feed:
        if self.snapshot and self.hold.deactivated_over is None:
            raise Wrong({("hold", "deactivated_over"): "must be a share with `snapshot: deactivate_missing`"})
        if self.snapshot and self.write.get("active", "always") != "always":
            raise Wrong({("write", "active"): "must be left out with `snapshot: deactivate_missing`, which writes it"})
        return self

    @field_validator("file_pattern")
    @classmethod
    def _matches_a_file(cls, pattern: str, info: Any) -> str:
        if reason := file_patterns.why_useless(pattern, info.data.get("compression")):
            raise ValueError(reason)
        return pattern

    @field_validator("write")
    @classmethod
    def _new_clients_need(cls, write: Write, info: Any) -> Write:
        needed = [name for name in ("email", "first_name") if write.get(name) == "never"]
        if needed and info.data.get("mode") != "update_only":
            raise Wrong({(name,): "must be create_only, because a new client needs it" for name in needed})
        return write

    @field_validator("wait_minutes")
    @classmethod
    def _only_without_watch(cls, minutes: int, info: Any) -> int:
        if minutes and info.data.get("schedule") == "watch":
            raise ValueError("must be left out with `schedule: watch`: its runs start when a file is there")
        return minutes


def _place(inbox: str) -> str:
    """Write an inbox so that equal places are equal text."""
    if "://" not in inbox:
        return inbox
    connection_id, _, folder = inbox.removeprefix("sftp://").partition("/")
    return f"{connection_id}:{posixpath.normpath(folder or '.')}"
