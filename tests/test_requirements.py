"""What is imported is declared, each requirement with its reason, and everything that is installed has a hash."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from importlib.metadata import packages_distributions

import pytest

from include.settings import ROOT

LINE = re.compile(r"^([a-zA-Z0-9-]+)(?:\[[^]]*])?[^#\s]* +# \S", re.MULTILINE)
FILES = {
    "requirements.txt": ["include", "dags", "plugins", "config"],
    "requirements-dev.txt": ["demo", "tests", "benchmarks"],
    "benchmarks/requirements.txt": ["benchmarks/peers"],
}
# They come with what is declared: the pinned Airflow, and a provider.
OF_AIRFLOW = {"apache-airflow-core", "apache-airflow-task-sdk", "aiosmtplib"}
# Other importers are not installed here, and this one is called otherwise than it is imported.
ELSEWHERE = {"import_export": ["django-import-export"]}
OWN = {"include", "dags", "plugins", "config", "demo", "tests", "benchmarks", "client_imports_page", "inbox_trigger"}


def declared(file: str) -> set[str]:
    text = (ROOT / file).read_text()
    return {name.lower() for name in LINE.findall(text)}


def imported(folder: str) -> Iterator[str]:
    """Give the first part of each name that the folder's modules import, of which none lies in the project."""
    own = OWN | {path.stem for path in (ROOT / "dags").glob("*.py")}
    for path in (ROOT / folder).rglob("*.py"):
        if folder == "benchmarks" and "peers" in path.parts:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            names = [each.name for each in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level else []
            yield from (top for name in names if (top := name.partition(".")[0]) and top not in own)


@pytest.mark.parametrize("file", FILES)
def test_every_line_names_one_requirement_with_its_reason_and_none_comes_twice(file):
    lines = [line for line in (ROOT / file).read_text().splitlines() if not line.startswith(("#", "-r"))]
    names = [match[1] for line in lines if (match := LINE.match(line))]
    assert len(names) == len(lines) == len(set(names))


def test_no_requirement_of_the_importer_is_named_again_for_development():
    assert declared("requirements.txt").isdisjoint(declared("requirements-dev.txt"))


@pytest.mark.parametrize("file", FILES)
def test_everything_that_is_imported_is_declared(file):
    known = declared(file) | OF_AIRFLOW | (declared("requirements.txt") if "dev" in file else set())
    distributions = packages_distributions() | ELSEWHERE
    names = {name for folder in FILES[file] for name in imported(folder)} - set(sys.stdlib_module_names)
    unknown = {
        name
        for name in names
        if known.isdisjoint(each.lower().replace("_", "-") for each in distributions.get(name, [name]))
    }
    assert unknown == set()


@pytest.mark.parametrize("file", ["requirements.lock", "requirements-dev.lock"])
def test_a_lock_pins_everything_with_hashes_and_has_what_is_declared(file):
    text = (ROOT / file).read_text()
    pinned = re.findall(r"^([a-z0-9.-]+)(?:\[[^]]*])?==\S+(?: ; .*)? \\\n +--hash=sha256:", text, re.MULTILINE)
    assert len(pinned) == len(re.findall(r"^[a-z]", text, re.MULTILINE))
    assert declared("requirements.txt") <= set(pinned)
