"""A feed file that is wrong says file, key and what is allowed."""

from __future__ import annotations

import pytest

from include.errors import FeedInvalid
from include.schemas.feed import feed_files, load_feed
from include.settings import ROOT


@pytest.mark.parametrize("path", feed_files(ROOT / "include" / "feeds"), ids=lambda path: path.stem)
def test_our_own_feeds_are_valid(path):
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
def test_an_inbox_may_be_a_folder_on_a_partners_server(tmp_path, inbox):
    path = tmp_path / "partner.yaml"
    path.write_text(f"title: X\ninbox: {inbox}\n")
    assert load_feed(path).inbox == inbox
