"""The one table of codes: every reason why a file, a row, or a client in an undo did not end as planned.

Checks, the ledger, the page, its API, mails, the command line and the documentation read it.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from include.models import Severity


class Code(StrEnum):
    """One reason. Each member equals its own name as text.

    title     a few words for a list
    template  the sentence; `message_for` fills it, and `{label}` is the field as people know it
    advice    what a person can do about it
    severity  of a problem with this code, unless the check says otherwise
    about     whether it is said of a whole file or of a row
    """

    title: str  # type: ignore[assignment]  # hides str.title(), which no caller needs
    template: str
    advice: str
    severity: Severity
    about: Literal["file", "row"]

    def __new__(
        cls, name: str, about: Literal["file", "row"] = "row", title: str = "", template: str = "", advice: str = "",
        severity: Severity = "error",
    ) -> Code:  # fmt: skip
        member = str.__new__(cls, name)
        member._value_ = name
        member.title, member.template, member.advice = title, template, advice
        member.severity, member.about = severity, about
        return member

    # fmt: off
    # A file that is refused as a whole.
    FILE_NAME = (
        "FILE_NAME", "file", "File name not usable", "{detail}",
        "Send the file under one plain name that ends in .csv.",
    )
    FILE_EMPTY = (
        "FILE_EMPTY", "file", "File is empty", "The file {detail}.",
        "Export it again and check that it has a header line and records.",
    )
    FILE_TOO_LARGE = (
        "FILE_TOO_LARGE", "file", "File too large", "The file has {found}; this feed accepts at most {limit} bytes.",
        "Split it into smaller files, each with the header line.",
    )
    FILE_TOO_MANY_RECORDS = (
        "FILE_TOO_MANY_RECORDS", "file", "Too many records",
        "The file has {found} records; this feed accepts at most {limit}.",
        "Split it into smaller files, each with the header line.",
    )
    FILE_NOT_CSV = (
        "FILE_NOT_CSV", "file", "Not a CSV file", "The content is not CSV text: {detail}.",
        "Save or export it as CSV (comma separated, UTF-8) and send that file.",
    )
    FILE_NOT_UNPACKED = (
        "FILE_NOT_UNPACKED", "file", "Archive not usable", "The archive cannot be used. {detail}",
        "Pack one CSV file, without a folder and a password, and send that archive, or send the CSV file itself.",
    )
    FILE_ENCODING = (
        "FILE_ENCODING", "file", "Wrong character encoding", "{detail}",
        "Save the file as 'CSV UTF-8' and send it again.",
    )
    FILE_BROKEN_QUOTING = (
        "FILE_BROKEN_QUOTING", "file", "Quotes do not match", "{detail}",
        "Put quotes around the whole cell and write a quote inside it twice.",
    )
    FILE_MISSING_COLUMN = (
        "FILE_MISSING_COLUMN", "file", "A required column is missing", "{detail}",
        "Add the column to the header line, or name it as the template does.",
    )
    FILE_DUPLICATE_COLUMN = (
        "FILE_DUPLICATE_COLUMN", "file", "Header not clear", "{detail}",
        "Keep one column for each field; or let the feed leave a column out (key `columns`: `ignore`).",
    )
    FILE_HEADER_MISMATCH = (
        "FILE_HEADER_MISMATCH", "file", "Header does not fit the rows", "{detail}",
        "Correct the header line: one name for each column of the rows, with a delimiter between two names.",
    )
    FILE_CHANGED_AFTER_READING = (
        "FILE_CHANGED_AFTER_READING", "file", "File changed after it was read",
        "The sender went on writing after {found} bytes were read. The whole file is in the inbox again, and is"
        " imported once no one writes to it.",
        "Nothing to do. The sender can avoid it by writing NAME.csv.part and renaming it when it is complete.",
    )
    FILE_ALREADY_IMPORTED = (
        "FILE_ALREADY_IMPORTED", "file", "Already imported", "{detail}",
        "Nothing to do. To import it once more all the same, trigger the feed with 'force'.", "note",
    )
    FILE_COUNT_MISMATCH = (
        "FILE_COUNT_MISMATCH", "file", "Not the announced number of records",
        "{announced} records were announced, the file has {found}.",
        "The transfer was probably cut: send the file and its .count file again.",
    )
    FILE_FAILED_ROWS = (
        "FILE_FAILED_ROWS", "file", "Rows failed",
        "{failed} of {read} rows failed, and this feed imports a file whole or not at all.",
        "Correct the rows in the failed-row report, which holds all rows of the file, and send it.",
    )
    # A row by itself.
    ROW_RAGGED = (
        "ROW_RAGGED", "row", "Row does not fit the columns", "{detail}",
        "Give the row one cell per column, with quotes around a cell that has the delimiter; delete what is no record.",
    )
    CELL_REQUIRED = (
        "CELL_REQUIRED", "row", "Required cell is blank", "{label} is blank, and every client needs one.",
        "Fill the cell.",
    )
    CELL_FORMAT = (
        "CELL_FORMAT", "row", "Not in the right format", "{label} {shown} {detail}.",
        "Correct the cell, or map the sender's word in the feed file (key `values`).",
    )
    CELL_TOO_LONG = (
        "CELL_TOO_LONG", "row", "Cell too long", "{label} has {found} characters; at most {limit} fit.",
        "Shorten the cell.",
    )
    CELL_TOO_SHORT = (
        "CELL_TOO_SHORT", "row", "Cell too short",
        "{label} {shown} has {found} characters; at least {limit} are needed.",
        "Lengthen the cell, or leave it blank.",
    )
    CELL_NOT_ALLOWED = (
        "CELL_NOT_ALLOWED", "row", "Value not in the list", "{label} {shown} is not one of: {detail}.",
        "Use one of the listed values, or map the sender's word in the feed file (key `values`).",
    )
    CELL_REFERENCE_NOT_FOUND = (
        "CELL_REFERENCE_NOT_FOUND", "row", "No such project or desk", "{detail}",
        "Use the ID, or map the name to it in the feed file (key `values`).",
    )
    CELL_CONTROL_CHARACTER = (
        "CELL_CONTROL_CHARACTER", "row", "Invisible character", "{label} contains {detail}.",
        "Type the cell anew.",
    )
    CELL_EXECUTABLE = (
        "CELL_EXECUTABLE", "row", "Formula, script or HTML code", "{label} {shown} {detail}.",
        "Write the cell as plain text.",
    )
    CELL_SPREADSHEET_ERROR = (
        "CELL_SPREADSHEET_ERROR", "row", "Error of a spreadsheet",
        "{label} {shown}: the spreadsheet could not {detail}.",
        "Correct the cell in the spreadsheet, or leave it blank, and save the file as CSV again.",
    )
    CELL_NOT_CLEARABLE = (
        "CELL_NOT_CLEARABLE", "row", "Cannot be cleared", "{label} cannot be cleared; only {detail} can.",
        "Fill the cell, or leave it blank to keep what the client has.",
    )
    CELL_LOOKS_DAMAGED = (
        "CELL_LOOKS_DAMAGED", "row", "Looks damaged", "{label} {shown} {detail}. The cell counts as it is.",
        "If it is wrong, correct the cell and send the row again.", "warning",
    )
    CELL_READ_ONLY = (
        "CELL_READ_ONLY", "row", "Cannot be changed",
        "{label} of an existing client is never changed; the cell was ignored.",
        "Nothing to do.", "warning",
    )
    CELL_NOT_WRITTEN = (
        "CELL_NOT_WRITTEN", "row", "Not written",
        "{label} {shown} was not written: {detail}.",
        "Nothing to do; the feed says so (key `write`).", "note",
    )
    COLUMN_UNKNOWN = (
        "COLUMN_UNKNOWN", "file", "Unknown column", "The column {shown} is not known and was ignored.{detail}",
        "Nothing to do; or let the feed say what the column is: a field, or `ignore` (key `columns`).", "warning",
    )
    MAPPING_UNUSED = (
        "MAPPING_UNUSED", "file", "Part of the mapping not used", "{detail}",
        "Nothing to do; or forget it on the screen Feeds.", "note",
    )
    BLANK_RECORDS = (
        "BLANK_RECORDS", "file", "Blank records", "{number} skipped: all cells are blank.", "Nothing to do.", "note",
    )
    COLUMN_NEW = (
        "COLUMN_NEW", "file", "New column", "The column {shown} is new: the feed's last files had none of this name.",
        "Nothing to do; or ask the sender what it is, and let the feed say so (key `columns`).", "note",
    )
    MISSING_KEPT = (
        "MISSING_KEPT", "file", "Missing clients stay as they are",
        "The file lacks {number}. They stay as they are: {detail}",
        "Correct the file, and send the whole list again.", "note",
    )
    # A row beside the clients, and beside the other rows of its file.
    ID_UNKNOWN = (
        "ID_UNKNOWN", "row", "No client with this ID", "No client has the ID {shown}.",
        "Correct the ID, or leave it blank for a new client.",
    )
    ID_EMAIL_CONFLICT = (
        "ID_EMAIL_CONFLICT", "row", "ID and e-mail are of different clients",
        "The e-mail {shown} belongs to another client ({detail}).",
        "Correct the ID or the e-mail.",
    )
    USERNAME_TAKEN = (
        "USERNAME_TAKEN", "row", "Username already in use", "The username {shown} is taken by {detail}.",
        "Use another username, or leave the cell blank.",
    )
    CLIENT_EXISTS = (
        "CLIENT_EXISTS", "row", "Client exists", "This feed only creates clients, and this one exists ({detail}).",
        "Remove the row, or use a feed that updates.",
    )
    CLIENT_NOT_FOUND = (
        "CLIENT_NOT_FOUND", "row", "Client not found",
        "This feed only updates clients, and no client has this {detail}.",
        "Correct the ID or the e-mail, or use a feed that creates.",
    )
    DUPLICATE_IN_FILE = (
        "DUPLICATE_IN_FILE", "row", "Same client twice", "{detail}",
        "Keep one row per client.",
    )
    EMAIL_REPEATED = (
        "EMAIL_REPEATED", "row", "One e-mail for several clients",
        "The e-mail {shown} is also claimed by {detail}, for another client.",
        "Give each client an e-mail of its own.",
    )
    # A client whose import is undone: an error where it cannot be, a warning where it is kept on purpose.
    OLD_VALUES_FORGOTTEN = (
        "OLD_VALUES_FORGOTTEN", "row", "Old values deleted",
        "The values before the import are deleted (its retention ended, or the person was erased), so they cannot be "
        "given back.",
        "Correct the client in the CRM.",
    )
    REFERENCE_GONE = (
        "REFERENCE_GONE", "row", "Project or desk gone",
        "The project or desk that the client had does not exist any more.",
        "Give the client another project and desk in the CRM.",
    )
    REFERRED_TO = (
        "REFERRED_TO", "row", "Client in use",
        "Something else in the CRM refers to the client, so it cannot be deleted.",
        "Remove what refers to the client in the CRM, or keep the client.",
    )
    CLIENT_GONE = (
        "CLIENT_GONE", "row", "Client gone", "The client does not exist any more.",
        "Nothing to do.", "warning",
    )
    CLIENT_CHANGED_SINCE = (
        "CLIENT_CHANGED_SINCE", "row", "Client changed since",
        "Something else has changed the client since; it is kept as it is.",
        "Look at the client's history, and correct it in the CRM if needed.", "warning",
    )
    OLD_VALUES_TAKEN = (
        "OLD_VALUES_TAKEN", "row", "Old e-mail or username in use",
        "Another client has the old e-mail or username now; this client is kept as it is.",
        "Look at both clients, and correct them in the CRM if needed.", "warning",
    )
    # fmt: on


def for_the_log(code: Code | str, line: int | None) -> str:
    """Describe a refusal without its message, which may quote the file."""
    code = Code(code)
    return f"{code}{f', line {line}' if line else ''}: {code.title}. {code.advice}"


def message_for(code: Code | str, *, label: str = "", value: str = "", **facts: object) -> str:
    """Write the sentence of one problem, without its advice."""
    return Code(code).template.format(label=label, shown=show(value), **facts)


def printable(text: str, keep: str = "") -> str:
    r"""Write invisible characters as escapes such as `\u0007`, except for those in `keep`."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in keep else f"\\u{ord(c):04x}" for c in text)


def show(value: str, longest: int = 60) -> str:
    """Quote a cell for a sentence: on one line, and cut when it is long (the report has all of it)."""
    flat = printable(value[: longest + 1])
    return f"“{flat if len(flat) <= longest else flat[:longest] + '…'}”"
