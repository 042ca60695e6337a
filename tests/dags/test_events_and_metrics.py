"""What other DAGs and dashboards receive: asset events in Airflow's database, metrics at a real StatsD port."""

from __future__ import annotations

import json
import re
from types import SimpleNamespace

import pytest
import sqlalchemy as sa

from demo.reference_data import SAMPLES
from include.metrics import METRICS
from include.settings import ROOT
from tests.airflow_installation import states
from tests.statsd_listener import Listener

DASHBOARD = json.loads((ROOT / "docs" / "grafana_dashboard.json").read_text())


@pytest.fixture
def statsd(installation, monkeypatch):
    """Airflow sends its metrics here, as its settings say; the test process is the task process."""
    from airflow.sdk.observability import stats
    from airflow.sdk.observability.metrics import stats_utils

    listener = Listener()
    for name, value in listener.settings.items():
        monkeypatch.setenv(name, value)
    stats.initialize(factory=stats_utils.get_stats_factory(), export_legacy_names=False)
    yield listener
    monkeypatch.undo()
    stats.initialize(factory=stats_utils.get_stats_factory(), export_legacy_names=False)
    listener.close()


@pytest.fixture
def events(installation, postgres):
    """The asset events of `clients` since the test began, oldest first."""
    engine = sa.create_engine(postgres.url("airflow").replace("postgresql://", "postgresql+psycopg://"))
    query = "SELECT e.extra::text FROM asset_event e JOIN asset a ON a.id = e.asset_id WHERE a.name = 'clients' ORDER BY e.id"

    def _events():
        with engine.connect() as connection:
            return [json.loads(extra) for extra in connection.scalars(sa.text(query))]

    _activate(engine, installation)
    before = len(_events())
    yield lambda: _events()[before:]
    engine.dispose()


def _activate(engine, installation):
    """Do what Airflow's scheduler would do: it accepts only events of assets that a DAG in its database names."""
    activate = "INSERT INTO asset_active (name, uri) SELECT name, uri FROM asset WHERE name = 'clients' RETURNING 1"
    known = "SELECT 1 FROM asset_active WHERE name = 'clients'"
    with engine.begin() as connection:
        if connection.scalar(sa.text(known)) or connection.scalar(sa.text(activate)):
            return
    installation.run("default")
    _activate(engine, installation)


def of(sent, name):
    """Counters of one name, added up by tags."""
    sums: dict[tuple, float] = {}
    for each in sent:
        if each.name == f"client_imports.{name}":
            key = tuple(each.tags[tag] for tag in ("feed", "state", "outcome") if tag in each.tags)
            sums[key] = sums.get(key, 0) + each.value
    return sums


def test_a_merge_announces_counts_and_ids_and_no_cell_to_other_dags(installation, ledger, events):
    installation.drop("default", SAMPLES / "onboarding.csv", "mail.of.ann@example.com.csv")
    assert states(installation.run("default"))["announce"] == "success"
    (event,) = events()
    counts = {"read": 4, "created": 4, "updated": 0, "unchanged": 0, "duplicate": 0, "failed": 0}
    announced = {
        "import_id": str(ledger()[0]["id"]),
        "feed": "default",
        **counts,
        "deactivated": 0,
        "reverted": 0,
        "kept": 0,
    }
    assert event == {"imports": [announced], "created": 4, "updated": 0, "reverted": 0, "deactivated": 0}


@pytest.mark.parametrize("again", ["skipped", "unchanged", "dry run"])
def test_a_run_that_changed_no_client_emits_no_event(installation, events, again):
    conf = {"skipped": {}, "unchanged": {"force": True}, "dry run": {"dry_run": True}}
    name = "clients_export.csv" if again == "dry run" else "onboarding.csv"
    if again != "dry run":
        installation.drop("default", SAMPLES / name)
        installation.run("default")
    before = len(events())
    installation.drop("default", SAMPLES / name)
    run = installation.run("default", **conf[again])
    assert states(run)["announce"] == "skipped" and len(events()) == before
    assert run.state == "success"


def test_a_held_import_is_announced_when_it_is_approved_and_so_is_its_undo(
    installation, engine, ledger, events, statsd
):
    from airflow.sdk.execution_time.context import set_current_context

    installation.drop("default", "First Name,Email\nAnn,ann@example.com\n", "a.csv")
    installation.run("default")
    import_id = str(ledger()[0]["id"])
    with engine.begin() as connection:  # as if it had been held and approved
        connection.execute(sa.text("UPDATE imports SET announced_state = 'held by ' || run_id, state_times = "
                                   "state_times || '{\"held\": \"2026-01-01T00:00:00+00:00\"}'"))  # fmt: skip
    statsd.ours()
    review = installation.bag.dags["review_held_import"]
    announce = review.get_task("announce").python_callable
    context, outlets = {"dag_run": SimpleNamespace(run_id="held__1"), "params": {"import_id": import_id}}, Outlets()
    with set_current_context(context):
        announce(outlet_events=outlets)
    assert [facts["import_id"] for facts in outlets.extra["imports"]] == [import_id]
    sent = statsd.ours()
    assert of(sent, "imports") == {("default", "merged"): 1} and of(sent, "rows") == {("default", "created"): 1}
    assert of(sent, "duration") == {}, "what waits for a person says nothing about speed"

    before = len(events())
    revert = installation.bag.dags["revert_import"]
    conf = {"import_id": import_id, "dry_run": False, "note": None}
    assert revert.test(run_conf=conf, logical_date=None).state == "success"
    (event,) = events()[before:]
    assert event["reverted"] == 1 and event["imports"][0]["reverts_import_id"] == import_id
    sent = statsd.ours()
    assert of(sent, "imports") == {("default", "reverted"): 1} and of(sent, "rows") == {("default", "reverted"): 1}
    run = revert.test(run_conf=conf | {"dry_run": True}, logical_date=None)
    assert run.state == "success" and len(events()) == before + 1


