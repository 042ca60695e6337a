"""Read feed files and check them (SPEC.md section 9). Wrong keys and values become sentences, not stack traces."""

from __future__ import annotations

import codecs
import re
from datetime import timedelta
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, field_validator, model_validator

from include.errors import FeedInvalid
from include.models import FIELD_NAMES

Share = Annotated[float, Field(ge=0, le=1)]


def _span(text: Any) -> timedelta:
    units = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
    parts = re.fullmatch(r"([1-9]\d{0,4}) ?([mhdw])", text) if isinstance(text, str) else None
    if not parts:
        raise ValueError("must be a number and a unit (m, h, d, w), for example 90m, 26h, 7d")
    return timedelta(**{units[parts[2]]: int(parts[1])})


Span = Annotated[timedelta, BeforeValidator(_span)]
_NOT_FOR_FILES = ("idna", "punycode", "raw-unicode-escape", "unicode-escape", "undefined")
_ID_FIELDS = ("id", "email", "username", "first_name")


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Hold(_Strict):
    """Shares of a file's records above which an import waits for a person; None for no limit.

    from_records  smaller files are not held
    reviewers     names of the Airflow users who may answer; empty for everyone who may edit the DAG's runs
    answer_days   without an answer in this time the import is discarded
    """

    failed_over: Share | None = None
    updated_over: Share | None = None
    deactivated_over: Share | None = None
    from_records: Annotated[int, Field(ge=1)] = 1
    reviewers: list[str] = []
    answer_days: Annotated[float, Field(gt=0, le=90)] = 7

    @property
    def limits(self) -> dict[str, float]:
        """Give the shares that are set, by the name of the records that they limit."""
        shares = {"failed": self.failed_over, "updated": self.updated_over, "deactivated": self.deactivated_over}
        return {about: share for about, share in shares.items() if share is not None}


# A watched feed runs when no person is there, and a few odd rows are no reason to wake one.
_HOLD_OF_WATCHED_FEEDS = {"failed_over": 0.5, "deactivated_over": 0.2, "from_records": 20}


class Notify(_Strict):
    to: list[str] = []
    when: Literal["always", "problems", "never"] = "always"
    attach_failed_rows: bool = False

    @field_validator("to")
    @classmethod
    def _plain_addresses(cls, to: list[str]) -> list[str]:
        for address in to:
            if not re.fullmatch(r"[^\s@,;<>]+@[^\s@,;<>]+", address):
                raise ValueError(f"{address!r} is not one plain e-mail address")
        return to


