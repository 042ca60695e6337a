"""What is made from the code for docs/: the table of codes, the keys of a feed, their schema for editors, and the API.

`make docs` runs this module to write it anew.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from demo.environment import environment
from include.codes import Code
from include.models import State
from include.schemas.feed import Feed, Hold, Notify
from include.schemas.feed_sentences import in_words
from include.settings import ROOT

DOCS = ROOT / "docs"
SCHEMA, API = DOCS / "feed.schema.json", DOCS / "openapi.json"
_BEGIN, _END = "<!-- made by `make docs` from include/schemas/feed.py -->", "<!-- end -->"


def codes_page() -> str:
    """The page of codes as the table in `include/codes.py` makes it."""
    rows = "".join(f"| `{code}` | {code.about} | {code.title} | {code.advice} |\n" for code in Code)
    states = "".join(f"| `{state}` | {state.label} | {state.advice} |\n" for state in State if state.advice)
    return f"""# Codes

Every reason why a file, a row, or a client in an undo did not end as planned. `make docs` writes this page from
`include/codes.py`.

| code | about | meaning | what to do |
|---|---|---|---|
{rows}
## States that wait for a person

| state | meaning | what to do |
|---|---|---|
{states}"""


def feed_schema() -> dict[str, Any]:
    """The JSON schema of a feed file, for editors. The name of a feed is that of its file."""
    schema = Feed.model_json_schema()
    del schema["properties"]["name"]
    schema["required"].remove("name")
    for keys in (schema, *schema["$defs"].values()):
        for key in keys["properties"].values():
            key.pop("title", None)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "A feed of client imports"}


def feeds_page() -> str:
    """The page about feeds, with the tables of keys as the model makes them."""
    before, _, rest = (DOCS / "feeds.md").read_text().partition(_BEGIN)
    tables = {"": Feed, "Below `hold`:": Hold, "Below `notify`:": Notify}
    made = "\n\n".join(f"{title}\n\n{_table(model)}".strip() for title, model in tables.items())
    return f"{before}{_BEGIN}\n\n{made}\n\n{_END}{rest.partition(_END)[2]}"


def _table(model: type[Feed | Hold | Notify]) -> str:
    schema = model.model_json_schema()
    keys = {name: key for name, key in schema["properties"].items() if name != "name"}
    rows = [
        f"| `{name}` | {_allowed(key, schema)} | {_default(name, key, schema)} | {_cell(key['description'])} |"
        for name, key in keys.items()
    ]
    return "\n".join(["| key | may be | default | what it does |", "|---|---|---|---|", *rows])


def _allowed(key: dict[str, Any], schema: dict[str, Any]) -> str:
    if "$ref" in key:
        return "keys, see below"
    examples = [each for one in (key, *key.get("anyOf", ()), key.get("items", {})) for each in one.get("examples", ())]
    words = f"{in_words(key, schema)}" if not examples else {"object": "keys and values", "array": "a list"}.get(
        key.get("type", ""), in_words(key, schema))  # fmt: skip
    return _cell(
        words + ("; for example " + ", ".join(f"`{_yaml(each)}`" for each in examples[:2]) if examples else "")
    )


def _default(name: str, key: dict[str, Any], schema: dict[str, Any]) -> str:
    if name in schema.get("required", ()):
        return "required"
    if name == "max_bytes":
        return "20 MiB"
    return "" if "$ref" in key or key["default"] in (None, "", [], {}) else f"`{_yaml(key['default'])}`"


def _yaml(value: object) -> str:
    """Write a value in one line, as a feed file may have it."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_yaml(key)}: {_yaml(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, str) and value[:1].isalnum() and not value[:1].isdigit():
        return value
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return json.dumps(value)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace('"\\t"', "tab")


def api_document() -> dict[str, Any]:
    """The OpenAPI document of the page's API. Needs an environment in which Airflow can be imported."""
    from client_imports_page.app import build_app

    return build_app().openapi()


def _json(document: dict[str, Any]) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


GENERATED = {
    DOCS / "codes.md": codes_page,
    DOCS / "feeds.md": feeds_page,
    SCHEMA: lambda: _json(feed_schema()),
    API: lambda: _json(api_document()),
}

if __name__ == "__main__":
    nowhere = "postgresql://nobody@127.0.0.1:1/none"
    with tempfile.TemporaryDirectory() as home:
        os.environ |= environment(Path(home), metadata_db=nowhere, clients_db=nowhere, smtp_port=1, api_port=1)
        sys.path.append(str(ROOT / "plugins"))
        for path, made in GENERATED.items():
            path.write_text(made())
