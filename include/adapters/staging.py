"""What one step leaves for the next: frames of each piece of the file, as Parquet in storage or in memory."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Protocol

import pandas as pd

from include.adapters.file_path import FilePath, opened, written_whole

if TYPE_CHECKING:
    from pathlib import Path

    import pyarrow

Frames = tuple[pd.DataFrame, ...]


class Staging(Protocol):
    """By import id and name there is a frame for each piece of the file, and at least one.

    `save` takes a frame for each name at once; nothing of what `pieces` gave is there when it raises. Loading what
    was never saved raises FileNotFoundError.
    """

    def save(self, import_id: str, names: tuple[str, ...], pieces: Iterable[Frames]) -> None: ...

    def load(self, import_id: str, *names: str) -> Iterator[Frames]: ...


class StagingFolder:
    """`root/staging/IMPORT_ID/NAME.parquet`, a row group for each piece.

    The folder is made when the import's file is taken. Where it is gone the import has ended, and a straggler must
    not make it again.
    """

    def __init__(self, root: FilePath) -> None:
        self._root = root / "staging"

    def save(self, import_id: str, names: tuple[str, ...], pieces: Iterable[Frames]) -> None:
        with ExitStack() as files:
            paths = [files.enter_context(written_whole(self._path(import_id, name))) for name in names]
            _write(paths, pieces)

    def load(self, import_id: str, *names: str) -> Iterator[Frames]:
        from pyarrow import parquet

        with ExitStack() as files:
            paths = [self._path(import_id, name) for name in names]
            found = [parquet.ParquetFile(files.enter_context(opened(path))) for path in paths]
            for number in range(found[0].num_row_groups):
                yield tuple(each.read_row_group(number, use_threads=False).to_pandas() for each in found)

    def _path(self, import_id: str, name: str) -> FilePath:
        return self._root / import_id / f"{name}.parquet"


def _write(paths: list[Path], pieces: Iterable[Frames]) -> None:
    from pyarrow import parquet

    with ExitStack() as closing:
        writers: list[parquet.ParquetWriter] = []
        for frames in pieces:
            tables = [_as_table(frame) for frame in frames]
            # Cells hardly repeat, and nobody searches here.
            writers = writers or [
                closing.enter_context(
                    parquet.ParquetWriter(
                        path, table.schema, compression="lz4", use_dictionary=False, write_statistics=False
                    )
                )
                for path, table in zip(paths, tables, strict=True)
            ]
            for writer, table in zip(writers, tables, strict=True):
                writer.write_table(table, row_group_size=max(1, table.num_rows))


def _as_table(frame: pd.DataFrame) -> pyarrow.Table:
    import pyarrow

    return pyarrow.Table.from_pandas(frame, preserve_index=frame.index.name is not None)


class StagingMemory(StagingFolder):
    """For a corridor in one process: a file of one piece stays in memory, any other goes to the folder."""

    def __init__(self, root: FilePath) -> None:
        super().__init__(root)
        self._only: dict[tuple[str, str], pd.DataFrame] = {}

    def save(self, import_id: str, names: tuple[str, ...], pieces: Iterable[Frames]) -> None:
        pieces = iter(pieces)
        first, *more = itertools.islice(pieces, 2)
        if more:
            super().save(import_id, names, itertools.chain([first, *more], pieces))
        else:
            self._only |= {(import_id, name): frame for name, frame in zip(names, first, strict=True)}

    def load(self, import_id: str, *names: str) -> Iterator[Frames]:
        if (import_id, names[0]) in self._only:
            return iter([tuple(self._only[import_id, name] for name in names)])
        return super().load(import_id, *names)
