"""Write a feed file for a partner's first sample, with a remark on each line that a person should look at."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

from include.schemas.header_names import IGNORE, normal
from include.transforms.drafting.columns import Column, guess_columns
from include.transforms.drafting.layout import Layout, find_layout
from include.transforms.drafting.words import Meaning, date_form, meanings
from include.transforms.matching.references import ReferenceData

_MOST_RECORDS = 5000  # what a feed takes unless it says otherwise
_LONGEST_KEY = 1000  # characters; YAML takes 1024, and a longer name is ignored without the feed
_OWN, _NOTIFY = "no field of a client", "e-mail addresses of the people who look after this feed"
SCHEMA_LINE = "# yaml-language-server: $schema=../../docs/feed.schema.json"


@dataclass(frozen=True)
class Draft:
    """The text of a feed file, and how many of its lines have a remark."""

    text: str
    doubts: int


def feed_name(file_name: str) -> str:
    """Make a feed's name out of that of a file: `ACME-clients_2026-11-01.csv` becomes `acme_clients`."""
    words = re.findall("[a-z]+", re.sub(r"\.csv$", "", file_name.lower()))
    return "_".join(words)[:40].strip("_") or "partner"


def draft_feed(file_name: str, title: str, content: bytes, data: ReferenceData | None) -> Draft:
    """Write the feed that imports a sample. `data`: the CRM's projects and desks, None when it was not asked.

    Raises FileRefused for a sample that cannot be read at all.
    """
    layout = find_layout(content)
    columns = guess_columns(layout.names, layout.records)
    lines = [
        _line("title", title),
        _line("schedule", "watch"),
        _line("file_pattern", file_pattern(file_name)),
        *_lines_of_layout(layout),
        *_lines_of_columns(columns),
        *_lines_of_words(columns, data),
        f"notify: {{to: [], when: problems}}  # {_NOTIFY}",
    ]
    doubts = sum("  # " in line and not line.endswith((_OWN, _NOTIFY)) for line in lines)
    return Draft("\n".join([SCHEMA_LINE, *lines]) + "\n", doubts)


def file_pattern(file_name: str) -> str:
    """Make a pattern out of a file's name: what counts or dates files, such as `2026-11-01` or `_0042`, may change."""
    quoted = re.sub(r"([\[?*])", r"[\1]", file_name)
    return re.sub(r"\*(?:[-_.T]?\*)+", "*", re.sub(r"\d+", "*", quoted))


def _lines_of_layout(layout: Layout) -> list[str]:
    lines = []
    if layout.encoding:
        lines.append(_line("encoding", layout.encoding, "not sure: look at letters such as é in the sample"))
    if layout.delimiter != ",":
        lines.append(_line("delimiter", layout.delimiter))
    if layout.skip_first_lines:
        lines.append(_line("skip_first_lines", layout.skip_first_lines))
    if layout.skip_last_lines:
        lines.append(_line("skip_last_lines", layout.skip_last_lines, "not sure: the sample ends with a footer"))
    if len(layout.records) > _MOST_RECORDS:
        lines.append(_line("max_records", 10 * len(layout.records), f"the sample has {len(layout.records):,}"))
    return lines


def _lines_of_columns(columns: Sequence[Column]) -> list[str]:
    # Names that differ in case or spaces alone are one name; what is used of them counts.
    used_last = sorted((column for column in columns if not column.by_name), key=lambda column: column.field != IGNORE)
    said = {normal(column.name): column for column in used_last if len(_scalar(column.name)) <= _LONGEST_KEY}
    lines = [
        f"  {_line(column.name, column.field, column.doubt or (_OWN if column.field == IGNORE else ''))}"
        for column in columns
        if said.get(normal(column.name)) is column
    ]
    return ["columns:", *lines] if lines else []


def _lines_of_words(columns: Sequence[Column], data: ReferenceData | None) -> list[str]:
    lines: list[str] = []
    form, doubt = None, ""
    for column in columns:
        if column.field in ("active", "type", "project", "desk"):
            found = meanings(column.field, column.cells, data)
            lines += _lines_of_field(column.field, found)
        if column.field == "created":
            form, doubt = date_form(column.cells)
    values = ["values:", *lines] if any(not line.lstrip().startswith("#") for line in lines) else lines
    return [*([_line("date_format", form, doubt)] if form else []), *values]


def _lines_of_field(field: str, found: Sequence[Meaning] | None) -> list[str]:
    if found is None:
        return [f"  # {field}: too many different words to map"]
    known = [f"    {_line(word.word, word.meaning, word.doubt)}" for word in found if word.meaning]
    open_ = [f"    # {_scalar(word.word)}:  # {word.doubt}" for word in found if not word.meaning]
    if known or not open_:
        return [f"  {field}:", *known, *open_] if known else []
    return [f"  # {field}:", *(line.replace("    #", "  #  ", 1) for line in open_)]


def _line(key: str, value: object, remark: str = "") -> str:
    return f"{_scalar(key)}: {_scalar(value)}" + (f"  # {remark}" if remark else "")


def _scalar(value: object) -> str:
    """Write a value so that YAML reads the same again; a partner's words are text, whatever they look like."""
    if isinstance(value, str) and not re.fullmatch("[A-Za-z_][A-Za-z0-9_]*", value):
        quoted = json.dumps(value, ensure_ascii=False)
        return "".join(c if c.isprintable() else f"\\U{ord(c):08x}" for c in quoted)
    if isinstance(value, str) and value.lower() in ("y", "n", "yes", "no", "on", "off", "true", "false", "null"):
        return json.dumps(value)
    return str(value)
