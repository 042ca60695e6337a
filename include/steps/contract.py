"""Write down what a feed's partner has to send: for people, for two standards, and as an example file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from include.schemas.feed import Feed
from include.transforms.contract.columns import contract_columns
from include.transforms.contract.example import example_rows, example_text
from include.transforms.contract.page import page
from include.transforms.contract.standards import dialect, open_data_contract, table_schema
from include.transforms.matching.references import ReferenceData


def write_contract(feed: Feed, folder: Path, data: ReferenceData | None = None) -> list[Path]:
    """Write the files of the contract into the folder, over older ones; gives their paths.

    `data`: the CRM's projects and desks, which are called by name then; None when they are not known.
    """
    desks = {desk.id: desk.name for desk in data.desks.values()} if data else {}
    columns = contract_columns(feed, desks | dict(data.projects if data else {}))
    example = example_text(feed, columns)
    odcs = yaml.safe_dump(open_data_contract(feed, columns), sort_keys=False, allow_unicode=True, width=120)
    files = {
        "md": page(feed, columns, example).encode(),
        "schema.json": _json(table_schema(columns)),
        "dialect.json": _json(dialect(feed)),
        "odcs.yaml": odcs.encode(),
        "example.csv": example.encode(feed.encoding or "utf-8"),
    }
    if feed.require_count_file:
        files["example.csv.count"] = f"{len(example_rows(columns))}\n".encode()
    folder.mkdir(parents=True, exist_ok=True)
    for ending, content in files.items():
        (folder / f"{feed.name}.{ending}").write_bytes(content)
    return [folder / f"{feed.name}.{ending}" for ending in files]


def _json(content: Mapping[str, Any]) -> bytes:
    return (json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode()
