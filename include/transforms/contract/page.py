"""A feed's contract for people: one page of Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from include.schemas.client_rows import FIELDS
from include.schemas.feed import Feed
from include.transforms.contract.columns import ContractColumn
from include.transforms.contract.sentences import (
    about_cells,
    about_failed_rows,
    about_file,
    key_columns,
    lines,
    when_written,
)


def page(feed: Feed, columns: Sequence[ContractColumn], example: str) -> str:
    return "\n".join(_lines(feed, columns, example)) + "\n"


def _lines(feed: Feed, columns: Sequence[ContractColumn], example: str) -> Iterator[str]:
    fence = "`" * max(4, _longest_run(example) + 1)
    header = f"line {feed.skip_first_lines + 1}" if feed.skip_first_lines else "its first line"
    yield f"# What to send: {_text(feed.title)}"
    yield from ("", f"One CSV file with clients; {header} is the header.", "", "## The file", "")
    yield from _table(("", "rule"), [(what, sentence) for what, sentence in about_file(feed, _code)])
    yield from ("", "## Columns", "", "Their order is free. Case, spaces, `_` and `-` in their names do not matter.")
    yield "Other columns are ignored."
    if keys := key_columns(feed):
        yield f"Each row needs {' or '.join(FIELDS[name].headers[0] for name in keys)}."
    yield ""
    heads = ("column", "required", "what a cell holds")
    yield from _table(heads, [(_code(c.name), "yes" if c.required else "", _about(feed, c)) for c in columns])
    yield from ("", "Other names of these columns that are understood:", "")
    yield from (f"- {_code(c.name)}: {', '.join(map(_code, c.others))}" for c in columns if c.others)
    yield from ("", "## Words", "", "Case and surrounding space do not matter.", "")
    words = [(_code(c.name), _code(word), _text(meant)) for c in columns for word, meant in c.words.items()]
    yield from _table(("column", "word", "what it means"), words)
    yield from ("", "## Rows and files that cannot be imported", "")
    yield from (f"- {sentence}" for sentence in about_failed_rows(feed))
    yield from ("", "## Example", "", f"The same as `{feed.name}.example.csv`.", "", fence, example.rstrip(), fence)
    yield from ("", "## Check a file before you send it", "", *_how_to_check(feed))


def _about(feed: Feed, column: ContractColumn) -> str:
    return " ".join(part for part in (about_cells(column, _code), when_written(feed, column)) if part)


def _how_to_check(feed: Feed) -> Iterator[str]:
    yield "With Python, after `pip install frictionless`, in the folder of these files:"
    yield from ("", "```", check_command(feed, "YOUR_FILE.csv"), "```", "")
    yield f"It compares each cell with `{feed.name}.schema.json` (Frictionless Table Schema)."
    yield "It knows each column by the name in the table above. It does not know our clients, projects and desks."
    yield "Nor does it see formulas, HTML and dates that no calendar has, such as 31.02.: their rows fail with us."
    if below := feed.skip_last_lines:
        last = "last line" if below == 1 else f"last {lines(below)}"
        yield f"Remove the {last} for the check: the standard cannot leave {'it' if below == 1 else 'them'} out."
    yield f"`{feed.name}.odcs.yaml` says the same as an Open Data Contract Standard file."


def check_command(feed: Feed, file_name: str) -> str:
    """Give the command that checks a file in the folder of the contract, in whatever shell."""
    files = f"--schema {feed.name}.schema.json --dialect {feed.name}.dialect.json"
    return f"frictionless validate {file_name} {files} --encoding {feed.encoding or 'utf-8'} --skip-errors blank-row"


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    for cells in (heads, ["---"] * len(heads), *rows):
        yield f"| {' | '.join(cells)} |"


def _code(text: str) -> str:
    """Write a partner's text as code, on one line, so that nothing in it is Markdown."""
    marks = "`" * (_longest_run(text) + 1)
    space = " " if "`" in text else ""
    return f"{marks}{space}{_cell(text)}{space}{marks}"


def _longest_run(text: str) -> int:
    """Count the backticks that follow each other, at most: code ends at as many as it began with."""
    return max((len(run) for run in re.findall("`+", text)), default=0)


def _text(text: str) -> str:
    """Write a text of a feed or of the CRM on one line, so that nothing in it is Markdown."""
    return " ".join(re.sub(r"([\\`*_\[\]<>|&~!#])", r"\\\1", text).split())


def _cell(text: str) -> str:
    return " ".join(text.replace("|", r"\|").split())
