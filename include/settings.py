"""The only reader of the environment. Read at run time, never when a module is imported."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from include.errors import SettingInvalid

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Settings:
    """Where files live and where feeds are described. `clients_db` is a database URL, and a secret."""

    storage: Path
    feeds: Path
    clients_db: str | None

    def __repr__(self) -> str:
        return f"Settings(storage={self.storage!s}, feeds={self.feeds!s})"


def read_settings() -> Settings:
    """Read CLIENT_IMPORTS_STORAGE, CLIENT_IMPORTS_FEEDS and AIRFLOW_CONN_CLIENTS_DB.

    Raises SettingInvalid when the storage root is relative: each process would see another folder.
    """
    storage = Path(os.environ.get("CLIENT_IMPORTS_STORAGE", ROOT / ".storage"))
    if not storage.is_absolute():
        raise SettingInvalid(f"CLIENT_IMPORTS_STORAGE must be an absolute path, not {str(storage)!r}.")
    feeds = Path(os.environ.get("CLIENT_IMPORTS_FEEDS", ROOT / "include" / "feeds"))
    return Settings(storage=storage, feeds=feeds, clients_db=os.environ.get("AIRFLOW_CONN_CLIENTS_DB"))
