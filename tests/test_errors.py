"""Every error says what is needed to act, and no value of a row."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

from include.errors import FeedInvalid, FileRefused, StepFailed


def test_a_refusal_names_its_code_and_the_line_where_there_is_one():
    assert str(FileRefused("FILE_ENCODING", "Not UTF-8.", 3)) == "FILE_ENCODING: line 3: Not UTF-8."
    assert str(FileRefused("FILE_EMPTY", "No bytes.")) == "FILE_EMPTY: No bytes."


def test_a_broken_feed_file_has_a_sentence_for_each_wrong_key():
    error = FeedInvalid(Path("acme.yaml"), ["`mode` is unknown.", "`hold` is unknown."])
    assert str(error) == "acme.yaml: `mode` is unknown.\nacme.yaml: `hold` is unknown."


def test_a_step_that_failed_in_the_database_shows_sqlstate_and_constraint_and_no_value():
    class IntegrityError(Exception):
        """As SQLAlchemy wraps the driver's error."""

    class UniqueViolation(Exception):
        sqlstate = "23505"
        diag = SimpleNamespace(constraint_name="uq_clients_email_key", message_detail="Key (zoe@example.com) exists.")

    error = IntegrityError("zoe@example.com")
    error.orig = UniqueViolation("zoe@example.com")
    assert str(StepFailed("merge", error)) == "merge failed: UniqueViolation, 23505, uq_clients_email_key"
