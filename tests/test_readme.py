"""README and the pages under docs/ promise what is there: files, commands, feed keys, codes and the version.

`make codes` runs this module to write the table of codes anew.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from include.codes import Code
from include.models import TRANSITIONS, State
from include.schemas.feed import Feed
from include.settings import ROOT

README = ROOT / "README.md"
CODES_PAGE = ROOT / "docs" / "codes.md"
PAGES = [README, ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]


def codes_page() -> str:
    """The page of codes as the table in `include/codes.py` makes it."""
    rows = "".join(f"| `{code}` | {code.about} | {code.title} | {code.advice} |\n" for code in Code)
    return f"""# Codes

Every reason why a file, a row, or a client in an undo did not end as planned. `make codes` writes this page from
`include/codes.py`.

| code | about | meaning | what to do |
|---|---|---|---|
{rows}"""


def anchors(page: Path) -> set[str]:
    """The names under which GitHub links to a page's headings."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading).strip().lower().replace(" ", "-") for heading in headings}


def yaml_blocks(page: Path) -> list[str]:
    return re.findall(r"^```yaml\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL)


def test_the_page_of_codes_is_the_table_in_the_code():
    assert CODES_PAGE.read_text() == codes_page(), "run `make codes`"


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


def test_the_page_about_feeds_explains_every_key_and_no_other():
    explained = re.findall(r"^\| `(\w+)` \|", (ROOT / "docs" / "feeds.md").read_text(), re.MULTILINE)
    assert sorted(explained) == sorted(set(Feed.model_fields) - {"name"})


def test_the_page_about_architecture_draws_the_table_of_transitions():
    page = (ROOT / "docs" / "architecture.md").read_text()
    drawn = re.findall(r"^ +([a-z]+) --> ([a-z]+)", page.partition("stateDiagram")[2], re.MULTILINE)
    # A system error can follow every state; the sentence below the picture says so.
    known = [(before, after) for before, states in TRANSITIONS.items() for after in states]
    assert sorted(drawn) == sorted(pair for pair in known if State.FAILED not in pair)


def test_the_changelog_begins_with_the_version_of_the_project():
    version = re.search(r'^version = "(.+)"$', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    newest = re.search(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert version and newest and version[1] == newest[1]


def test_continuous_integration_runs_the_test_command_of_the_readme():
    commands = re.findall(r"^make .+$", (ROOT / ".ci" / "run").read_text(), re.MULTILINE)
    assert commands == ["make test"] and "\nmake test " in README.read_text()


if __name__ == "__main__":
    CODES_PAGE.write_text(codes_page())
