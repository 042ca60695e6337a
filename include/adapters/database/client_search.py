"""Write the condition of a search among clients, and estimate how many it finds (docs/decisions/0015)."""

from __future__ import annotations

import re
import unicodedata
from typing import Any

import sqlalchemy as sa

from include.schemas.client_tables import WORD_SEPARATORS, WORDS, WORDS_OF
from include.schemas.email_addresses import email_key

LONGEST = 200
_SEPARATORS = re.compile(f"[{re.escape(WORD_SEPARATORS)}]+")
_BEGINNING_OF_AN_ID = re.compile(r"[0-9a-fA-F]{4,24}")


def condition_of(text: str, *, by_index: bool = True) -> tuple[str, dict[str, Any]]:
    """Write the condition on `clients c`, and the values it binds; ('', {}) without a search.

    Each word that was typed is the beginning of a word of the client. What holds an `@` is part of the e-mail, as it
    stands; one word of hex digits may be the beginning of an ID. Without the index of words each client's text is
    first searched for the longest word: a client is split into words ten times as slowly.
    """
    typed = unicodedata.normalize("NFC", text.strip()[:LONGEST])
    if not typed:
        return "", {}
    whole, begun = words_of(typed)
    words, values = ["false"], dict[str, Any]()
    if whole or begun:
        words = [f"{WORDS} @@ CAST(lower(:words) AS tsquery)"]
        values["words"] = " & ".join([*(_quoted(word) for word in whole), *(f"{_quoted(word)}:*" for word in begun)])
        if not by_index:
            words.insert(0, f"strpos(lower({WORDS_OF}), lower(:longest)) > 0")
            values["longest"] = max([*whole, *begun], key=len)
    other = ""
    if "@" in typed:
        address = next(part for part in typed.split() if "@" in part)
        words.append("strpos(lower(c.email), lower(:address)) > 0")
        other = " OR c.email_key = :email_key"
        values |= {"address": address, "email_key": email_key(address) or address}
    elif _BEGINNING_OF_AN_ID.fullmatch(typed):
        other = " OR (c.id >= :id_begin AND c.id < :id_begin || 'g')"  # `g` comes after all hex digits
        values["id_begin"] = typed.lower()
    return f"(({' AND '.join(words)}){other})", values


def _quoted(word: str) -> str:
    return "'{}'".format(word.replace("\\", "\\\\"))  # an apostrophe is a separator, so no word has one


def words_of(typed: str) -> tuple[list[str], list[str]]:
    """Give the words that were typed to their end, and those that may go on.

    Of an address only the words before the `@` are looked up, because most addresses end in the same few words.
    """
    whole, begun = list[str](), list[str]()
    for part in typed.split():
        local, at, domain = part.partition("@")
        words = [word for word in _SEPARATORS.split(local or domain) if word]
        is_whole = len(words) if at and local else len(words) - 1 if at else 0
        whole += words[:is_whole]
        begun += words[is_whole:]
    return whole, begun


def estimate(connection: sa.Connection, text: str) -> float:
    """Estimate from the server's statistics how many clients a search finds.

    They know words that many clients have, but not beginnings that many different words have. Most such words are
    usernames, or addresses of which usernames were made.
    """
    found = _rows(connection, *condition_of(text))
    _, begun = words_of(unicodedata.normalize("NFC", text.strip()[:LONGEST]))
    if len(begun) == 1:
        least = begun[0].lower()
        among = "c.username >= :least AND c.username < :most"
        found = max(found, _rows(connection, among, {"least": least, "most": f"{least}\U0010ffff"}))
    return found


def _rows(connection: sa.Connection, condition: str, values: dict[str, Any]) -> float:
    explained = connection.scalar(sa.text(f"EXPLAIN (FORMAT JSON) SELECT 1 FROM clients c WHERE {condition}"), values)
    return float(explained[0]["Plan"]["Plan Rows"])
