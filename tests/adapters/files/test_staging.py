"""Frames saved by one step are loaded by the next as they were, from storage or from memory."""

from __future__ import annotations

import pandas as pd
import pytest

from include.adapters.files import staging
from include.adapters.files.staging import StagingFolder, StagingMemory
from tests.inboxes import all_files


def frame(*texts: str, first: int = 1) -> pd.DataFrame:
    index = pd.RangeIndex(first, first + len(texts), name="row")
    return pd.DataFrame({"text": pd.array(texts, dtype="str"), "line": range(len(texts))}, index=index)


PIECES = [(frame("Ann", "é\n"), frame("1")), (frame("NULL", first=3), frame())]


@pytest.fixture(params=[StagingFolder, StagingMemory])
def kept(request, folder_or_bucket):
    (folder_or_bucket.root / "staging" / "7").mkdir(parents=True)
    return request.param(folder_or_bucket.root)


@pytest.mark.parametrize("in_memory", [1, 10])
def test_each_piece_is_loaded_as_it_was_saved(kept, in_memory, monkeypatch):
    monkeypatch.setattr(staging, "_IN_MEMORY", in_memory)
    kept.save("7", ("a", "b"), iter(PIECES))
    for names, expected in ((("a", "b"), PIECES), (("b",), [(piece[1],) for piece in PIECES])):
        for loaded, saved in zip(kept.load("7", *names), expected, strict=True):
            for one, other in zip(loaded, saved, strict=True):
                pd.testing.assert_frame_equal(one, other)


def test_what_was_never_saved_is_a_missing_file(kept):
    with pytest.raises(FileNotFoundError):
        list(kept.load("7", "a"))


def test_pieces_that_end_in_an_error_leave_nothing(kept, folder_or_bucket, monkeypatch):
    monkeypatch.setattr(staging, "_IN_MEMORY", 1)

    def broken():
        yield from PIECES
        raise ValueError("stop")

    with pytest.raises(ValueError, match="stop"):
        kept.save("7", ("a", "b"), broken())
    assert all_files(folder_or_bucket) == {}
    with pytest.raises(FileNotFoundError):
        list(kept.load("7", "a"))


def test_an_import_that_has_ended_is_not_staged_again(tmp_path):
    with pytest.raises(FileNotFoundError):
        StagingFolder(tmp_path).save("7", ("a", "b"), iter(PIECES))
    assert not (tmp_path / "staging").exists()
