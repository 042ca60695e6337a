"""A feed's contract as two standards say it: Frictionless Table Schema, and the Open Data Contract Standard."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from include.schemas.feed import Feed
from include.transforms.contract.columns import ContractColumn
from include.transforms.contract.sentences import about_cells, about_failed_rows, about_file

_ODCS = "v3.2.0"


def table_schema(columns: Sequence[ContractColumn]) -> dict[str, Any]:
    """Describe the columns. `partial`: a file may lack what is not required, and have columns of its own."""
    return {
        "$schema": "https://datapackage.org/profiles/2.0/tableschema.json",
        "fieldsMatch": "partial",
        "missingValues": [""],
        "fields": [_field(column) for column in columns],
    }


def _field(column: ContractColumn) -> dict[str, Any]:
    limits = _limits(column, column.pattern)
    constraints = ({"required": True} if column.required else {}) | limits
    return {
        "name": column.name,
        "type": "string",
        "title": column.field.label,
        "description": about_cells(column),
    } | ({"constraints": constraints} if constraints else {})


def dialect(feed: Feed) -> dict[str, Any]:
    """Describe the file around the cells, as Frictionless wants it."""
    rows = {"headerRows": [feed.skip_first_lines + 1], "headerCase": False}
    return rows | ({"csv": {"delimiter": feed.delimiter}} if feed.delimiter else {})


def open_data_contract(feed: Feed, columns: Sequence[ContractColumn]) -> dict[str, Any]:
    return {
        "apiVersion": _ODCS,
        "kind": "DataContract",
        "id": f"client-imports-{feed.name.replace('_', '-')}",
        "version": "1.0.0",
        "status": "active",
        "name": feed.title,
        "description": {
            "purpose": "Clients that this partner sends as CSV files, to be created or updated in the CRM.",
            "usage": " ".join(f"{label}: {text}" for label, text in about_file(feed)),
            "limitations": " ".join(about_failed_rows(feed)),
        },
        "servers": [_server(feed)],
        "schema": [_table(feed, columns)],
        "slaProperties": _promises(feed),
    }


def _server(feed: Feed) -> dict[str, Any]:
    """Name the example as the place of the data, so that a program that tests contracts can try it."""
    return {
        "server": "example", "type": "local", "path": f"./{feed.name}.example.csv", "format": "csv",
        "customProperties": [
            {"property": "delimiter", "value": feed.delimiter or ","},
            {"property": "encoding", "value": feed.encoding or "utf-8"},
            {"property": "skipFirstLines", "value": feed.skip_first_lines},
            {"property": "skipLastLines", "value": feed.skip_last_lines},
        ],
    }  # fmt: skip


def _table(feed: Feed, columns: Sequence[ContractColumn]) -> dict[str, Any]:
    most = {"type": "library", "metric": "rowCount", "mustBeLessOrEqualTo": feed.max_records}
    return {
        "name": "clients",
        "physicalName": feed.file_pattern,
        "physicalType": "csv",
        "logicalType": "object",
        "description": "One record for each client.",
        "quality": [most],
        "properties": [_property(column) for column in columns],
    }


def _property(column: ContractColumn) -> dict[str, Any]:
    # ECMAScript looks for a pattern anywhere in the cell.
    options = _limits(column, f"^{column.pattern}$" if column.pattern else "")
    filled: dict[str, Any] = {
        "logicalTypeOptions": options,
        "synonyms": [{"synonym": name} for name in column.others],
        "examples": [column.example] if column.example else [],
        "enum": [{"value": word, "description": meant} for word, meant in column.words.items()] * column.is_list,
    }
    return {
        "name": column.field.name, "physicalName": column.name, "businessName": column.field.label,
        "logicalType": "string", "physicalType": "text", "required": column.required,
        "description": about_cells(column), **{key: value for key, value in filled.items() if value},
    }  # fmt: skip


def _limits(column: ContractColumn, pattern: str) -> dict[str, Any]:
    limits = {"minLength": column.shortest, "maxLength": column.longest, "pattern": pattern}
    return {key: value for key, value in limits.items() if value}


def _promises(feed: Feed) -> list[dict[str, Any]]:
    promises: list[dict[str, Any]] = [{"property": "retention", "value": feed.retention_days, "unit": "d"}]
    if feed.expected_every:
        promises.append({"property": "frequency", "value": feed.expected_every / timedelta(hours=1), "unit": "h"})
    return promises
