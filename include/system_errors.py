"""Say why a system error happened, in words that hold no cell, no file name and no password.

An exception's own text may quote any of them, so only what is known to be safe is said: the texts of the operating
system, the addresses of servers, and codes.
"""

from __future__ import annotations

import os
import re
import socket
from pathlib import PurePath

# The folders of the storage. Below them are folders of ours, named after feeds, days and imports; then senders' files.
_OUR_FOLDERS = ("inbox", "staging", "archive", "refused", "reports")

# What libpq says when it cannot connect. It quotes the server, the user and the database, and nothing of a statement.
_NO_CONNECTION = re.compile(
    r'connection to server (?:at "(?P<host>[^"]*)"(?: \([^)]*\))?, port (?P<port>\d+)|on socket "(?P<socket>[^"]*)") '
    r"failed: (?:FATAL: +)?(?P<reason>[^\n]*)"
)
_NO_HOST = re.compile(r"failed to resolve host '(?P<host>[^']*)'")
# What the server's codes (SQLSTATE) mean for the people who run it.
_OF_THE_SERVER = {
    "25006": "the database is read-only",
    "42501": "the database role lacks a permission",
    "42703": "a column is missing in the database: run the migrations",
    "42704": "the database has no such role",
    "42P01": "a table is missing in the database: run the migrations",
    "42P07": "the database has a table of this name that is not the importer's",
    "53100": "the disk of the database server is full",
    "53200": "the database server has no memory left",
    "53300": "the database server has too many connections",
    "57014": "a statement took longer than the database allows",
    "57P01": "the database server ended the connection",
    "57P02": "the database server crashed",
    "57P03": "the database server is starting or stopping",
}
# Errors that Python's own libraries raise without a number of the operating system.
_WITHOUT_A_NUMBER = {socket.gaierror: "there is no such host", TimeoutError: "it took too long"}


def cause_of(error: BaseException) -> str:
    """Give the cause, without a full stop; only the name of the error's class when nothing more is safe."""
    driver_error = getattr(error, "orig", None)  # SQLAlchemy wraps the errors of psycopg
    if driver_error is not None:
        return _in_the_database(driver_error, bool(getattr(error, "connection_invalidated", False)))
    return (_in_the_system(error) if isinstance(error, OSError) else "") or type(error).__name__


def _in_the_database(error: BaseException, is_lost: bool) -> str:
    state = getattr(error, "sqlstate", None)
    if state is None and (words := _not_connected(error, is_lost)):
        return words
    constraint = getattr(getattr(error, "diag", None), "constraint_name", None)
    details = ", ".join(str(detail) for detail in (type(error).__name__, state, constraint) if detail)
    return f"{_OF_THE_SERVER[state]} ({details})" if state in _OF_THE_SERVER else details


def _not_connected(error: BaseException, is_lost: bool) -> str:
    if found := _NO_CONNECTION.search(str(error)):
        name = getattr(getattr(error, "pgconn", None), "host", b"")  # as in the settings; the text has its address
        host = name.decode(errors="replace") if name else found["host"]
        server = found["socket"] or f"{host}:{found['port']}"
        return f"could not connect to {server}: {found['reason'].strip()}"
    if found := _NO_HOST.search(str(error)):
        return f"could not connect to {found['host']}: there is no such host"
    return "the connection to the database was lost" if is_lost else ""


def _in_the_system(error: OSError) -> str:
    """Use the operating system's own text: libraries put file names into theirs."""
    if error.errno is None or error.errno <= 0:
        return next((words for kind, words in _WITHOUT_A_NUMBER.items() if isinstance(error, kind)), "")
    folder = _folder(error.filename)
    return os.strerror(error.errno) + (f" in {folder}" if folder else "")


def _folder(path: object) -> str:
    """Give the folder of our storage that a path leads to: feed and day, or import. The file's own name is left out."""
    if not isinstance(path, str | os.PathLike):
        return ""
    parts = PurePath(path).parts[:-1]
    ours = [number for number, part in enumerate(parts) if part in _OUR_FOLDERS]
    return "/".join(parts[ours[-1] :]) if ours else ""
