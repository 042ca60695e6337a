"""What a partner has to know about files, cells and failed rows of a feed, in sentences."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta

from include.schemas.client_rows import required_columns
from include.schemas.feed import Feed
from include.transforms.contract.columns import EXAMPLE_TIME, ContractColumn
from include.transforms.csv_reading.unpacking import ENDINGS

_DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "vertical bar"}
_DUPLICATES = {
    "keep_last": "The last of several rows with one ID or e-mail counts.",
    "keep_first": "The first of several rows with one ID or e-mail counts.",
    "combine": "Several rows with one ID or e-mail count one after another.",
    "reject": "Several rows with one ID or e-mail fail.",
}
_SHOWN = 10  # words; the page has a table with all of them
_MODES = {
    "upsert": "A row creates a client, or updates the client with its ID or e-mail.",
    "create_only": "A row creates a client. A row of a client that is there fails.",
    "update_only": "A row updates the client with its ID or e-mail. A row of a client that is not there fails.",
}
_WRITE = {
    "always": "",
    "if_empty": "An existing client keeps what it has.",
    "create_only": "An existing client is not changed.",
    "never": "Nothing of it is used.",
}


def _in_quotes(text: str) -> str:
    return f"`{text}`"


def about_file(feed: Feed, code: Callable[[str], str] = _in_quotes) -> Iterator[tuple[str, str]]:
    """Give (what, sentence) for everything about a file as a whole. `code` is as in `about_cells`."""
    yield "Name", f"It matches {code(feed.file_pattern)} and ends in `.csv`.{_archive(feed)}"
    yield "Place", _place(feed, code)
    if feed.expected_every:
        yield "Time", f"At least one file comes every {_span(feed.expected_every)}."
    yield "Encoding", feed.encoding or "UTF-8, or UTF-16 with a byte-order mark."
    yield "Delimiter", f"{_DELIMITERS[feed.delimiter].capitalize()}." if feed.delimiter else _any_delimiter()
    yield "Quotes", "A cell with a delimiter, a quote or a line break stands in double quotes. A quote in it is twice."
    if feed.skip_first_lines or feed.skip_last_lines:
        yield "Lines around", _around(feed)
    yield "Size", f"At most {feed.max_records:,} records and {feed.max_bytes:,} bytes. A larger file is refused."
    yield "While it is written", _until_complete(feed)
    whole = " The file is your whole list: clients of yours that it lacks become inactive." if feed.snapshot else ""
    yield "Rows", f"{_MODES[feed.mode]} {_DUPLICATES[feed.duplicates]}{whole}"


def about_cells(column: ContractColumn, code: Callable[[str], str] = str) -> str:
    """Say what a cell of the column may hold. `code` writes a partner's word so that nothing in it is markup."""
    limits = _length(column)
    return " ".join(part for part in (_kind(column, code), limits, _blank(column)) if part)


def about_failed_rows(feed: Feed) -> list[str]:
    """Say what becomes of rows and files that cannot be imported."""
    fate = {
        "import_others": "A row that breaks a rule fails with every reason, and the other rows are imported.",
        "refuse_file": "When one row breaks a rule, the whole file is refused, with every reason of every row.",
    }[feed.on_failed_rows]
    answered = (
        ["Each file is answered in the folder `answers/` beside its own: `NAME.receipt.json`, and `NAME.failed.csv`."]
        if feed.answer
        else []
    )
    held = ["An unusual file waits until a person of ours has looked at it."] if feed.hold.limits else []
    return [
        fate,
        *answered,
        "Failed rows can be corrected and sent again in a file of their own.",
        "A file that is no usable CSV is refused as a whole. Correct it and send it again.",
        *held,
        "The same file once more changes nothing.",
    ]


def when_written(feed: Feed, column: ContractColumn) -> str:
    return _WRITE[feed.write.get(column.field.name, "always")]


def key_columns(feed: Feed) -> list[str]:
    """Give the fields one of which a file and each of its rows needs, where no single one is required."""
    return [field for group in required_columns(feed.mode) if len(group) > 1 for field in group]


def _around(feed: Feed) -> str:
    above, below = feed.skip_first_lines, feed.skip_last_lines
    parts = [f"{lines(above)} above the header"] * bool(above) + [f"{lines(below)} below the table"] * bool(below)
    return f"{' and '.join(parts)} {'is' if above + below == 1 else 'are'} left out."


def lines(number: int) -> str:
    return f"{number:,} line{'s' * (number != 1)}"


def _archive(feed: Feed) -> str:
    if feed.compression is None:
        return ""
    return f" A name that ends in `{ENDINGS[feed.compression]}` is a {feed.compression} archive of one CSV file."


def _place(feed: Feed, code: Callable[[str], str]) -> str:
    if feed.inbox.startswith("sftp://"):
        folder = feed.inbox.removeprefix("sftp://").partition("/")[2]
        return f"The folder {code(folder or '.')} of the SFTP server that was agreed."
    return f"The folder {code(feed.inbox)} of our inbox."


def _span(span: timedelta) -> str:
    for name, unit in (("days", timedelta(days=1)), ("hours", timedelta(hours=1))):
        if not span % unit:
            return f"{span // unit} {name}"
    return f"{span // timedelta(minutes=1)} minutes"


def _any_delimiter() -> str:
    return f"One of {', '.join(_DELIMITERS.values())}, the same in the whole file."


def _until_complete(feed: Feed) -> str:
    if not feed.side_files:
        return "Give it a name that ends in `.part`, and its real name once it is complete."
    sides = {".done": "an empty file `NAME.csv.done`", ".count": "`NAME.csv.count` with the number of its records"}
    return f"It is read once {' and '.join(sides[side] for side in feed.side_files)} lies beside it."


def _length(column: ContractColumn) -> str:
    if column.longest is None:
        return ""
    return f"{column.shortest or 'Up'} to {column.longest} characters."


def _blank(column: ContractColumn) -> str:
    return "Never blank." if column.required else "May be blank: an existing client keeps its value."


def _kind(column: ContractColumn, code: Callable[[str], str]) -> str:
    match column.field.kind:
        case "id":
            return "Our ID of the client: 24 hexadecimal digits. Leave it out for a client that you do not know by ID."
        case "email":
            return "One plain e-mail address, without a name around it. No two clients have the same."
        case "reference":
            return f"The ID of a {column.field.name} (24 hexadecimal digits), or a word: {_list(column, code)}."
        case "boolean" | "choice":
            return f"One of these words, in any case: {_list(column, code)}."
        case "timestamp":
            return f"A date or date-time that has passed, such as `{column.example}` or `{EXAMPLE_TIME.isoformat()}Z`."
        case "phone":
            return f"One telephone number, such as `{column.example}`: 3 to 15 digits, and an extension."
        case "username":
            return "No two clients have the same."
        case _:
            return "Plain text: no formula, HTML or control character."


def _list(column: ContractColumn, code: Callable[[str], str]) -> str:
    shown, more = [code(word) for word in list(column.words)[:_SHOWN]], len(column.words) - _SHOWN
    return ", ".join(shown) + (f", and {more:,} more" if more > 0 else "")
