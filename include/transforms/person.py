"""Tell whether a text or a file holds one of a person's e-mail addresses or ids, however they are written."""

from __future__ import annotations

import codecs
import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import BinaryIO

from include.schemas.email_addresses import email_key
from include.transforms.csv_reading.decoding import mark_and_codec

_INVISIBLE = re.compile(
    r"[\x00-\x08\x0e-\x1f\x7f\xad\u034f\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufe00-\ufe0f\ufeff]"
)
# `joann@…`, `mary.ann@…` and `o'ann@…` are other people's addresses, and so is `ann@example.com.au`.
_BEGINS = r"(?<![\w.+-])(?<!\w['`!#$%*^{}~])"
_DOMAIN = r"[^\S\r\n]*@[^\S\r\n]*([^\s@<>()\[\],;:\"'|/\\“”‘’…]+)"

# A file that is not valid in its feed's encoding is read in each of these.
_OTHER_ENCODINGS = ("utf-8", "utf-16-le", "utf-16-be", "latin-1")
# A file is read in windows of so many bytes; each begins with the last characters of the one before.
_WINDOW, _OVERLAP = 1024 * 1024, 4096
# Stands where a window cuts the text: next to this letter, part of an address or id is not taken for a whole one.
_CUT = "a"


def fold(text: str) -> str:
    """The text as it is compared: NFKC, lower case, without invisible characters."""
    normal = text if text.isascii() else unicodedata.normalize("NFKC", text)
    return _INVISIBLE.sub("", normal).lower()


@dataclass(frozen=True)
class Person:
    """`ids` are clients' ids in lower case, `keys` e-mail addresses in normal form."""

    ids: frozenset[str] = frozenset()
    keys: frozenset[str] = field(default=frozenset(), repr=False)

    def known_by(self, ids: Iterable[str] = (), emails: Iterable[str] = ()) -> Person:
        """The same person with more ids and addresses; what is no valid address is left out."""
        keys = {email_key(email) for email in emails} - {""}
        return Person(self.ids | {each.lower() for each in ids}, self.keys | keys)

    def is_in(self, text: str) -> bool:
        """True when the text holds one of the ids or addresses as a whole."""
        folded = fold(text)
        if any(each in folded for each in self.ids) and self._id.search(folded):
            return True
        if not any(local in folded for local in self.locals):
            return False
        return any(self._is_address(match[1], match[2]) for match in self._address.finditer(folded))

    def is_in_name(self, name: str) -> bool:
        """In a file name words stand close together: `clients_ann@example.com.csv`."""
        folded = fold(name)
        return any(each in folded for each in (*self.ids, *self.addresses))

    def is_in_file(self, content: BinaryIO, encoding: str | None) -> bool:
        """True when a file (open at its start) holds the person, in its feed's encoding or in any other."""
        mark, codec = mark_and_codec(content.read(4), encoding)
        try:
            return self._is_in_windows(content, len(mark), codec, "strict")
        except UnicodeDecodeError:
            return any(self._is_in_windows(content, len(mark), other, "replace") for other in _OTHER_ENCODINGS)

    def _is_in_windows(self, content: BinaryIO, start: int, codec: str, errors: str) -> bool:
        content.seek(start)
        return any(map(self.is_in, _windows(content, codec, errors)))

    @cached_property
    def locals(self) -> frozenset[str]:
        """What stands before the @, folded."""
        return frozenset(local for local, _ in self._parts)

    @cached_property
    def addresses(self) -> frozenset[str]:
        """The addresses folded, with their domains in IDNA and in Unicode form."""
        both = ((local, form) for local, domain in self._parts for form in (domain, _unicode(domain)))
        return frozenset(f"{local}@{form}" for local, form in both)

    @cached_property
    def _parts(self) -> frozenset[tuple[str, str]]:
        pairs = (key.rpartition("@") for key in self.keys)
        return frozenset((fold(local), domain) for local, _, domain in pairs)

    @cached_property
    def _address(self) -> re.Pattern[str]:
        locals_ = "|".join(re.escape(local) for local in sorted(self.locals, key=len, reverse=True))
        return re.compile(f"{_BEGINS}({locals_}){_DOMAIN}")

    @cached_property
    def _id(self) -> re.Pattern[str]:
        return re.compile(f"(?<![0-9a-f])(?:{'|'.join(self.ids)})(?![0-9a-f])")

    def _is_address(self, local: str, domain: str) -> bool:
        plain = domain.rstrip(".-!?*_=&")
        return (local, plain) in self._parts or (
            not plain.isascii() and (local, email_key(f"a@{plain}")[2:]) in self._parts
        )


def _windows(content: BinaryIO, codec: str, errors: str) -> Iterator[str]:
    """The text of a file, piece by piece, so that every address and id is whole in one of them."""
    before = ""
    for piece in codecs.iterdecode(iter(partial(content.read, _WINDOW), b""), codec, errors):
        window = before + piece
        yield window + _CUT
        before = window if len(window) <= _OVERLAP else _CUT + window[-_OVERLAP:]
    yield before


def _unicode(domain: str) -> str:
    try:
        return fold(domain.encode("ascii").decode("idna"))
    except UnicodeError:
        return domain
