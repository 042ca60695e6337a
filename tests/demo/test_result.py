"""The demo lists what its own start has imported, and cuts nothing."""

from __future__ import annotations

import io
import re

from rich.console import Console

from demo.result import earlier_imports, imports_since, print_table
from include.models import RunRequest
from include.steps.revert import revert

GOOD = "First Name,Email\nAnn,ann@example.com\n"


def printed(entries, width: int = 80, terminal: bool = False) -> str:
    written = io.StringIO()
    print_table(Console(file=written, width=width, force_terminal=terminal), entries)
    return re.sub(r"\x1b\[[0-9;]*m", "", written.getvalue())


def test_this_starts_imports_are_listed_each_with_its_rows_and_an_undo_as_an_undo(bring, engine):
    first = bring(GOOD, file_name="earlier.csv")
    earlier = earlier_imports(engine)
    done = bring("First Name,Email\nBen,ben@example.com\n,carl\n", file_name="some.csv")
    bring("x\n", file_name="refused.csv")
    revert(engine, done.import_id, RunRequest("olga"))
    lines = [line for line in printed(imports_since(engine, earlier)).splitlines() if line.startswith("│")]
    cells = [[cell.strip() for cell in line.strip("│").split("│")] for line in lines]
    assert cells == [
        ["default", "some.csv", "Undone", "2 read: 1 created, 1 failed"],
        ["default", "refused.csv", "Refused: A required column is missing", "0 read"],
        ["default", "some.csv", "Undo", "clients: 1 reverted"],
    ]
    assert imports_since(engine, {*earlier, *earlier_imports(engine)}) == [] and first.import_id in earlier


def test_nothing_is_cut_neither_in_a_pipe_nor_on_a_narrow_terminal(bring, engine):
    name = f"[red]{'long' * 50}\u202e.csv"
    bring(GOOD, file_name=name)
    shown = name.replace("\u202e", "\\u202e")
    entries = imports_since(engine, set())
    assert shown in printed(entries)
    narrow = printed(entries, width=60, terminal=True)
    assert max(map(len, narrow.splitlines())) <= 60
    cells = [line.split("│")[2].strip() for line in narrow.splitlines() if line.startswith("│")]
    assert "".join(cells) == shown
