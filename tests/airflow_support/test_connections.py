"""Airflow's connections, as tasks, the triggerer and the API server read them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest


@pytest.fixture
def connections(airflow: Any) -> Any:
    """The module, loaded after the settings of the Airflow that it belongs to."""
    from include.airflow_support import connections

    return connections


@pytest.fixture
def only_in_airflows_database(airflow: Any) -> Iterator[str]:
    """A connection that a person has typed into Airflow's web page."""
    from airflow.models.connection import Connection
    from airflow.utils.session import create_session

    with create_session() as session:
        session.add(
            Connection(
                conn_id="typed_in",
                conn_type="sftp",
                host="sftp.example.com",
                login="us",
                password="secret",
                extra='{"a": 1}',
            )
        )
    yield "typed_in"
    with create_session() as session:
        session.query(Connection).filter_by(conn_id="typed_in").delete()


def test_the_api_server_finds_a_connection_of_airflows_database(connections, only_in_airflows_database, monkeypatch):
    monkeypatch.setenv("_AIRFLOW_PROCESS_CONTEXT", "server")  # as Airflow's API server does when it starts
    login = connections.find_login(only_in_airflows_database)
    assert (login.host, login.user, login.password, login.extra) == ("sftp.example.com", "us", "secret", {"a": 1})


def test_a_missing_connection_is_an_error_that_names_it(connections):
    from airflow.exceptions import AirflowNotFoundException

    with pytest.raises(AirflowNotFoundException, match="nowhere"):
        connections.find_login("nowhere")


def test_a_process_has_one_engine_for_each_statement_limit(connections):
    engine, limited = connections.open_engine(), connections.open_engine(15_000)
    assert engine is not limited
    assert connections.open_engine() is engine and connections.open_engine(15_000) is limited


def test_a_context_has_the_feed_as_its_file_describes_it_now(connections, installation, feeds_folder):
    path = feeds_folder / "fresh.yaml"
    try:
        path.write_text("title: Before\n")
        assert connections.open_context("fresh").feed.title == "Before"
        path.write_text("title: After that\n")
        context = connections.open_context("fresh")
        assert context.feed.title == "After that" and context.storage.root == installation.home / "storage"
    finally:
        path.unlink()
