"""A feed's contract for people: one page of Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from include.schemas.client_rows import FIELDS
from include.schemas.feed import Feed
from include.transforms.contract.columns import ContractColumn
from include.transforms.contract.sentences import about_cells, about_failed_rows, about_file, key_columns, when_written


def page(feed: Feed, columns: Sequence[ContractColumn], example: str) -> str:
    return "\n".join(_lines(feed, columns, example)) + "\n"


def _lines(feed: Feed, columns: Sequence[ContractColumn], example: str) -> Iterator[str]:
    yield f"# What to send: {_prose(feed.title)}"
    yield from ("", "One CSV file with clients, its first line the header.", "", "## The file", "")
    yield from _table(("", "rule"), [(what, sentence) for what, sentence in about_file(feed)])
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
    words = [(_code(c.name), _code(word), _cell(meant)) for c in columns for word, meant in c.words.items()]
    yield from _table(("column", "word", "what it means"), words)
    yield from ("", "## Rows and files that cannot be imported", "")
    yield from (f"- {sentence}" for sentence in about_failed_rows(feed))
    yield from ("", "## Example", "", f"The same as `{feed.name}.example.csv`.", "", "````", example.rstrip(), "````")
    yield from ("", "## Check a file before you send it", "", *_how_to_check(feed))


def _about(feed: Feed, column: ContractColumn) -> str:
    return _prose(" ".join(part for part in (about_cells(column), when_written(feed, column)) if part))


def _how_to_check(feed: Feed) -> Iterator[str]:
    yield "With Python, after `pip install frictionless`, in the folder of these files:"
    yield from ("", "```", check_command(feed, "YOUR_FILE.csv"), "```", "")
    yield f"It compares each cell with `{feed.name}.schema.json` (Frictionless Table Schema)."
    yield "It knows each column by the name in the table above. It does not know our clients, projects and desks."
    if feed.skip_last_lines:
        yield f"Remove the last {feed.skip_last_lines} lines for the check: the standard cannot leave them out."
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
    marks = "``" if "`" in text else "`"
    space = " " if "`" in text else ""
    return f"{marks}{space}{_cell(text)}{space}{marks}"


def _prose(text: str) -> str:
    """Write a sentence with a partner's words in it on one line, so that it ends no cell and begins no tag."""
    return _cell(text).replace("<", r"\<")


def _cell(text: str) -> str:
    return " ".join(text.replace("|", r"\|").split())
