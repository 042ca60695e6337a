"""Every error says what is needed to act, and no value of a row."""

from __future__ import annotations

from errno import ENOSPC
from pathlib import Path

from include.errors import FeedInvalid, FileRefused, StepFailed, StorageFailed, sentence_of


def test_a_refusal_names_its_code_and_the_line_where_there_is_one():
    assert str(FileRefused("FILE_ENCODING", "Not UTF-8.", 3)) == "FILE_ENCODING: line 3: Not UTF-8."
    assert str(FileRefused("FILE_EMPTY", "No bytes.")) == "FILE_EMPTY: No bytes."


def test_a_broken_feed_file_has_a_sentence_for_each_wrong_key():
    error = FeedInvalid(Path("acme.yaml"), ["`mode` is unknown.", "`hold` is unknown."])
    assert str(error) == "acme.yaml: `mode` is unknown.\nacme.yaml: `hold` is unknown."


def test_a_step_that_failed_names_the_step_and_the_cause():
    assert str(StepFailed("merge", OSError(ENOSPC, "Zoe.csv"))) == "merge failed: No space left on device"
    missing = StorageFailed("The bucket crm does not exist.")
    assert str(StepFailed("receive", missing)) == "receive failed: The bucket crm does not exist."


def test_a_failed_storage_is_an_error_of_the_family_and_of_the_system():
    assert isinstance(StorageFailed("x"), OSError) and sentence_of(StorageFailed("No bucket.")) == "No bucket."


def test_several_errors_are_said_once_each():
    errors = [OSError(ENOSPC, ""), OSError(ENOSPC, ""), ValueError("zoe@example.com")]
    assert sentence_of(ExceptionGroup("zoe@example.com", errors)) == "No space left on device; ValueError"
