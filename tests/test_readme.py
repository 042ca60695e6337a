"""README and the pages under docs/ promise what is there: files, commands, feed keys, codes and the version.

`make docs` writes what is made from the code.
"""

from __future__ import annotations

import re
from pathlib import Path

import jsonschema
import pytest
import yaml

from include.cli import app
from include.models import TRANSITIONS, State
from include.schemas.client_tables import metadata
from include.schemas.feed import Feed, Hold, Notify
from include.schemas.feed_folder import feed_files
from include.settings import ROOT
from tests.generated_docs import API, GENERATED, SCHEMA, feed_schema

README = ROOT / "README.md"
PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]


def anchors(page: Path) -> set[str]:
    """The names under which GitHub links to a page's headings."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading).strip().lower().replace(" ", "-") for heading in headings}


def yaml_blocks(page: Path) -> list[str]:
    return re.findall(r"^```yaml\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("path", GENERATED, ids=lambda path: path.name)
def test_what_is_made_from_the_code_is_up_to_date(path: Path, request: pytest.FixtureRequest):
    if path == API:
        request.getfixturevalue("airflow")
    assert path.read_text() == GENERATED[path](), "run `make docs`"


def test_the_readme_stays_a_front_page():
    assert len(README.read_text().splitlines()) <= 150


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_to_a_file_and_a_heading_that_exist(page: Path):
    for target, anchor in re.findall(r"\]\((?!https?:)([^)#\s]*)#?([^)\s]*)\)", page.read_text()):
        linked = page.parent / target if target else page
        assert linked.exists(), f"{page.name} links to {target}"
        assert not anchor or anchor in anchors(linked), f"{page.name} links to {target}#{anchor}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_make_command_that_a_page_names_exists(page: Path):
    targets = re.findall(r"^([\w.-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    named = re.findall(r"(?:`|^)(?:[A-Z_]+=\S+ )*make ([a-z.-]+)", page.read_text(), re.MULTILINE)
    assert set(named) <= set(targets)


@pytest.mark.parametrize("page", [README, ROOT / "docs" / "feeds.md"], ids=lambda page: page.name)
def test_every_example_of_a_feed_is_one(page: Path):
    blocks = yaml_blocks(page)
    assert blocks
    for block in blocks:
        Feed(**{"title": "Example", **yaml.safe_load(block), "name": "example"})


EXAMPLES = [
    *yaml_blocks(ROOT / "docs" / "feeds.md"),
    *(path.read_text() for path in feed_files(ROOT / "include" / "feeds")),
]


@pytest.mark.parametrize("text", EXAMPLES)
def test_every_feed_that_is_right_is_right_for_an_editor_too(text: str):
    jsonschema.validate({"title": "Example", **yaml.safe_load(text)}, feed_schema())


@pytest.mark.parametrize(
    "keys", [{"titel": "x"}, {"mode": "insert"}, {"columns": {"Mail": "e-mail"}}, {"expected_every": "1 year"},
             {"values": {"colour": {}}}, {"stable_seconds": -1}, {"hold": {"failed_over": 2}}],
)  # fmt: skip
def test_a_wrong_key_or_value_is_wrong_for_an_editor_too(keys: dict):
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"title": "Example", **keys}, feed_schema())


def test_every_key_of_a_feed_is_described():
    undescribed = [
        key for model in (Feed, Hold, Notify) for key, of in model.model_fields.items() if not of.description
    ]
    assert undescribed == ["name"]


def test_the_feeds_name_the_schema_in_their_first_line():
    for path in feed_files(ROOT / "include" / "feeds"):
        first = path.read_text().splitlines()[0]
        assert (path.parent / first.removeprefix("# yaml-language-server: $schema=")).resolve() == SCHEMA


def test_the_page_about_architecture_draws_the_table_of_transitions():
    page = (ROOT / "docs" / "architecture.md").read_text()
    drawn = re.findall(r"^ +([a-z]+) --> ([a-z]+)", page.partition("stateDiagram")[2], re.MULTILINE)
    # A system error can follow every state; the sentence below the picture says so.
    known = [(before, after) for before, states in TRANSITIONS.items() for after in states]
    assert sorted(drawn) == sorted(pair for pair in known if State.FAILED not in pair)


def test_the_page_about_architecture_draws_the_tables_with_their_columns_and_keys():
    picture = (ROOT / "docs" / "architecture.md").read_text().partition("erDiagram")[2].partition("```")[0]
    drawn = dict(re.findall(r"^ +(\w+) \{\n(.*?)\n +\}", picture, re.MULTILINE | re.DOTALL))
    assert set(drawn) == set(metadata.tables)
    for name, text in drawn.items():
        columns = metadata.tables[name].columns
        for _, column, keys in re.findall(r"^ +(\w+) (\w+) ?([A-Z,]*)$", text, re.MULTILINE):
            assert column in columns, f"{name}.{column}"
            assert ("PK" in keys) == columns[column].primary_key, f"{name}.{column}"
        linked = {column.name for column in columns if column.foreign_keys}
        assert linked <= set(re.findall(r"^ +\w+ (\w+) \S*FK$", text, re.MULTILINE)), name


def test_every_command_of_the_command_line_that_a_page_names_exists():
    known = {command.name for command in app.registered_commands}
    pages = "".join(page.read_text() for page in PAGES)
    named = set(re.findall(r"python -m include\.cli (\S+?)[\s`]", pages))
    assert named and named <= known


def test_the_changelog_begins_with_the_version_of_the_project():
    version = re.search(r'^version = "(.+)"$', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    newest = re.search(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert version and newest and version[1] == newest[1]


def test_continuous_integration_runs_the_test_command_of_the_readme():
    commands = re.findall(r"^make .+$", (ROOT / ".ci" / "run").read_text(), re.MULTILINE)
    assert commands == ["make test"] and "\nmake test " in README.read_text()
