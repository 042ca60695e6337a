"""Take one person's records out of a CSV file; every other record stays byte for byte."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from include.errors import FileRefused
from include.schemas.feed import Feed
from include.transforms.csv_reading.decoding import decode, mark_and_codec
from include.transforms.csv_reading.headers import fields_of
from include.transforms.csv_reading.records import read_records, split_records
from include.transforms.person import Person

_ANY_NUMBER = 2**31
_NOT_AS_PROMISED = ("utf-8", "utf-16-le", "utf-16-be", "latin-1")


@dataclass(frozen=True)
class Erased:
    """The content without the person's records, and how many those were."""

    content: bytes
    records: int


@dataclass(frozen=True)
class ClientFile:
    """A file as bytes of its physical lines, of their `ends` alone, and as records: (line where it starts, cells)."""

    mark: bytes
    lines: list[bytes]
    ends: list[bytes]
    records: list[tuple[int, list[str]]]
    email_at: int | None

    def without(self, person: Person, at_lines: Collection[int] = ()) -> Erased:
        """Take out the records that hold the person, and those that start at `at_lines`.

        Their line ends stay, as blank lines, which are no records: so the lines that ledger, reports and mails
        speak of are still the same lines, and doing it again finds nothing.
        """
        lines, taken = list(self.lines), 0
        for start, after, cells in self._spans():
            if start in at_lines or person.is_in("\n".join(cells)):
                lines[start - 1 : after - 1] = self.ends[start - 1 : after - 1]
                taken += 1
        return Erased(self.mark + b"".join(lines), taken)

    def emails_at(self, at_lines: Collection[int]) -> list[str]:
        """The e-mail cells of the records that start at these lines."""
        found = (cells for start, _, cells in self._spans() if start in at_lines)
        return [cells[self.email_at] for cells in found if self.email_at is not None and len(cells) > self.email_at]

    def _spans(self) -> Iterator[tuple[int, int, list[str]]]:
        """(line where it starts, line after its last, cells) of each record."""
        starts = [start for start, _ in self.records] + [len(self.lines) + 1]
        for (start, cells), after in zip(self.records, starts[1:], strict=True):
            yield start, after, cells


def read_client_file(content: bytes, feed: Feed, delimiter: str | None, person: Person) -> ClientFile:
    """Read a file of `feed`, by the delimiter that was found when it was imported, where one was.

    Raises FileRefused when it cannot be read as CSV or written back letter for letter, or when its header holds
    the person.
    """
    text = decode(content, feed.encoding)
    if delimiter is None:
        delimiter = read_records(text, feed.model_copy(update={"max_records": _ANY_NUMBER})).delimiter
    (_, names), *records = split_records(text, delimiter)
    if person.is_in("\n".join(names)):
        raise FileRefused("FILE_MISSING_COLUMN", "The first record stands where the header should be.")
    mark, codec = mark_and_codec(content, feed.encoding)
    lines = list(text.lines())
    encoded = [line.encode(codec, "replace") for line in lines]
    if mark + b"".join(encoded) != content:
        raise FileRefused("FILE_ENCODING", "The file cannot be written back letter for letter.")
    ends = [line[len(line.rstrip("\r\n")) :].encode(codec) for line in lines]
    fields = fields_of(names, feed.columns)
    return ClientFile(mark, encoded, ends, records, fields.index("email") if "email" in fields else None)


def holds(content: bytes, encoding: str | None, person: Person) -> bool:
    """True when the bytes hold the person, whether they are CSV or not."""
    mark, codec = mark_and_codec(content, encoding)
    try:
        return person.is_in(content[len(mark) :].decode(codec))
    except UnicodeDecodeError:
        return any(person.is_in(content.decode(other, "replace")) for other in _NOT_AS_PROMISED)
