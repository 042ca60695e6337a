"""The kinds of values that a feed's keys hold, each with its rule; a ValueError says what is allowed."""

from __future__ import annotations

import codecs
import re
from datetime import timedelta
from typing import Annotated, Any
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from include.schemas.words import check_date_format, folded

_NOT_FOR_FILES = ("idna", "punycode", "raw-unicode-escape", "unicode-escape", "undefined")
FEED_NAME = "[a-z][a-z0-9_]{0,39}"
_CONNECTION_ID = r"\w[\w.-]*"
SPAN = "^([1-9][0-9]{0,4}) ?([mhdw])$"
_PRESETS = ("watch", "@hourly", "@daily", "@weekly", "@monthly", "@yearly")


def _span(text: Any) -> timedelta:
    units = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
    parts = re.fullmatch(SPAN, text) if isinstance(text, str) else None
    if not parts:
        raise ValueError("must be a number and a unit (m, h, d, w), for example 90m, 26h, 7d")
    return timedelta(**{units[parts[2]]: int(parts[1])})


def _inbox(inbox: str) -> str:
    """Accept a folder, or a server by the id of an Airflow connection: a feed file never holds a secret."""
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]*|sftp://\w[\w.-]*(/[^?#@\s]*)?", inbox):
        raise ValueError(
            "must be the plain name of one folder below the storage's `inbox`, or sftp://CONNECTION_ID/FOLDER"
        )
    if "://" in inbox and inbox.rstrip("/").endswith("/answers"):
        raise ValueError("must not be a folder `answers`, in which senders are answered")
    return inbox


def _schedule(schedule: str) -> str:
    is_five_parts = re.fullmatch(r"(\S+\s+){4}\S+", schedule) is not None
    if schedule not in _PRESETS and not (is_five_parts and _comes_some_day(schedule)):
        raise ValueError(f"must be a cron expression of five parts, or one of {', '.join(_PRESETS)}")
    return schedule


def _comes_some_day(expression: str) -> bool:
    """Return False for the 31st of February, too: Airflow could read no DAG of the file."""
    from croniter import croniter
    from croniter.croniter import CroniterError

    try:
        croniter(expression).get_next()
    except CroniterError:
        return False
    return True


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # there is none; or the name leads to another folder
        meant = [zone for zone in available_timezones() if zone.casefold() == name.strip().casefold()]
        example = meant[0] if meant else "Europe/Berlin"
        raise ValueError(f"must be the IANA name of a time zone, for example {example}") from None
    return name


def _encoding(encoding: str) -> str:
    try:
        if codecs.lookup(encoding).name in _NOT_FOR_FILES:
            raise LookupError
        "".encode(encoding)
    except (LookupError, ValueError):
        raise ValueError("must be an encoding that Python knows, for example cp1252, shift_jis") from None
    return encoding


def _address(address: str) -> str:
    if not re.fullmatch(r"[^\s@,;<>]+@[^\s@,;<>]+", address):
        raise ValueError("must be one plain e-mail address")
    return address


def _connection_id(connection_id: str) -> str:
    if not re.fullmatch(_CONNECTION_ID, connection_id):
        raise ValueError(
            "must be the ID of an HTTP connection in Airflow, such as acme_slack; the address belongs in the connection"
        )
    return connection_id


def _clear_word(word: str) -> str:
    if not folded(word):
        raise ValueError("must be a word that clears a field, for example '#CLEAR', or null for none")
    return word


def _date_format(form: str) -> str:
    check_date_format(form)
    return form


Share = Annotated[float, Field(ge=0, le=1, examples=[0.5])]
# Pydantic would describe a span as it writes one itself, in ISO 8601.
Span = Annotated[
    timedelta,
    BeforeValidator(_span),
    WithJsonSchema({"type": "string", "pattern": SPAN, "examples": ["26h", "7d"]}),
]
ConnectionId = Annotated[
    str,
    AfterValidator(_connection_id),
    Field(examples=["acme_slack"], json_schema_extra={"pattern": f"^{_CONNECTION_ID}$"}),
]
Inbox = Annotated[str, AfterValidator(_inbox), Field(examples=["acme", "sftp://acme_sftp/outgoing"])]
FilePattern = Annotated[str, Field(examples=["*.csv", "acme_*.csv"])]
Schedule = Annotated[str, AfterValidator(_schedule), Field(examples=["watch", "30 6 * * *", "@daily"])]
Zone = Annotated[str, AfterValidator(_zone), Field(examples=["Europe/Berlin"])]
Encoding = Annotated[str, AfterValidator(_encoding), Field(examples=["cp1252"])]
Address = Annotated[str, AfterValidator(_address), Field(examples=["you@example.com"])]
ClearWord = Annotated[str, AfterValidator(_clear_word), Field(examples=["#CLEAR"])]
DateFormat = Annotated[str, AfterValidator(_date_format), Field(examples=["%d/%m/%Y %H:%M"])]
