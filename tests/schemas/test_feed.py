"""A feed file is read with its defaults; of a wrong one the error names file, key and what is allowed."""

from __future__ import annotations

import os
from datetime import timedelta

import pytest

from include.errors import FeedInvalid
from include.schemas.feed import Hold, feed_files, load_feed, read_feeds
from include.settings import ROOT


@pytest.mark.parametrize("path", feed_files(ROOT / "include" / "feeds"), ids=lambda path: path.stem)
def test_the_feeds_of_the_project_are_valid(path):
    assert load_feed(path).name == path.stem


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("titel: x\ntitle: X", "`titel` is not a known key; known keys are columns, defaults,"),
        ("{}", "`title` is"),
        ("[1]", "must hold keys and values"),
        ("title: [", "is not YAML"),
        ("title: X\nmax_records: 0", "`max_records` is 0: Input should be greater than or equal to 1"),
        ("title: X\nexpected_every: daily", "`expected_every` is 'daily': must be a number and a unit (m, h, d, w)"),
        ("title: X\nexpected_every: 0h", "for example 90m, 26h, 7d"),
        ("title: X\nmode: merge", "`mode` is 'merge': Input should be 'upsert', 'create_only' or 'update_only'"),
        ("title: X\nschedule: often", "neither a cron expression of five parts nor one of watch, @hourly"),
        ("title: X\ncolumns: {_mail: email}", "columns whose name starts with `_` are ignored"),
        ("title: X\nencoding: unicode_escape", "is not an encoding Python knows"),
        ("title: X\nencoding: klingon", "is not an encoding Python knows"),
        ("title: X\ncolumns: {Mail: e_mail}", "'e_mail' is not a field; fields are id, first_name"),
        ("title: X\nvalues: {active: {yes: no}}", "in quotes, cells are text"),
        ("title: X\ndefaults: {email: a@b.c}", "'email' cannot have a default"),
        ("title: X\ninbox: ../etc", "must be the plain name of one folder"),
        ("title: X\ninbox: sftp://user:secret@host/x", "or sftp://CONNECTION_ID/FOLDER"),
        ("title: X\ninbox: s3://bucket/x", "or sftp://CONNECTION_ID/FOLDER"),
        ("title: X\nhold: {failed_over: 30}", "`hold.failed_over` is 30"),
        ("title: X\nnotify: {to: ['a@b.c\\nBcc: x@y.z']}", "is not one plain e-mail address"),
    ],
)
def test_a_wrong_feed_file_says_what_is_wrong(tmp_path, text, sentence):
    path = tmp_path / "partner.yaml"
    path.write_text(text)
    with pytest.raises(FeedInvalid) as error:
        load_feed(path)
    assert str(error.value).startswith(f"{path}: ") and sentence in str(error.value)


@pytest.mark.parametrize("inbox", ["sftp://acme", "sftp://acme/outgoing/crm", "sftp://acme//srv/out", "acme"])
def test_an_inbox_is_a_folder_here_or_on_a_partners_server(tmp_path, inbox):
    assert feed(tmp_path, f"inbox: {inbox}").inbox == inbox


def feed(tmp_path, text: str):
    path = tmp_path / "partner.yaml"
    path.write_text(f"title: X\n{text}")
    return load_feed(path)


def test_a_feed_is_named_after_its_file_and_has_a_folder_of_that_name(tmp_path):
    partner = feed(tmp_path, "")
    assert (partner.name, partner.inbox) == ("partner", "partner")
    assert (partner.max_records, partner.max_bytes, partner.stable_seconds) == (5_000, 20 * 1024 * 1024, 5)


def test_only_a_watched_feed_holds_imports_when_nothing_is_said_about_it(tmp_path):
    assert feed(tmp_path, "").hold == Hold() and Hold().limits == {}
    assert feed(tmp_path, "schedule: watch").hold.limits == {"failed": 0.5, "deactivated": 0.2}
    assert feed(tmp_path, "schedule: watch\nhold: {updated_over: 0.1}").hold.limits == {"updated": 0.1}


@pytest.mark.parametrize(
    ("text", "span"), [("26h", timedelta(hours=26)), ("7 d", timedelta(days=7)), ("2w", timedelta(weeks=2))]
)
def test_the_time_between_files_is_a_number_and_a_unit(tmp_path, text, span):
    assert feed(tmp_path, f"expected_every: {text}").expected_every == span


@pytest.mark.parametrize("schedule", ["watch", "@daily", "*/10 6-18 * * 1-5"])
def test_a_schedule_is_watch_a_preset_or_a_cron_expression(tmp_path, schedule):
    assert feed(tmp_path, f"schedule: '{schedule}'").schedule == schedule


def test_a_changed_feed_file_is_read_again(tmp_path):
    assert feed(tmp_path, "").max_records == 5_000
    (tmp_path / "partner.yaml").write_text("title: X\nmax_records: 7\n")
    os.utime(tmp_path / "partner.yaml", ns=(1, 1))
    assert load_feed(tmp_path / "partner.yaml").max_records == 7


def test_a_broken_feed_file_does_not_hide_the_others(tmp_path):
    (tmp_path / "a.yaml").write_text("titel: A")
    (tmp_path / "b.yaml").write_text("title: B")
    feeds = read_feeds(tmp_path)
    assert feeds["a"] is None and feeds["b"].title == "B"
