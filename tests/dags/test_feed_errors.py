"""What Airflow shows of feed files that are wrong, and what runs of such feeds do: nothing, in red."""

from __future__ import annotations

import runpy

import pytest

from include.settings import ROOT
from tests.airflow_installation import states

ANN = "First Name;Last Name;E-mail;Desk;Active\nAnn;;ann@example.com;;yes\n"


@pytest.fixture
def feeds(tmp_path, monkeypatch):
    """Write feed files, and give the import error that they cause, '' for none."""
    monkeypatch.setenv("CLIENT_IMPORTS_FEEDS", str(tmp_path))

    def _errors(**texts: str) -> str:
        for name, text in texts.items():
            (tmp_path / f"{name}.yaml").write_text(f"title: {name}\n{text}\n")
        try:
            runpy.run_path(str(ROOT / "dags" / "feed_errors.py"))
        except ImportError as error:
            return str(error)
        return ""

    return _errors


def test_the_shipped_feeds_cause_no_import_error(monkeypatch):
    monkeypatch.setenv("CLIENT_IMPORTS_FEEDS", str(ROOT / "include" / "feeds"))
    assert runpy.run_path(str(ROOT / "dags" / "feed_errors.py"))["errors"] == []


def test_every_wrong_feed_is_an_import_error_with_file_and_key(feeds, tmp_path):
    errors = feeds(
        a="titel: A",
        b="defaults: {type: vip}",
        c="values: {active: {ja: jawohl}}",
        d="columns: {Email: username}",
        e="",
    ).splitlines()
    assert [line.partition(": ")[0] for line in errors if line] == [str(tmp_path / f"{name}.yaml") for name in "abcd"]
    assert "`defaults.type`: Type “vip” is not one of" in errors[2] and "`columns.Email`" in errors[4]


def test_two_feeds_that_can_take_one_file_are_an_import_error_that_names_both(feeds, tmp_path):
    assert feeds(a="", b="inbox: a\nfile_pattern: 'x*.csv'").strip().startswith(
        f"{tmp_path / 'a.yaml'}: can take the same files as b.yaml: both read the inbox a, and one name can match"
    )  # fmt: skip


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"acme.yaml": "defaults: {desk: 000000000000000000000000}\n"}, "the CRM has no desk with this ID"),
        ({"acme.yaml": "defaults: {type: vip}\n"}, "Type “vip” is not one of: personal, business"),
        ({"other.yaml": "inbox: acme\nfile_pattern: '*.csv'\n"}, "can take the same files as other.yaml"),
    ],
)
def test_a_run_of_such_a_feed_fails_at_once_and_claims_nothing(
    impatient, ledger, tmp_path, monkeypatch, caplog, capsys, change, sentence
):
    (tmp_path / "acme.yaml").write_text("title: Acme\ndelimiter: ';'\nstable_seconds: 0\n")
    for name, text in change.items():
        before = (tmp_path / name).read_text() if (tmp_path / name).exists() else f"title: {name}\n"
        (tmp_path / name).write_text(before + text)
    monkeypatch.setenv("CLIENT_IMPORTS_FEEDS", str(tmp_path))
    impatient.drop("acme", ANN, "a.csv")
    run = impatient.run("acme")
    assert run.state == "failed" and ledger() == [] and impatient.files("inbox") == ["acme/a.csv"]
    (sensor,) = (ti for ti in run.get_task_instances() if ti.task_id == "sense_inbox")
    assert sensor.state == "failed" and sensor.try_number == 1, states(run)
    assert sentence in caplog.text + capsys.readouterr().out


def test_a_schedule_follows_the_clocks_of_the_feeds_time_zone(airflow, tmp_path, monkeypatch):
    from airflow.dag_processing.dagbag import DagBag

    (tmp_path / "a.yaml").write_text("title: A\nschedule: 30 6 * * *\ntimezone: Europe/Berlin\n")
    (tmp_path / "b.yaml").write_text("title: B\nschedule: '@daily'\n")
    (tmp_path / "c.yaml").write_text("title: C\n")
    monkeypatch.setenv("CLIENT_IMPORTS_FEEDS", str(tmp_path))
    bag = DagBag(dag_folder=str(ROOT / "dags" / "import_clients.py"))
    berlin, utc, by_hand = (bag.dags[f"import_clients__{name}"].timetable for name in "abc")
    assert (berlin.expression, str(berlin.timezone)) == ("30 6 * * *", "Europe/Berlin")
    assert str(utc.timezone) == "UTC" and type(by_hand).__name__ == "NullTimetable"
