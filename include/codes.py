"""Every code a file or a row can end with: one table, read by checks, mails, pages and README."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Code:
    """`message` is filled by `message_for`; `{label}` is the field as people know it."""

    code: str
    about: Literal["file", "row"]
    title: str
    message: str
    to_do: str


_TABLE = (
    Code("FILE_NAME", "file", "File name not usable", "{detail}",
         "Send the file under one plain name that ends in .csv."),
    Code("FILE_EMPTY", "file", "File is empty", "The file {detail}.",
         "Export it again and check that it has a header line and records."),
    Code("FILE_TOO_LARGE", "file", "File too large", "The file has {found} bytes; this feed takes at most {limit}.",
         "Split it into smaller files, each with the header line."),
    Code("FILE_TOO_MANY_RECORDS", "file", "Too many records",
         "The file has {found} records; this feed takes at most {limit}.",
         "Split it into smaller files, each with the header line."),
    Code("FILE_NOT_CSV", "file", "Not a CSV file", "The content is not CSV text: {detail}.",
         "Save or export it as CSV (comma separated, UTF-8) and send that file."),
    Code("FILE_ENCODING", "file", "Wrong character encoding", "{detail}",
         "Save the file as 'CSV UTF-8' and send it again."),
    Code("FILE_BROKEN_QUOTING", "file", "Quotes do not match", "{detail}",
         "Put quotes around the whole cell and write a quote inside it twice."),
    Code("FILE_MISSING_COLUMN", "file", "A required column is missing", "{detail}",
         "Add the column to the header line, or name it as the template does."),
    Code("FILE_DUPLICATE_COLUMN", "file", "Header not clear", "{detail}",
         "Keep one column for each field and give every column a name."),
    Code("FILE_ALREADY_IMPORTED", "file", "Already imported", "{detail}",
         "Nothing to do. To import it once more all the same, trigger the feed with 'force'."),
    Code("FILE_COUNT_MISMATCH", "file", "Not the announced number of records",
         "{announced} records were announced, the file has {found}.",
         "The transfer was probably cut: send the file and its .count file again."),
    Code("FILE_FAILED_ROWS", "file", "Rows failed",
         "{failed} of {read} rows failed, and this feed takes a file whole or not at all.",
         "Correct the rows in the failed-row report, which holds all rows of the file, and send it."),
    Code("ROW_RAGGED", "row", "Wrong number of cells", "{detail}",
         "Give the row one cell per column; put quotes around a cell that contains the delimiter."),
    Code("CELL_REQUIRED", "row", "Required cell is blank", "{label} is blank, and every client needs one.",
         "Fill the cell."),
    Code("CELL_FORMAT", "row", "Not in the right format", "{label} {shown} {detail}.",
         "Correct the cell."),
    Code("CELL_TOO_LONG", "row", "Cell too long", "{label} has {found} characters; at most {limit} fit.",
         "Shorten the cell."),
    Code("CELL_TOO_SHORT", "row", "Cell too short",
         "{label} {shown} has {found} characters; at least {limit} are needed.",
         "Lengthen the cell, or leave it blank."),
    Code("CELL_NOT_ALLOWED", "row", "Value not in the list", "{label} {shown} is not one of: {detail}.",
         "Use one of the listed values, or map the sender's word in the feed file."),
    Code("CELL_REFERENCE_NOT_FOUND", "row", "No such project or desk", "{detail}",
         "Use the ID, or map the name to it in the feed file (key `values`)."),
    Code("CELL_CONTROL_CHARACTER", "row", "Invisible character", "{label} contains {detail}.",
         "Type the cell anew."),
    Code("CELL_EXECUTABLE", "row", "Formula, script or markup", "{label} {shown} {detail}.",
         "Write the cell as plain text."),
    Code("CELL_READ_ONLY", "row", "Cannot be changed",
         "{label} of an existing client is never changed; the cell was ignored.",
         "Nothing to do."),
    Code("COLUMN_UNKNOWN", "file", "Unknown column", "The column {shown} is not known and was ignored.{detail}",
         "Nothing to do; or add an alias in the feed file (key `columns`)."),
    Code("ID_UNKNOWN", "row", "No client with this ID", "No client has the ID {shown}.",
         "Correct the ID, or leave it blank for a new client."),
    Code("ID_EMAIL_CONFLICT", "row", "ID and e-mail are of different clients",
         "The e-mail {shown} belongs to another client ({detail}).",
         "Correct the ID or the e-mail."),
    Code("EMAIL_TAKEN", "row", "E-mail already in use", "Another client ({detail}) has the e-mail {shown}.",
         "Use another e-mail."),
    Code("USERNAME_TAKEN", "row", "Username already in use", "The username {shown} is taken by {detail}.",
         "Use another username, or leave the cell blank."),
    Code("CLIENT_EXISTS", "row", "Client exists", "This feed only creates clients, and this one exists ({detail}).",
         "Remove the row, or use a feed that updates."),
    Code("CLIENT_NOT_FOUND", "row", "Client not found",
         "This feed only updates clients, and no client has this {detail}.",
         "Correct the ID or the e-mail, or use a feed that creates."),
    Code("DUPLICATE_IN_FILE", "row", "Same client twice", "{detail}",
         "Keep one row per client."),
    Code("EMAIL_REPEATED", "row", "One e-mail for several clients",
         "The e-mail {shown} is also claimed by {detail}, for another client.",
         "Give each client an e-mail of its own."),
)  # fmt: skip

CODES: dict[str, Code] = {code.code: code for code in _TABLE}


def for_the_log(code: str, line: int | None) -> str:
    """A refusal without its message: that may quote the file, and is in the ledger and in the mail."""
    return f"{code}{f', line {line}' if line else ''}: {CODES[code].title}. {CODES[code].to_do}"


def printable(text: str, keep: str = "") -> str:
    """What cannot be seen is written out as `\\u0007`, but for the characters to `keep`."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in keep else f"\\u{ord(c):04x}" for c in text)


def show(value: str, longest: int = 60) -> str:
    """A cell inside a sentence: quoted, one line, cut for the reader (never for the report)."""
    flat = printable(value[: longest + 1])
    return f"“{flat if len(flat) <= longest else flat[:longest] + '…'}”"


def message_for(code: str, *, label: str = "", value: str = "", **facts: object) -> str:
    """The sentence of one problem, without the advice (`to_do`)."""
    return CODES[code].message.format(label=label, shown=show(value), **facts)
