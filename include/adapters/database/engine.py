"""Open the database by its URL, with an engine that keeps cells out of logs and errors."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from include.errors import SettingInvalid

# A host that loses its power must not hold locks for the two hours that TCP waits by itself.
_KEEPALIVES = {"keepalives": 1, "keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3}


def url_of_connection(airflow: Any) -> str:
    """Write an Airflow connection (anything with its attributes) as a URL, password included."""
    url = sa.URL.create(
        "postgresql", airflow.login, airflow.password, airflow.host, airflow.port, airflow.schema, airflow.extra_dejson
    )
    return url.render_as_string(hide_password=False)


def engine_from_url(url: str | None, statement_ms: int | None = None, *, read_only: bool = False) -> sa.Engine:
    """Build the engine for `postgresql://user:password@host:port/database` (also `postgres://`), on psycopg.

    With `statement_ms` no statement takes longer. `read_only`: a transaction that does not ask for more only reads.
    Raises SettingInvalid without showing the URL: it holds a password.
    """
    if not url:
        raise SettingInvalid(
            "AIRFLOW_CONN_CLIENTS_DB is not set; give it postgresql://user:password@host:5432/database."
        )
    try:
        parsed = sa.make_url(url)
    except (sa.exc.ArgumentError, ValueError):  # a port that is no number
        raise SettingInvalid("AIRFLOW_CONN_CLIENTS_DB is not a database URL.") from None
    if parsed.get_backend_name() not in ("postgresql", "postgres"):
        raise SettingInvalid("AIRFLOW_CONN_CLIENTS_DB must be a postgresql:// URL.")
    settings = [f"-c statement_timeout={statement_ms}"] if statement_ms else []
    settings += ["-c default_transaction_read_only=on"] if read_only else []
    limit = {"options": " ".join(settings)} if settings else {}
    return sa.create_engine(
        parsed.set(drivername="postgresql+psycopg"), hide_parameters=True, pool_pre_ping=True,
        connect_args={**_KEEPALIVES, **limit},
    )  # fmt: skip