class Outlets(SimpleNamespace):
    """The one asset event of a task."""

    def __getitem__(self, asset):
        assert asset.name == "clients"
        return self


def test_the_next_run_announces_what_a_dead_run_left_but_nothing_twice(impatient, engine, events, statsd):
    impatient.drop("default", SAMPLES / "onboarding.csv")
    impatient.run("default")
    assert len(events()) == 1 and of(statsd.ours(), "imports") == {("default", "merged"): 1}
    for state, expected in (("announced_state", 0), ("NULL", 1)):
        # No mail was sent, so the next run adopts the import.
        with engine.begin() as connection:
            connection.execute(sa.text(f"UPDATE imports SET notified_state = NULL, announced_state = {state}"))
        before = len(events())
        assert impatient.run("default").state == "success"
        assert len(events()) - before == expected and len(of(statsd.ours(), "imports")) == expected


def test_rows_are_counted_by_feed_and_outcome_and_files_by_state(installation, statsd):
    installation.drop("acme", SAMPLES / "partner_feed.csv")
    installation.drop("acme", "First Name;Desk\nAnn;\n", "refused.csv")
    installation.run("acme")
    sent = statsd.ours()
    assert of(sent, "rows") == {("acme", "created"): 2, ("acme", "duplicate"): 1, ("acme", "failed"): 5}
    assert of(sent, "imports") == {("acme", "merged"): 1, ("acme", "refused"): 1}
    (duration,) = [each for each in sent if each.name == "client_imports.duration"]
    assert duration.kind == "ms" and duration.value > 0 and duration.tags == {"feed": "acme"}


def test_looking_at_all_feeds_measures_what_waits_and_is_red_once_for_a_late_feed(
    installation, feeds_folder, engine, statsd
):
    text = "title: Nightly\nexpected_every: 1d\nnotify: {to: [desk@example.com]}\n"
    (feeds_folder / "nightly.yaml").write_text(text)
    look = installation.bag.dags["watch_feeds"]
    try:
        installation.drop("acme", "x", "waits.csv")
        assert look.test(logical_date=None).state == "success" and installation.read_mails() == []
        with engine.begin() as connection:
            connection.execute(sa.text("UPDATE expected_feeds SET since = since - interval '2 days'"))
        statsd.ours()
        assert [look.test(logical_date=None).state for _ in range(2)] == ["failed", "success"]
    finally:
        (feeds_folder / "nightly.yaml").unlink()
    (mail,) = installation.read_mails()
    assert mail["To"] == "desk@example.com" and mail["Subject"].startswith("nightly: LATE, no file since ")
    measures = {(each.name, each.tags["feed"]): each for each in statsd.ours()}
    assert {each.kind for each in measures.values()} == {"g"}
    assert (
        measures["client_imports.late", "nightly"].value > 86_000 and measures["client_imports.late", "acme"].value == 0
    )
    assert (
        measures["client_imports.waiting_age", "acme"].value > 0 and measures["client_imports.held", "acme"].value == 0
    )


def test_an_inbox_whose_place_a_file_has_taken_is_told_by_the_red_task(installation, capfd):
    (installation.home / "storage" / "inbox" / "acme").write_text("First Name;E-mail\n")
    assert installation.bag.dags["watch_feeds"].test(logical_date=None).state == "failed"
    captured = capfd.readouterr()
    assert "System error: " in captured.out + captured.err
    assert "inbox/acme must be a folder and is a file. Rename the file" in captured.out + captured.err


def test_the_dashboard_shows_every_metric_that_the_code_sends_and_no_other(installation, statsd):
    installation.drop("acme", SAMPLES / "partner_feed.csv")
    installation.run("acme")
    installation.bag.dags["watch_feeds"].test(logical_date=None)
    sent = statsd.ours()
    names = {each.name for each in sent}
    shown = " ".join(target["expr"] for panel in DASHBOARD["panels"] for target in panel.get("targets", ()))
    # A timing arrives as NAME_sum and NAME_count, in seconds.
    used = {re.sub("_(sum|count)$", "", name) for name in re.findall(r"\bairflow_(client_imports_\w+)", shown)}
    assert used == {name.replace(".", "_") for name in names} and names == set(METRICS)
    labels = {label for labels in re.findall(r"by \(([^)]*)\)", shown) for label in re.split(r",\s*", labels)}
    assert labels <= {tag for each in sent for tag in each.tags}
