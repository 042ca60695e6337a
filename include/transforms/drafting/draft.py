"""Write a feed file for a partner's first sample, with a remark on each line that a person should look at."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

from include.schemas.client_rows import FIELDS
from include.schemas.feed_file import LARGEST
from include.schemas.header_names import IGNORE, normal
from include.transforms.csv_reading.unpacking import ENDINGS, Compression
from include.transforms.drafting.columns import Column, guess_columns
from include.transforms.drafting.layout import Layout, find_layout
from include.transforms.drafting.words import Meaning, date_form, meanings
from include.transforms.matching.references import ReferenceData

_MOST_RECORDS = 5000  # what a feed takes unless it says otherwise
_LONGEST_KEY = 1000  # characters; YAML takes 1024. A longer name is ignored without the feed
_OWN, _NOTIFY = "no field of a client", "e-mail addresses of the people who look after this feed"
SCHEMA_LINE = "# yaml-language-server: $schema=../../docs/feed.schema.json"


@dataclass(frozen=True)
class Draft:
    """The text of a feed file, and how many of its lines have a remark."""

    text: str
    doubts: int


def feed_name(file_name: str) -> str:
    """Make a feed's name out of that of a file: `ACME-clients_2026-11-01.csv` becomes `acme_clients`."""
    words = re.findall("[a-z]+", re.sub(r"\.(?:csv|csv\.gz|gz|zip)$", "", file_name.lower()))
    return "_".join(words)[:40].strip("_") or "partner"


def draft_feed(
    file_name: str, title: str, content: bytes, data: ReferenceData | None, compression: Compression | None = None
) -> Draft:
    """Write the feed that imports a sample. `data`: the CRM's projects and desks, None when it was not asked.

    `content` is the text in the file, which was unpacked where there is a `compression`. Raises FileRefused for a
    sample that cannot be read at all.
    """
    layout = find_layout(content)
    columns = guess_columns(layout.names, layout.records)
    lines = [
        _line("title", title),
        _line("schedule", "watch"),
        _line("file_pattern", file_pattern(file_name, compression)),
        *([_line("compression", compression)] if compression else []),
        *_lines_of_layout(layout),
        *_lines_of_columns(columns),
        *_lines_of_words(columns, data),
        f"notify: {{to: [], when: problems}}  # {_NOTIFY}",
    ]
    doubts = sum("  # " in line and not line.endswith((_OWN, _NOTIFY)) for line in lines)
    return Draft("\n".join([SCHEMA_LINE, *lines]) + "\n", doubts)


def file_pattern(file_name: str, compression: Compression | None = None) -> str:
    """Make a pattern out of a file's name: what counts or dates files, such as `2026-11-01` or `_0042`, may change.

    That of an archive takes CSV files, too: failed rows come back as such.
    """
    if compression:
        file_name = file_name[: -len(ENDINGS[compression])]
    quoted = re.sub(r"([\[?*])", r"[\1]", file_name)
    pattern = re.sub(r"\d+", "*", quoted) + "*" * bool(compression)
    return re.sub(r"\*(?:[-_.T]?\*)+", "*", pattern)


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
    """Name each column as the partner does, so that the contract and its schema do; not one that is called as we do."""
    # Names that differ in case or spaces alone are one name; what is used of them counts.
    used_last = sorted((column for column in columns if not _goes_without(column)), key=_is_used)
    said = {normal(column.name): column for column in used_last if len(_scalar(column.name)) <= _LONGEST_KEY}
    lines = [
        f"  {_line(column.name, column.field, column.doubt or ('' if _is_used(column) else _OWN))}"
        for column in columns
        if said.get(normal(column.name)) is column
    ]
    if sum(len(line.encode()) for line in lines) > LARGEST // 2:  # a feed file has room for words, too
        lines = [line for line in lines if not line.endswith(_OWN)]
    return ["columns:", *lines] if lines else []


def _is_used(column: Column) -> bool:
    return column.field != IGNORE


def _goes_without(column: Column) -> bool:
    if not _is_used(column):
        return column.by_name
    return not column.doubt and column.name.strip().casefold() == FIELDS[column.field].headers[0].casefold()


def _lines_of_words(columns: Sequence[Column], data: ReferenceData | None) -> list[str]:
    lines: list[str] = []
    dates: list[str] = []
    for column in columns:
        if column.field in ("active", "type", "project", "desk"):
            lines += _lines_of_field(column.field, meanings(column.field, column.cells, data))
        if column.field == "created" and (found := date_form(column.cells)).form:
            dates = [_line("date_format", found.form, found.doubt)]
    return [*dates, *(["values:"] if any(not line.lstrip().startswith("#") for line in lines) else []), *lines]


def _lines_of_field(field: str, found: Sequence[Meaning] | None) -> list[str]:
    if found is None:
        return [f"  # {field}: too many different words to map"]
    words = [word for word in found if len(_scalar(word.word)) <= _LONGEST_KEY]
    known = [f"    {_line(word.word, word.meaning, word.doubt)}" for word in words if word.meaning]
    open_ = [f"    # {_scalar(word.word)}:  # {word.doubt}" for word in words if not word.meaning]
    if too_long := len(found) - len(words):
        cells = "1 cell is too long for a word" if too_long == 1 else f"{too_long} cells are too long for words"
        open_.append(f"    #  # {cells}")
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
