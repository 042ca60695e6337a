"""Read the environment: the only module that does, and only at run time, never when it is imported."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from include.errors import SettingInvalid

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Settings:
    """What the environment sets.

    storage     where files lie: an absolute folder or an S3 URL
    feeds       the folder of the feed files
    clients_db  the URL of the client database, a secret
    """

    storage: str
    feeds: Path
    clients_db: str | None

    def __repr__(self) -> str:
        return f"Settings(storage={self.storage}, feeds={self.feeds!s})"


def read_settings() -> Settings:
    """Read CLIENT_IMPORTS_STORAGE, CLIENT_IMPORTS_FEEDS and AIRFLOW_CONN_CLIENTS_DB.

    Raises SettingInvalid when the storage root is relative: each process would see another folder.
    """
    storage = os.environ.get("CLIENT_IMPORTS_STORAGE") or str(ROOT / ".storage")
    if not storage.startswith("s3://") and not Path(storage).is_absolute():
        raise SettingInvalid(f"CLIENT_IMPORTS_STORAGE must be an absolute path or an s3:// URL, not {storage!r}.")
    feeds = Path(os.environ.get("CLIENT_IMPORTS_FEEDS", ROOT / "include" / "feeds"))
    return Settings(storage=storage, feeds=feeds, clients_db=os.environ.get("AIRFLOW_CONN_CLIENTS_DB"))


def group_access() -> bool:
    """Read CLIENT_IMPORTS_GROUP_ACCESS: `true` lets the group of the files read and write them, too."""
    return os.environ.get("CLIENT_IMPORTS_GROUP_ACCESS", "").lower() == "true"


@dataclass(frozen=True, repr=False)
class Login:
    """Host, user and password of an Airflow connection: a secret."""

    host: str = ""
    port: int | None = None
    user: str | None = None
    password: str | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of_connection(cls, connection: Any) -> Login:
        """Take the login from an Airflow connection, or from anything with its attributes."""
        return cls(
            connection.host or "", connection.port, connection.login, connection.password, connection.extra_dejson
        )


def login_from_environment(connection_id: str) -> Login:
    """Read an Airflow connection from the environment, JSON or a URI, for processes without Airflow.

    Raises SettingInvalid when AIRFLOW_CONN_ID is not set.
    """
    name = f"AIRFLOW_CONN_{connection_id.upper()}"
    value = os.environ.get(name, "")
    if not value:
        raise SettingInvalid(f"{name} is not set.")
    return _login_from_json(name, value) if value.startswith("{") else _login_from_uri(value)


def _login_from_json(name: str, text: str) -> Login:
    try:
        keys = json.loads(text)
    except ValueError:
        raise SettingInvalid(f"{name} is neither JSON nor a URI.") from None
    extra = keys.get("extra") or {}
    extra = json.loads(extra) if isinstance(extra, str) else extra
    return Login(keys.get("host") or "", keys.get("port"), keys.get("login"), keys.get("password"), extra)


def _login_from_uri(uri: str) -> Login:
    url = urlsplit(uri)
    user, password = (unquote(part) if part else None for part in (url.username, url.password))
    return Login(unquote(url.hostname or ""), url.port, user, password, dict(parse_qsl(url.query)))
