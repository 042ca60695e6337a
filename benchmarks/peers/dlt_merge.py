"""dlt, its fastest way into PostgreSQL: an Arrow table, merged with the `upsert` strategy, loaded as CSV by COPY."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import dlt
import pyarrow as arrow
import pyarrow.compute as compute
import pyarrow.csv as arrow_csv
from psycopg.conninfo import conninfo_to_dict

from benchmarks.client_files import HEADER, write

_TEXT = {name: arrow.string() for name in HEADER if name not in ("Active", "Created")}
_READ = arrow_csv.ConvertOptions(
    column_types=_TEXT | {"Active": arrow.bool_(), "Created": arrow.timestamp("us", "UTC")}
)


def read(path: Path) -> arrow.Table:
    table = arrow_csv.read_csv(path, convert_options=_READ)
    table = table.rename_columns([name.lower().replace(" ", "_") for name in HEADER])
    keys = compute.utf8_lower(table["email"])
    table = table.append_column("email_key", keys)
    return table.append_column("username", compute.replace_substring_regex(keys, "@.*", ""))


def prepare(url: str, read: Callable[[Path], Any] = read) -> Callable[[Path], None]:
    os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"
    os.environ["RUNTIME__LOG_LEVEL"] = "ERROR"
    folder = tempfile.mkdtemp()
    server = conninfo_to_dict(url)
    credentials = {
        "host": quote(server["host"], safe=""), "port": int(server.get("port", 5432)), "database": server["dbname"],
        "username": server["user"], "password": server.get("password", "none"),
    }  # fmt: skip
    destination = dlt.destinations.postgres(credentials)
    pipeline = dlt.pipeline("bench", destination=destination, dataset_name="public", pipelines_dir=folder)

    def load(path: Path) -> None:
        data = read(path)
        pipeline.run(
            data, table_name="clients", primary_key="id",
            loader_file_format="csv" if isinstance(data, arrow.Table) else None,
            write_disposition={"disposition": "merge", "strategy": "upsert"},
        )  # fmt: skip

    # It adds columns of its own to the table, which must be empty for that.
    load(write(Path(folder) / "one.csv", [0]))
    return load
