"""A system error keeps its cause, and neither a cell nor a file name nor a password."""

from __future__ import annotations

import errno
import os
import socket
from types import SimpleNamespace

import pytest
import sqlalchemy as sa

from include.adapters.database.engine import engine_from_url
from include.errors import SettingInvalid
from include.system_errors import cause_of


def failing(url: str) -> str:
    with pytest.raises(sa.exc.OperationalError) as caught, engine_from_url(url).connect():
        pass
    return cause_of(caught.value)


def wrapped(name: str, text: str, state: str | None = None, constraint: str | None = None) -> Exception:
    """An error of the driver, in that of SQLAlchemy."""
    kind = type(name, (Exception,), {"sqlstate": state, "diag": SimpleNamespace(constraint_name=constraint)})
    return sa.exc.DBAPIError("SELECT", {}, kind(text))


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "No space left on device"),
        (OSError(errno.ENOSPC, "Failed to open 'Zoe Mark.csv'"), "No space left on device"),
        (PermissionError(errno.EACCES, "x", "/srv/clients/archive/acme/2026-03-01/Zoe_Mark--1.csv"),
         "Permission denied in archive/acme/2026-03-01"),
        (FileNotFoundError(errno.ENOENT, "x", b"/srv/staging/5f1c/source.csv"), "No such file or directory"),
        (FileNotFoundError(errno.ENOENT, "x", "/home/zoe/Zoe Mark.csv"), "No such file or directory"),
        (ConnectionRefusedError(errno.ECONNREFUSED, "Connect call failed ('10.0.0.1', 22)"), "Connection refused"),
        (socket.gaierror(socket.EAI_NONAME, "Name or service not known"), "there is no such host"),
        (TimeoutError("zoe@example.com took too long"), "it took too long"),
        (OSError("zoe@example.com"), "OSError"),
        (ValueError("zoe@example.com"), "ValueError"),
        (KeyError("zoe@example.com"), "KeyError"),
    ],
)  # fmt: skip
def test_the_operating_system_is_quoted_and_nothing_else(error, cause):
    assert cause_of(error) == cause


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (wrapped("UniqueViolation", "Key (zoe@example.com) exists.", "23505", "uq_clients_email_key"),
         "UniqueViolation, 23505, uq_clients_email_key"),
        (wrapped("InvalidTextRepresentation", 'invalid input: "zoe"', "22P02"), "InvalidTextRepresentation, 22P02"),
        (wrapped("DiskFull", 'could not extend file "base/1"', "53100"),
         "the disk of the database server is full (DiskFull, 53100)"),
        (wrapped("InvalidTextRepresentation", 'connection to server at "x", port 1 failed: zoe', "22P02"),
         "InvalidTextRepresentation, 22P02"),
        (wrapped("DataError", "zoe@example.com"), "DataError"),
    ],
)  # fmt: skip
def test_an_error_of_the_database_has_its_code_and_no_value(error, cause):
    assert cause_of(error) == cause


@pytest.mark.parametrize(
    ("url", "cause"),
    [
        ("postgresql://u:geheim@127.0.0.1:1/crm", "could not connect to 127.0.0.1:1: Connection refused"),
        ("postgresql://u:geheim@localhost:1/crm", "could not connect to localhost:1: Connection refused"),
        ("postgresql://u:geheim@nowhere.invalid/crm", "could not connect to nowhere.invalid: there is no such host"),
        ("postgresql://u:geheim@/crm?host=/tmp/nowhere",
         "could not connect to /tmp/nowhere/.s.PGSQL.5432: No such file or directory"),
    ],
)  # fmt: skip
def test_a_database_that_cannot_be_reached_is_named_and_the_password_is_not(url, cause):
    assert failing(url) == cause


def test_what_the_server_says_against_a_login_is_said(clients_url):
    url = sa.make_url(clients_url)
    said = failing(url.set(database="nowhere").render_as_string(hide_password=False))
    assert said.startswith("could not connect to ") and said.endswith('database "nowhere" does not exist')
    said = failing(url.set(username="eve", password="geheim").render_as_string(hide_password=False))
    assert said.endswith('role "eve" does not exist') and "geheim" not in said


def test_a_connection_that_is_lost_and_a_table_that_is_missing_are_said_in_words(clients_url, engine):
    own = engine_from_url(clients_url)
    with own.connect() as connection:
        pid = connection.scalar(sa.text("SELECT pg_backend_pid()"))
        with engine.begin() as other:
            other.execute(sa.text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": pid})
        with pytest.raises(sa.exc.OperationalError) as caught:
            connection.execute(sa.text("SELECT 1"))
    assert cause_of(caught.value) == "the database server ended the connection (AdminShutdown, 57P01)"
    with engine.connect() as connection, pytest.raises(sa.exc.ProgrammingError) as missing:
        connection.execute(sa.text("SELECT 1 FROM nowhere"))
    assert cause_of(missing.value) == "a table is missing in the database: run the migrations (UndefinedTable, 42P01)"
    own.dispose()


def test_the_text_of_the_system_is_in_english_whatever_a_library_says():
    assert cause_of(OSError(errno.EROFS, "")) == os.strerror(errno.EROFS) == "Read-only file system"


def test_a_url_whose_port_is_no_number_is_not_shown():
    with pytest.raises(SettingInvalid, match=r"^AIRFLOW_CONN_CLIENTS_DB is not a database URL\.$"):
        engine_from_url("postgresql://host:geheim/crm")
