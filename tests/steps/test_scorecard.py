"""The weekly mail about a feed: what it counts, and that nobody gets it twice or for nothing."""

from __future__ import annotations

import struct
import zlib
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from include.emails.chart import bars
from include.steps.scorecard import mail_scorecards, scorecard

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)  # a Monday; the week is that of 16 to 22 November
TUESDAY = datetime(2026, 11, 17, 9, tzinfo=UTC)
BAD = "First Name,Email\nAnn,ann@example.com\n,ben@example.com\n,cat@example.com\nDan,dan\n"


@pytest.fixture
def feed(feed):
    return feed.model_copy(update={"notify": feed.notify.model_copy(update={"to": ["desk@example.com"]})})


@pytest.fixture
def card(engine, feed):
    return lambda now=NOW, **keys: scorecard(engine, feed.model_copy(update=keys), now, "http://airflow/run")


@pytest.fixture
def mail(engine, feed):
    """Mail as the DAG does; gives the feeds that were mailed, and the letters."""

    def _mail(now=NOW, when="always", sends=lambda *_: None):
        letters = []

        def send(to, letter):
            sends(to, letter)
            letters.append((to, letter))

        own = feed.model_copy(update={"notify": feed.notify.model_copy(update={"when": when})})
        return mail_scorecards(engine, {"default": own, "broken": None}, now, send, "http://airflow/run"), letters

    return _mail


def at(time):
    return {"clock": lambda: time}


def test_a_week_without_rows_says_so_once(bring, card):
    bring("Shoe size,Email\n1,a@example.com\n", **at(TUESDAY))
    found = card()
    assert "1 file, 1 of them refused. No rows.\n" in found.text() and found.subject.endswith("1 file, no rows")


def test_a_week_is_counted_with_its_trend_and_what_was_corrected(bring, storage, card):
    bring("First Name,Email\nAnn,ann@example.com\n,ben@example.com\n", **at(TUESDAY - timedelta(days=14)))
    first = bring(BAD, **at(TUESDAY))
    bring("Shoe size,Email\n1,a@example.com\n", **at(TUESDAY))
    bring("First Name,Email\nEve,eve@example.com\n", dry_run=True, **at(TUESDAY))
    report = (storage.root / first.report).read_bytes().replace(b"\r\n,ben", b"\r\nBen,ben")
    bring(report, **at(TUESDAY + timedelta(hours=1)))
    bring("First Name,Email\nToday,today@example.com\n", **at(NOW))
    text = card().text()
    assert "2 files, 1 of them refused. 4 rows, 75.0 % failed. In the weeks before it was 50.0 %: more fail." in text
    assert "Required cell is blank (First name): 2 rows, 1 of them corrected. Fill the cell." in text
    assert "(E-mail): 1 row, none of them corrected." in text
    assert "2026-11-02 50.0 %; 2026-11-09 no rows; 2026-11-16 75.0 %." in text
    assert card().subject == "default: week of 2026-11-16, 2 files, 75.0 % failed"


@pytest.mark.parametrize(
    ("arrivals", "late"),
    [
        ([], timedelta(0)),  # nothing came ever, and nothing was expected
        ([datetime(2026, 11, 10, tzinfo=UTC)], timedelta(days=7)),
        ([datetime(2026, 11, 15, 12, tzinfo=UTC), datetime(2026, 11, 18, 18, tzinfo=UTC)], timedelta(days=5, hours=12)),
        ([datetime(2026, 11, day, tzinfo=UTC) for day in range(15, 23)], timedelta(0)),
    ],
)
def test_days_late_are_those_of_the_week_in_which_a_file_was_due(bring, card, arrivals, late):
    for number, arrival in enumerate(arrivals):
        bring(f"First Name,Email\nAnn,a{number}@example.com\n", **at(arrival))
    found = card(expected_every=timedelta(days=1))
    assert found.late == late and card().late == timedelta(0)
    assert ("A file was due for 7 days of the week" in found.text()) == (late == timedelta(days=7))


def test_a_week_is_one_of_the_feeds_time_zone(bring, card):
    bring("First Name,Email\nAnn,ann@example.com\n", **at(datetime(2026, 11, 15, 23, 30, tzinfo=UTC)))
    assert card().week.files == 0 and card(timezone="Europe/Berlin").week.files == 1


def test_nobody_is_mailed_twice_and_one_feeds_error_is_told(bring, mail):
    bring(BAD, **at(TUESDAY))

    def breaks(*_):
        raise OSError("no mail server")

    failed, _ = mail(sends=breaks)
    assert failed.feeds == [] and len(failed.errors) == 1
    mailed, ((to, _),) = mail()
    assert mailed.feeds == ["default"] and to == ["desk@example.com"]
    assert mail()[1] == [] and mail(NOW + timedelta(days=3))[1] == []
    bring("First Name,Email\nEve,eve@example.com\n", **at(TUESDAY + timedelta(days=7)))
    assert len(mail(NOW + timedelta(days=7))[1]) == 1


@pytest.mark.parametrize(
    ("text", "when", "number"),
    [
        (None, "always", 0), ("First Name,Email\nAnn,ann@example.com\n", "always", 1),
        ("First Name,Email\nAnn,ann@example.com\n", "problems", 0), (BAD, "problems", 1), (BAD, "never", 0),
    ],
)  # fmt: skip
def test_there_is_no_mail_without_anything_to_say(bring, mail, text, when, number):
    if text:
        bring(text, **at(TUESDAY))
    assert len(mail(when=when)[1]) == number


def test_the_chart_is_a_picture_with_a_bar_for_each_week_and_is_shown_by_the_html(bring, card):
    bring(BAD, **at(TUESDAY))
    found = card()
    assert 'src="cid:chart" alt="Rows of the last 8 weeks' in found.html()
    png = found.pictures["chart"]
    assert png.startswith(b"\x89PNG\r\n\x1a\n") and struct.unpack(">II", png[16:24]) == (8 * 32, 96)
    size = png.index(b"IDAT") - 4
    (length,) = struct.unpack(">I", png[size : size + 4])
    lines = zlib.decompress(png[size + 8 : size + 8 + length])
    bottom, top = lines[-257:], lines[:257]
    assert (bottom[1 + 7 * 32], top[1 + 7 * 32], bottom[1]) == (2, 1, 0), "failed below, good above, no other week"


def test_a_chart_of_nothing_is_white_and_a_single_failed_row_is_seen():
    assert bars([(0, 0)]) != bars([(100_000, 1)]) != bars([(100_000, 0)])


def test_the_title_of_a_feed_is_only_text(card, engine):
    html = card(title="<img src=x onerror=alert(1)>").html()
    assert "<img src=x" not in html
    with engine.connect() as connection:
        assert connection.scalar(sa.text("SELECT count(*) FROM mailed_scorecards")) == 0
