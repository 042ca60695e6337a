"""Frames that one step saves for the next, for each piece of the file: Arrow files in storage, or in memory."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Protocol

import pandas as pd

from include.adapters.files.paths import FilePath, opened, written_whole

if TYPE_CHECKING:
    from pathlib import Path

    import pyarrow

Frames = tuple[pd.DataFrame, ...]

_IN_MEMORY = 5  # pieces: 15 MiB of text, and ten times as much as frames


class Staging(Protocol):
    """Frames by import id and name: one for each piece of the file, and at least one."""

    def save(self, import_id: str, names: tuple[str, ...], pieces: Iterable[Frames]) -> None:
        """Save a frame for each name from each piece; when `pieces` raises, nothing is saved."""

    def load(self, import_id: str, *names: str) -> Iterator[Frames]:
        """Yield the frames of each piece. Raises FileNotFoundError for what was never saved."""


class StagingFolder:
    """Arrow files `root/staging/IMPORT_ID/NAME.arrow` with a record batch for each piece.

    The folder is made when the import's file is claimed. When it is gone the import has ended, and a process that is
    late must not make it again: saving raises FileNotFoundError.
    """

    def __init__(self, root: FilePath) -> None:
        self._root = root / "staging"

    def save(self, import_id: str, names: tuple[str, ...], pieces: Iterable[Frames]) -> None:
        with ExitStack() as files:
            paths = [files.enter_context(written_whole(self._path(import_id, name))) for name in names]
            _write(paths, pieces)

    def load(self, import_id: str, *names: str) -> Iterator[Frames]:
        from pyarrow import ipc

        with ExitStack() as files:
            paths = [self._path(import_id, name) for name in names]
            readers = [ipc.open_file(files.enter_context(opened(path))) for path in paths]
            for number in range(readers[0].num_record_batches):
                yield tuple(reader.get_batch(number).to_pandas(use_threads=False) for reader in readers)

    def _path(self, import_id: str, name: str) -> FilePath:
        return self._root / import_id / f"{name}.arrow"


def _write(paths: list[Path], pieces: Iterable[Frames]) -> None:
    from pyarrow import ipc

    with ExitStack() as closing:
        writers: list[ipc.RecordBatchFileWriter] = []
        for frames in pieces:
            batches = [_as_batch(frame) for frame in frames]
            writers = writers or [
                closing.enter_context(ipc.new_file(path, batch.schema, options=ipc.IpcWriteOptions(compression="lz4")))
                for path, batch in zip(paths, batches, strict=True)
            ]
            for writer, batch in zip(writers, batches, strict=True):
                writer.write_batch(batch)


def _as_batch(frame: pd.DataFrame) -> pyarrow.RecordBatch:
    import pyarrow

    # A frame made of several frames has columns of several parts.
    table = pyarrow.Table.from_pandas(frame, preserve_index=frame.index.name is not None)
    columns = [column.combine_chunks() for column in table.columns]
    return pyarrow.RecordBatch.from_arrays(columns, schema=table.schema)


class StagingMemory(StagingFolder):
    """Staging for one process: the frames of a file of a few pieces stay in memory."""

    def __init__(self, root: FilePath) -> None:
        super().__init__(root)
        self._kept: dict[tuple[str, str], list[pd.DataFrame]] = {}

    def save(self, import_id: str, names: tuple[str, ...], pieces: Iterable[Frames]) -> None:
        pieces = iter(pieces)
        first = deque(itertools.islice(pieces, _IN_MEMORY + 1))
        if len(first) > _IN_MEMORY:
            # Each piece is let go of once it is written.
            drained = (first.popleft() for _ in range(len(first)))
            return super().save(import_id, names, itertools.chain(drained, pieces))
        by_name = zip(names, zip(*first, strict=True), strict=True)
        self._kept |= {(import_id, name): list(frames) for name, frames in by_name}
        return None

    def load(self, import_id: str, *names: str) -> Iterator[Frames]:
        if (import_id, names[0]) in self._kept:
            return zip(*(self._kept[import_id, name] for name in names), strict=True)
        return super().load(import_id, *names)


class StagingInMemory:
    """Staging for a process that may write no file: all frames stay in memory, however many there are."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], list[pd.DataFrame]] = {}

    def save(self, import_id: str, names: tuple[str, ...], pieces: Iterable[Frames]) -> None:
        by_name = zip(names, zip(*pieces, strict=True), strict=True)
        self._kept |= {(import_id, name): list(frames) for name, frames in by_name}

    def load(self, import_id: str, *names: str) -> Iterator[Frames]:
        return zip(*(self._kept[import_id, name] for name in names), strict=True)