class Feed(_Strict):
    """The settings of one feed. Sizes are bytes; times are seconds unless the name says another unit."""

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
    title: str
    owner: str = "data-engineering"
    schedule: str | None = None
    inbox: str = ""
    file_pattern: str = "*"
    stable_seconds: Annotated[float, Field(ge=0, le=3600)] = 5
    wait_minutes: Annotated[int, Field(ge=0, le=7 * 24 * 60)] = 0
    max_files_per_run: Annotated[int, Field(ge=1, le=1000)] = 20
    require_done_file: bool = False
    expected_every: Span | None = None
    columns: dict[str, str] = {}
    values: dict[str, dict[str, str]] = {}
    defaults: dict[str, str | bool] = {}
    mode: Literal["upsert", "create_only", "update_only"] = "upsert"
    unknown_id: Literal["create", "reject"] = "create"
    duplicates: Literal["keep_last", "keep_first", "reject"] = "keep_last"
    max_records: Annotated[int, Field(ge=1, lt=2**24)] = 5000  # an id counts its rows with six hex digits
    max_bytes: Annotated[int, Field(ge=1)] = 20 * 1024 * 1024
    encoding: str | None = None
    delimiter: Literal[",", ";", "\t", "|"] | None = None
    on_failed_rows: Literal["import_others", "refuse_file"] = "import_others"
    hold: Hold = Hold()
    notify: Notify = Notify()
    retention_days: Annotated[int, Field(ge=1)] = 365

    @model_validator(mode="before")
    @classmethod
    def _defaults_from_other_keys(cls, keys: Any) -> Any:
        if not isinstance(keys, dict):
            return keys
        watched = {"hold": _HOLD_OF_WATCHED_FEEDS} if keys.get("schedule") == "watch" else {}
        return {"inbox": keys.get("name", ""), **watched, **keys}

    @field_validator("inbox")
    @classmethod
    def _one_folder(cls, inbox: str) -> str:
        """Accept a folder, or a server by the id of an Airflow connection: a feed file never holds a secret."""
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]*|sftp://\w[\w.-]*(/[^?#@\s]*)?", inbox):
            raise ValueError(
                "must be the plain name of one folder below the storage's `inbox`, or sftp://CONNECTION_ID/FOLDER"
            )
        return inbox

    @field_validator("encoding")
    @classmethod
    def _known_encoding(cls, encoding: str | None) -> str | None:
        if encoding is not None:
            try:
                if codecs.lookup(encoding).name in _NOT_FOR_FILES:
                    raise LookupError
                "".encode(encoding)
            except LookupError:
                raise ValueError(
                    f"{encoding!r} is not an encoding Python knows; for example cp1252, utf-8, shift_jis"
                ) from None
        return encoding

    @field_validator("schedule")
    @classmethod
    def _known_schedule(cls, schedule: str | None) -> str | None:
        presets = ("watch", "@hourly", "@daily", "@weekly", "@monthly", "@yearly")
        if schedule in (None, *presets):
            return schedule
        if not re.fullmatch(r"(\S+\s+){4}\S+", schedule or "") or not _is_cron(schedule or ""):
            raise ValueError(f"{schedule!r} is neither a cron expression of five parts nor one of {', '.join(presets)}")
        return schedule

    @field_validator("columns", "values", "defaults")
    @classmethod
    def _about_known_fields(cls, by_name: dict[str, Any], info: Any) -> dict[str, Any]:
        fields = by_name.values() if info.field_name == "columns" else by_name
        for field in fields:
            if field not in FIELD_NAMES:
                raise ValueError(f"{field!r} is not a field; fields are {', '.join(FIELD_NAMES)}")
            if info.field_name == "columns" and any(alias.lstrip().startswith("_") for alias in by_name):
                raise ValueError("columns whose name starts with `_` are ignored; they cannot be aliases")
            if info.field_name == "defaults" and field in _ID_FIELDS:
                raise ValueError(f"{field!r} cannot have a default")
        return by_name

    @field_validator("values", mode="before")
    @classmethod
    def _words_are_text(cls, values: Any) -> Any:
        """Demand quotes, because YAML does not read `yes` and `1` as text, and cells are text."""
        for field, words in values.items() if isinstance(values, dict) else ():
            for sent, meant in words.items() if isinstance(words, dict) else ():
                if not isinstance(sent, str) or not isinstance(meant, str):
                    raise ValueError(f"in {field!r}: put {sent!r}: {meant!r} in quotes, cells are text")
        return values


def _is_cron(expression: str) -> bool:
    from croniter import croniter

    return bool(croniter.is_valid(expression))


def feed_files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.yaml"))


def read_feeds(folder: Path) -> dict[str, Feed | None]:
    """Read every feed, by name; None where its file is broken."""
    feeds: dict[str, Feed | None] = {}
    for path in feed_files(folder):
        try:
            feeds[path.stem] = load_feed(path)
        except FeedInvalid:
            feeds[path.stem] = None
    return feeds


def load_feed(path: Path) -> Feed:
    """Read one feed file. Raises FeedInvalid with file, key and what is allowed."""
    return _load(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=512)
def _load(path: Path, _changed: int) -> Feed:
    try:
        keys = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise FeedInvalid(path, [f"is not YAML: {' '.join(str(error).split())}"]) from error
    if not isinstance(keys, dict):
        raise FeedInvalid(path, ["must hold keys and values, for example `title: Acme`"])
    try:
        return Feed(**{**keys, "name": path.stem})
    except ValidationError as error:
        raise FeedInvalid(path, [_sentence(problem) for problem in error.errors()]) from error


def _sentence(problem: Any) -> str:
    key = ".".join(str(part) for part in problem["loc"]) or "file"
    if problem["type"] == "extra_forbidden":
        return f"`{key}` is not a known key; known keys are {', '.join(sorted(set(Feed.model_fields) - {'name'}))}."
    return f"`{key}` is {problem.get('input')!r}: {problem['msg'].removeprefix('Value error, ')}."
