"""The people of a late feed are notified once each time it is late, whatever else goes wrong."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from include.adapters.database import ledger
from include.models import RunRequest, State
from include.schemas.feed import Feed
from include.steps.watch_feeds import watch_feeds

START = datetime(2026, 11, 2, 6, tzinfo=UTC)
HOUR = timedelta(hours=1)


class Watch:
    """Looks at feeds at any hour after the start; keeps the mails."""

    def __init__(self, engine, storage, **feeds):
        self.engine, self.storage, self.feeds, self.mails = engine, storage, feeds, []

    def look(self, hours):
        return watch_feeds(self.engine, self.storage, self.feeds, START + hours * HOUR, self.send, "http://airflow/run")

    def send(self, to, letter):
        self.mails.append(letter)

    def came(self, feed, hours, **request):
        with self.engine.begin() as connection:
            return ledger.open_import(connection, feed, "a.csv", RunRequest(**request), START + hours * HOUR)


def daily(name="acme", **keys) -> Feed:
    return Feed(name=name, title="Acme <partner>", expected_every="24h", notify={"to": ["desk@example.com"]}, **keys)


@pytest.fixture
def watch(engine, storage):
    """A watch over one feed, of which a file is expected from the start on."""
    storage.inbox("acme").mkdir(parents=True)
    watch = Watch(engine, storage, acme=daily())
    watch.look(0)
    return watch


def names(statuses):
    return [status.feed.name for status in statuses]


def test_a_feed_that_is_late_is_notified_once_and_again_only_after_a_file_has_come(watch):
    watch.came("acme", 0)
    assert watch.look(24).late == []
    assert names(watch.look(25).late) == ["acme"]
    assert watch.look(26).late == [] and watch.look(60).late == []
    watch.came("acme", 61)
    assert watch.look(62).late == [] and watch.look(85).late == []
    assert names(watch.look(86).late) == ["acme"]
    assert [mail.last_arrival for mail in watch.mails] == [START, START + 61 * HOUR]


def test_a_feed_that_never_sent_anything_is_late_from_when_a_file_was_first_expected(watch):
    assert watch.look(24).late == []
    assert names(watch.look(25).late) == ["acme"]
    assert watch.mails[0].subject == "acme: LATE, no file since 2026-11-02 06:00 UTC"


def test_the_mail_says_since_when_and_what_to_do_and_is_safe_as_html(watch):
    watch.look(25)
    (mail,) = watch.mails
    assert "One is expected every 1 day, so the feed is late since 2026-11-03 06:00 UTC." in mail.text()
    assert "ask the sender" in mail.text() and "inbox/acme" in mail.text() and "http://airflow/run" in mail.text()
    assert "Acme &lt;partner&gt; (acme)" in mail.html()


def test_a_file_that_waits_in_the_inbox_has_come(watch, storage):
    watch.came("acme", 0)
    inbox = storage.inbox("acme")
    (inbox / "late.csv").write_text("x")
    looked = watch.look(48)
    assert looked.late == [] and looked.statuses[0].overdue == timedelta(0)
    (inbox / "late.csv").rename(inbox / "late.csv.part")
    assert names(watch.look(48).late) == ["acme"]


def test_a_dry_run_and_another_feeds_file_are_no_sign_of_life(watch):
    watch.came("acme", 0)
    watch.came("acme", 20, dry_run=True)
    watch.came("other", 20)
    assert names(watch.look(25).late) == ["acme"]


def test_a_mail_server_that_is_down_is_a_system_error_and_people_are_notified_later(watch, monkeypatch):
    watch.came("acme", 0)
    watch.feeds["other"] = Feed(name="other", title="Other")

    def down(feed, letter):
        raise OSError("connection refused")

    with monkeypatch.context() as patch:
        patch.setattr(watch, "send", down)
        looked = watch.look(25)
        assert looked.late == [] and [type(error) for error in looked.errors] == [OSError]
        assert names(looked.statuses) == ["acme", "other"]
    assert names(watch.look(26).late) == ["acme"] and len(watch.mails) == 1


def test_an_inbox_that_cannot_be_read_hides_no_other_feeds_lateness(watch, storage, monkeypatch):
    watch.feeds = {"broken": daily("broken"), "acme": daily()}
    watch.look(0)
    storage.inbox("broken").rmdir()
    storage.inbox("broken").write_text("a file where a folder should be")
    looked = watch.look(25)
    (error,) = looked.errors
    assert names(looked.late) == ["acme"] and "inbox/broken must be a folder and is a file." in str(error)


def test_a_feed_whose_people_want_no_mail_is_late_without_one(watch):
    watch.feeds["acme"] = daily().model_copy(update={"notify": daily().notify.model_copy(update={"when": "never"})})
    watch.came("acme", 0)
    assert names(watch.look(25).late) == ["acme"] and watch.mails == []


def test_a_feed_file_that_was_broken_for_a_while_causes_no_second_mail(watch):
    watch.look(25)
    watch.feeds["acme"] = None
    watch.look(26)
    watch.feeds["acme"] = daily()
    assert watch.look(27).late == [] and len(watch.mails) == 1


def test_a_feed_that_expects_files_anew_is_not_late_at_once(watch):
    watch.feeds["acme"] = daily().model_copy(update={"expected_every": None})
    watch.look(100)
    watch.feeds["acme"] = daily()
    assert watch.look(101).late == [] and names(watch.look(126).late) == ["acme"]


def test_a_day_lasts_as_long_as_it_does_in_the_feeds_time_zone(watch):
    summer_time_ends = -8 * 24  # on 25 October 2026 at 03:00 in Berlin, eight days before the start
    watch.feeds = {"berlin": daily("berlin", timezone="Europe/Berlin"), "utc": daily("utc")}
    watch.look(summer_time_ends - 25)
    for name in watch.feeds:
        watch.came(name, summer_time_ends - 24)
    assert names(watch.look(summer_time_ends + 0.5).late) == ["utc"]
    assert watch.look(summer_time_ends + 1).late == []
    looked = watch.look(summer_time_ends + 1.5)
    assert names(looked.late) == ["berlin"]
    assert "late since 2026-10-25 08:00 CET" in watch.mails[-1].text()
    assert "LATE by 0 h 30 min, no file since 2026-10-24 08:00 CEST" in str(looked.late[0])


def test_what_waits_is_measured(watch, storage, engine):
    held = watch.came("acme", 1)
    ledger.change(engine, held.id, state=State.HELD)
    inbox = storage.inbox("acme")
    (inbox / "a.csv").write_text("x")
    now = datetime.now(UTC) + 2 * HOUR
    (status,) = watch_feeds(engine, storage, watch.feeds, now, watch.send, "").statuses
    measured = {measure.name: measure.value for measure in status.measures}
    assert measured["client_imports.held"] == 1 and measured["client_imports.late"] == 0
    assert measured["client_imports.waiting_age"] > 7000
    assert str(status).startswith("acme: oldest file waits ") and str(status).endswith(", 1 held")


def test_an_upload_that_no_run_claims_is_a_file_that_waits(watch, storage, engine):
    from include.steps.context import ImportContext
    from include.steps.upload import UploadRequest, Writing

    context = ImportContext.of(daily(), engine, storage)
    with Writing(replace(context, clock=lambda: START), UploadRequest("olga", "a.csv")) as writing:
        writing.write(b"x")
        writing.finish()
    (status,) = watch.look(30).statuses
    assert status.waits == 30 * HOUR and not status.overdue
