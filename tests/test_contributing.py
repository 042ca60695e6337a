"""CONTRIBUTING.md says how a field is added. Its steps are followed in a copy of the project, which then has the field."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Callable, Sequence
from pathlib import Path

from include.adapters.database.engine import engine_from_url
from include.adapters.files.storage import Storage
from include.models import RunRequest
from include.schemas.client_rows import FIELDS
from include.schemas.feed import Feed
from include.settings import ROOT
from include.steps.context import ImportContext
from include.steps.import_file import import_file
from include.steps.merge import merge
from include.steps.prepare import prepare
from include.steps.receive import receive_copy
from include.steps.validate import validate
from tests.conftest import with_tables
from tests.new_field import HOLDING


def steps() -> tuple[str, str, str]:
    """Give what the page adds to the model, to the table, and as a migration."""
    recipe = (ROOT / "CONTRIBUTING.md").read_text().partition("## Add a field")[2]
    blocks = re.findall(r"^( *)```python\n(.*?)^ *```", recipe, re.MULTILINE | re.DOTALL)
    model, column, migration = (textwrap.indent(textwrap.dedent(block), "") for _, block in blocks)
    return textwrap.indent(model, "    "), textwrap.indent(column, "    "), migration


def follow_the_steps(project: Path) -> None:
    model, column, migration = steps()
    for file, before, added in (
        ("client_rows.py", "    username: str", model), ("client_tables.py", "    username: Mapped[Key]", column),
    ):  # fmt: skip
        path = project / "include" / "schemas" / file
        path.write_text(path.read_text().replace(before, added + before, 1))
    versions = project / "include" / "migrations" / "versions"
    newest = max(path.name[:4] for path in versions.glob("[0-9]*.py"))
    number = f"{int(newest) + 1:04}"
    of_now = migration.replace('"NUMBER"', f'"{number}"').replace('"NUMBER_BEFORE"', f'"{newest}"')
    (versions / f"{number}_phone.py").write_text(of_now)


def leave_after(steps: Sequence[Callable[[ImportContext, str], None]], folder: Path, context: ImportContext) -> str:
    """Take a file as far as these steps, as tasks do; gives its import. One row fails, so that a merge holds it."""
    name = f"After{len(steps)}"
    path = folder / f"{name}.csv"
    path.write_text(f"First Name,Email,Phone\n{name},{name}@example.com,{len(steps)}000\n,no,\n")
    entry = receive_copy(context, path, RunRequest("olga"))
    for step in steps:
        step(context, entry.id)
    return entry.id


def test_a_field_that_is_added_as_the_page_says_is_known_everywhere(postgres, tmp_path):
    url = with_tables(postgres.url("new_field"))
    older, engine = tmp_path / "older.csv", engine_from_url(url)
    older.write_text("First Name,Email\nOld,old@example.com\nChanged,changed@example.com\nAfter,before@example.com\n")
    storage, feed = Storage(tmp_path / "storage"), Feed(name="default", title="Manual uploads")
    before = tmp_path / "before.csv"
    before.write_text("First Name,Email\nBefore,before@example.com\n")
    import_file(before, feed=feed, engine=engine, storage=storage)
    result = import_file(older, feed=feed, engine=engine, storage=storage)
    on_their_way = [
        leave_after(steps, tmp_path, ImportContext.of(HOLDING, engine, storage))
        for steps in ([], [validate], [validate, prepare], [validate, prepare, merge])
    ]
    engine.dispose()
    project = tmp_path / "project"
    for folder in ("include", "plugins", "tests"):
        shutil.copytree(ROOT / folder, project / folder, ignore=shutil.ignore_patterns("__pycache__", "data"))
    if "phone" not in FIELDS:  # else the project has it, and the page needs another example
        follow_the_steps(project)
    done = subprocess.run(
        [sys.executable, "-m", "tests.new_field", url, str(tmp_path), str(result.import_id), *on_their_way],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(project), str(project / "plugins")])},
        cwd=project, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
