"""A database URL is opened, or refused without being shown: it holds a password."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from include.adapters.database.engine import engine_from_url, url_of_connection
from include.errors import SettingInvalid


@pytest.mark.parametrize("scheme", ["postgresql", "postgres"])
def test_both_names_of_the_scheme_are_understood(scheme):
    engine = engine_from_url(f"{scheme}://user:secret@host:5432/clients")
    assert engine.dialect.driver == "psycopg" and engine.url.database == "clients"
    assert engine.hide_parameters


@pytest.mark.parametrize("url", [None, "", "mysql://user:secret@host/clients", "secret"])
def test_what_is_no_url_of_postgresql_is_refused_without_showing_it(url):
    with pytest.raises(SettingInvalid) as refused:
        engine_from_url(url)
    assert "AIRFLOW_CONN_CLIENTS_DB" in str(refused.value) and "secret" not in str(refused.value)


def test_a_connection_of_airflow_becomes_a_url_whatever_is_in_its_password():
    airflow = SimpleNamespace(
        login="user",
        password="p@ss/word",
        host="host",
        port=5432,
        schema="clients",
        extra_dejson={"sslmode": "require"},
    )
    url = url_of_connection(airflow)
    assert engine_from_url(url).url.password == "p@ss/word"
    assert engine_from_url(url).url.query == {"sslmode": "require"}


def test_a_statement_can_be_limited_in_time(clients_url):
    with engine_from_url(clients_url, statement_ms=1234).connect() as connection:
        assert connection.exec_driver_sql("SHOW statement_timeout").scalar() == "1234ms"
