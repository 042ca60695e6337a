"""A feed file is read with its defaults; of a wrong one the error names file, key and what is allowed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from include.errors import FeedInvalid
from include.schemas.feed import Feed, Hold
from include.schemas.feed_folder import feed_files, load_feed
from include.settings import ROOT


@pytest.mark.parametrize("path", feed_files(ROOT / "include" / "feeds"), ids=lambda path: path.stem)
def test_the_feeds_of_the_project_are_valid(path):
    assert load_feed(path).name == path.stem


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("titel: x\ntitle: X", "`titel` is not a known key; known keys are answer, clear_word, columns,"),
        ("titel: x\ntitle: X", "Did you mean `title`?"),
        (
            "title: X\nnotify: {too: []}",
            "`notify.too` is not a known key; known keys are attach_failed_rows, sender, to, uploader, webhook, when.",
        ),
        ("title: X\nname: acme", "`name` is not a known key: a feed is named after its file."),
        (
            "title: X\nnotify: {webhook: 'https://hooks.example.com/services/s3cret'}",
            "`notify.webhook`: must be the ID of an HTTP connection in Airflow, such as acme_slack; the address belongs in"
            " the connection.",
        ),
        ("owner: x", "`title` is missing: every feed needs it."),
        ("title: 5", "`title` is 5: must be text: put it in quotes."),
        ("title: X\nrequire_done_file: 1", "`require_done_file` is 1: must be true or false."),
        ("title: X\nrequire_done_file: 'yes'", "`require_done_file` is 'yes': must be true or false."),
        ("title: X\nmax_files_per_run: '7'", "`max_files_per_run` is '7': must be a whole number from 1 to 1000."),
        ("title: X\nmax_files_per_run: true", "`max_files_per_run` is true: must be a whole number from 1 to 1000."),
        ("title: X\nmax_records: 0", "`max_records` is 0: must be a whole number from 1 to 16777215."),
        ("title: X\nmax_bytes: 0", "`max_bytes` is 0: must be a whole number of at least 1."),
        ("title: X\nretention_days: 99999999", "must be a whole number from 1 to 36500."),
        ("title: X\nstable_seconds: .nan", "`stable_seconds` is nan: must be a number from 0 to 3600."),
        ("title: X\nhold: {failed_over: 30}", "`hold.failed_over` is 30: must be a number from 0 to 1."),
        ("title: X\nhold: {answer_days: 0}", "`hold.answer_days` is 0: must be a number above 0 and at most 90."),
        ("title: X\nmode: merge", "`mode` is 'merge': must be one of upsert, create_only, update_only."),
        ("title: X\nmode:", "`mode` is empty: must be one of upsert, create_only, update_only."),
        ("title: X\ndelimiter: tab", '`delimiter` is \'tab\': must be one of ",", ";", "\\t", "|".'),
        (
            "title: X\nnotify: [a@example.com]",
            "`notify`: must be keys and values: to, when, uploader, attach_failed_rows, sender, webhook.",
        ),
        ("title: X\nnotify: {to: a@example.com}", "`notify.to` is 'a@example.com': must be a list, for example [first"),
        ("title: X\nvalues: {desk: London}", "`values.desk` is 'London': must be keys and values, for example {key: v"),
        ("title: X\nexpected_every: daily", "`expected_every` is 'daily': must be a number and a unit (m, h, d, w)"),
        ("title: X\nexpected_every: 0h", "for example 90m, 26h, 7d"),
        (
            "title: X\nschedule: often",
            "`schedule` is 'often': must be a cron expression of five parts, or one of watch",
        ),
        ("title: X\nschedule: 0 6 31 2 *", "must be a cron expression of five parts"),
        ("title: X\nschedule: watch\nwait_minutes: 5", "`wait_minutes` is 5: must be left out with `schedule: watch`"),
        ("title: X\ntimezone: europe/berlin", "the IANA name of a time zone, for example Europe/Berlin."),
        ("title: X\ntimezone: CEST", "`timezone` is 'CEST': must be the IANA name of a time zone, for example"),
        ("title: X\ntimezone: ../../etc/passwd", "must be the IANA name of a time zone"),
        ("title: X\nfile_pattern: '*.xlsx'", "`file_pattern` is '*.xlsx': can match no file that is imported"),
        ("title: X\nfile_pattern: 'in/*.csv'", "must be about names alone; folders belong to `inbox`."),
        ("title: X\nwrite: {created: never}", "`write.created` is 'never': must go: it never changes."),
        (
            "title: X\nwrite: {email: never}",
            "`write.email` is 'never': must be create_only, because a new client needs",
        ),
        ("title: X\nwrite: {desk: never}", "`write.desk` is 'never': must be said alike for project and desk"),
        (
            "title: X\nsnapshot: deactivate_missing\nhold: {deactivated_over: }",
            "`hold.deactivated_over` is empty: must be a share with `snapshot: deactivate_missing`.",
        ),
        (
            "title: X\nsnapshot: deactivate_missing\nwrite: {active: never}",
            "`write.active` is 'never': must be left out with `snapshot: deactivate_missing`, which writes it.",
        ),
        ("title: X\nwrite: {type: sometimes}", "must be one of always, if_empty, create_only, never."),
        ("title: X\nfile_pattern: ''", "must be a pattern of file names, for example *.csv."),
        ("title: X\nencoding: unicode_escape", "must be an encoding that Python knows"),
        ("title: X\nencoding: klingon", "`encoding` is 'klingon': must be an encoding that Python knows"),
        (
            "title: X\ncolumns: {_mail: email}",
            "`columns._mail` is 'email': must go: columns whose name starts with `_`",
        ),
        ("title: X\ncolumns: {Mail: e_mail}", "`columns.Mail` is 'e_mail': must be a field (id, first_name, "),
        ("title: X\ncolumns: {Mail: skip}", "type, created), or `ignore`, which leaves the column out."),
        (
            "title: X\ncolumns: {E Mail: email, e_mail: username}",
            "`columns.e_mail` is 'username': must mean what 'E Mail'",
        ),
        ("title: X\nvalues: {colour: {red: blue}}", "`values.colour`: must be named as a field: id, first_name,"),
        ("title: X\nvalues: {type: {' ': personal}}", "a new client gets for a blank cell is said by `defaults`."),
        ("title: X\nvalues: {type: {vip: }}", "`values.type.vip` is empty: must be text."),
        ("title: X\nvalues: {desk: {London: Soho}}", "`values.desk.London` is 'Soho': must be an ID of 24 hexadecimal"),
        (
            "title: X\ndefaults: {desk: London}",
            "`defaults.desk` is 'London': must be an ID of 24 hexadecimal digits, or",
        ),
        ("title: X\ndefaults: {ignore: x}", "`defaults.ignore` is 'x': must be named as a field: id, first_name,"),
        ("title: X\ndefaults: {email: a@b.c}", "`defaults.email` is 'a@b.c': must go: each client has its own."),
        ("title: X\ndefaults: {desk: ''}", "`defaults.desk` is '': must be filled, or go."),
        ("title: X\ndefaults: {type: [vip]}", "`defaults.type`: must be text, or true or false."),
        ("title: X\nclear_word: #N/A", "`clear_word` is empty: put text that begins with # in quotes"),
        (
            'title: X\nclear_word: " "',
            "`clear_word` is ' ': must be a word that clears a field, for example '#CLEAR', or null",
        ),
        (
            "title: X\ndate_format: dd.mm.yyyy",
            "`date_format` is 'dd.mm.yyyy': must name the day once, as %d; for example",
        ),
        (
            "title: X\nvalues: {active: {Ja: yes, ' JA': no}}",
            "`values.active. JA` is 'no': must mean what 'Ja' means, because case and surrounding space",
        ),
        ("title: X\ninbox: ../etc", "must be the plain name of one folder"),
        ("title: X\ninbox: sftp://user:secret@host/x", "`inbox`: must be the plain name of one folder"),
        ("title: X\ninbox: s3://bucket/x", "or sftp://CONNECTION_ID/FOLDER"),
        ('title: X\nnotify: {to: ["a@b.c\\nBcc: x@y.z"]}', "`notify.to.0` is 'a@b.c\\nBcc: x@y.z': must be one plain"),
    ],
)
def test_a_wrong_feed_file_says_what_is_wrong(tmp_path, text, sentence):
    path = tmp_path / "partner.yaml"
    path.write_text(text)
    with pytest.raises(FeedInvalid) as error:
        load_feed(path)
    assert str(error.value).startswith(f"{path}: ") and sentence in str(error.value)
    assert "instance of" not in str(error.value) and "{'title'" not in str(error.value)


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
    assert (partner.max_records, partner.max_bytes, partner.stable_seconds) == (5_000, 20 * 1024 * 1024, 10)


def test_a_feed_of_whole_lists_always_holds_a_file_that_would_deactivate_many():
    keys = {"title": "X", "name": "x", "snapshot": "deactivate_missing"}
    hold = Feed(**keys, hold={"failed_over": 0.1, "fewer_than": None}).hold
    assert (hold.failed_over, hold.deactivated_over, hold.fewer_than) == (0.1, 0.2, None)
    assert Feed(**keys).hold.fewer_than == 0.5


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


@pytest.mark.parametrize(
    ("every", "hours"), [("1d", 25), ("24h", 25), ("1w", 7 * 24 + 1), ("26h", 26), ("23h", 23), ("90m", 1.5)]
)
def test_whole_days_are_days_of_the_feeds_time_zone_and_other_spans_are_hours(tmp_path, every, hours):
    berlin = feed(tmp_path, f"expected_every: {every}\ntimezone: Europe/Berlin")
    before_winter_time = datetime(2026, 10, 24, 6, tzinfo=UTC)
    assert berlin.next_file_due(before_winter_time) == before_winter_time + timedelta(hours=hours)
    assert feed(tmp_path, "").next_file_due(before_winter_time) is None


def test_a_feed_without_a_time_zone_has_utc(tmp_path):
    noon = datetime(2026, 7, 1, 12, tzinfo=UTC)
    assert feed(tmp_path, "").local(noon).isoformat() == "2026-07-01T12:00:00+00:00"
    assert feed(tmp_path, "timezone: Asia/Kolkata").local(noon).isoformat() == "2026-07-01T17:30:00+05:30"
