"""The daily DAG that forgets, run for real."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from demo.reference_data import SAMPLES
from tests.airflow_installation import states

EMMA = "66829b2e43c91e3ce480b6c4"


@pytest.fixture
def run(installation):
    dag = installation.bag.dags["forget_imports"]
    return lambda client_id=None: dag.test(run_conf={"client_id": client_id}, logical_date=None)


def texts(engine) -> str:
    with engine.connect() as connection:
        tables = ("imports", "import_rows")
        return " ".join(str(list(connection.scalars(sa.text(f"SELECT t::text FROM {t} t")))) for t in tables)


def test_a_day_forgets_the_imports_of_all_feeds_that_are_past_their_retention(
    installation, run, engine, ledger, clients
):
    installation.drop("default", SAMPLES / "clients_export.csv")
    installation.drop("acme", SAMPLES / "partner_feed.csv")
    for feed in ("default", "acme"):
        installation.run(feed)
    done = run()
    assert done.state == "success" and states(done) == {"forget": "success", "forget_client": "skipped"}
    assert [row["forgotten_at"] for row in ledger()] == [None, None]
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE imports SET received_at = received_at - interval '373 days', feed = "
                                   "CASE feed WHEN 'acme' THEN 'gone' ELSE feed END"))  # fmt: skip
    people = clients()
    assert run().state == "success"
    assert all(row["forgotten_at"] for row in ledger()) and clients() == people
    assert "carl@example" not in texts(engine) and "emma.smith" not in texts(engine)


def test_a_client_named_in_the_trigger_form_is_forgotten_everywhere(installation, run, engine, ledger, clients):
    installation.drop("default", SAMPLES / "clients_export.csv")
    installation.run("default")
    assert "emma.smith" in texts(engine)
    archived = installation.home / "storage" / ledger()[0]["file_path"]
    done = run(EMMA)
    assert done.state == "success" and states(done)["forget_client"] == "success"
    assert "emma.smith" not in texts(engine) and "emma.smith@example.com" in clients()
    assert not archived.exists()
    assert ledger()[0]["file_path"] is None and "A person was erased" in ledger()[0]["message"]


def test_a_client_in_a_held_import_makes_the_run_red_and_retrying_does_not_help(installation, run, engine):
    installation.drop("default", SAMPLES / "clients_export.csv")
    installation.run("default")
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE imports SET state = 'held'"))
    done = run(EMMA)
    assert done.state == "failed" and states(done) == {"forget": "success", "forget_client": "failed"}


def test_the_dag_keeps_the_policy_and_warns_of_addresses(airflow):
    dag = airflow.bag.dags["forget_imports"]
    assert dag.doc_md and dag.tags and dag.max_active_runs == 1 and not dag.catchup and dag.dagrun_timeout
    for task in dag.tasks:
        assert task.owner == "data-engineering" and task.execution_timeout and task.retries == 3
    param = dag.params.get_param("client_id")
    assert "an e-mail address would stay in Airflow's own database" in param.description
    assert airflow.bag.import_errors == {}
