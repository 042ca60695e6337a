"""What one step leaves for the next: frames, as Parquet in storage or in memory for a corridor in one process."""

from __future__ import annotations

from io import BytesIO
from typing import Protocol

import pandas as pd

from include.adapters.file_path import FilePath, write_whole


class Staging(Protocol):
    """Frames by import id and name. Loading what was never saved raises FileNotFoundError."""

    def save(self, import_id: str, name: str, frame: pd.DataFrame) -> None: ...

    def load(self, import_id: str, name: str) -> pd.DataFrame: ...


class StagingFolder:
    """`root/staging/IMPORT_ID/NAME.parquet`; a file is whole or not there.

    The folder is made when the import's file is taken. Where it is gone the import has ended, and a straggler must
    not make it again.
    """

    def __init__(self, root: FilePath) -> None:
        self._root = root / "staging"

    def save(self, import_id: str, name: str, frame: pd.DataFrame) -> None:
        write_whole(self._root / import_id / f"{name}.parquet", frame.to_parquet())

    def load(self, import_id: str, name: str) -> pd.DataFrame:
        return pd.read_parquet(BytesIO((self._root / import_id / f"{name}.parquet").read_bytes()))


class StagingMemory:
    def __init__(self) -> None:
        self._frames: dict[tuple[str, str], pd.DataFrame] = {}

    def save(self, import_id: str, name: str, frame: pd.DataFrame) -> None:
        self._frames[import_id, name] = frame

    def load(self, import_id: str, name: str) -> pd.DataFrame:
        try:
            return self._frames[import_id, name]
        except KeyError:
            raise FileNotFoundError(f"nothing staged as {name} for import {import_id}") from None
