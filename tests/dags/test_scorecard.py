"""The weekly scorecard as a real run, with the mail that was received."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from include.adapters.files.storage import Storage
from include.schemas.feed_folder import find_feed
from include.settings import read_settings
from include.steps.import_file import import_file


def test_a_scorecard_comes_by_mail_with_its_chart_inside(installation, engine, tmp_path):
    file = tmp_path / "clients.csv"
    file.write_text("First Name;E-mail\nAnn;ann@example.com\n;ben@example.com\n")
    import_file(
        file, feed=find_feed(read_settings().feeds, "acme"), engine=engine, storage=Storage(tmp_path / "s"),
        clock=lambda: datetime.now(UTC) - timedelta(days=7),
    )  # fmt: skip
    scorecard = installation.bag.dags["scorecard"]
    assert [scorecard.test(logical_date=None).state for _ in range(2)] == ["success", "success"]
    (mail,) = installation.read_mails()
    assert mail["Subject"].startswith("acme: week of ") and mail["Subject"].endswith(" 1 file, 50.0 % failed")
    (picture,) = [part for part in mail.walk() if part.get_content_type() == "image/png"]
    assert picture["Content-ID"] == "<chart>" and picture.get_content().startswith(b"\x89PNG")
    assert "2 rows, 50.0 % failed." in mail.get_body(("plain",)).get_content()
