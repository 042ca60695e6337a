"""Rows of one file that are the same client, and claims that exclude each other (SPEC.md sections 6 and 13)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import pandas as pd

from include.codes import Code
from include.transforms.csv_reading.sent_rows import column_as_sent
from include.transforms.validation.problems import join_problems, problem_rows

Policy = Literal["keep_last", "keep_first", "reject", "combine"]
_TAKEN = ("email_key", "holder", "username")
_NONE = pd.Series(dtype="str", index=pd.Index([], dtype="int64"))
_NOTHING = pd.DataFrame(dict.fromkeys(_TAKEN, _NONE))


@dataclass(frozen=True)
class Resolution:
    """What the rows of a file mean for each other; each Series of sentences maps a row to the end of its sentence.

    `winners` are the rows that may be written. `replaced` maps each duplicate to the row that counts for its client;
    `lines` says where that one stands, `combined` whether it has the values of all. The rows of the other Series fail.
    `earlier` has what rows take from earlier rows of their clients: `email_key`, `holder` and `username`, '' for none.
    """

    winners: pd.Index
    replaced: pd.Series
    lines: pd.Series
    combined: bool
    rejected: pd.Series
    repeated_emails: pd.Series
    repeated_usernames: pd.Series
    earlier: pd.DataFrame

    def problems(self, sent: pd.DataFrame, unused: Mapping[int, str] | None = None) -> pd.DataFrame:
        """Give the problems of the rows in `sent` (cells as sent); `unused` says which cells of a row do not count."""
        return join_problems(
            _problems(Code.DUPLICATE_IN_FILE, "", sent, self._why_replaced(sent.index, unused or {}), "warning"),
            _problems(Code.DUPLICATE_IN_FILE, "", sent, self.rejected, "error"),
            _problems(Code.EMAIL_REPEATED, "email", sent, self.repeated_emails, "error", self._taken("email_key")),
            _problems(Code.USERNAME_TAKEN, "username", sent, self.repeated_usernames, "error", self._taken("username")),
        )

    def _taken(self, name: str) -> pd.Series:
        return self.earlier[name][self.earlier[name] != ""]

    def _why_replaced(self, rows: pd.Index, unused: Mapping[int, str]) -> pd.Series:
        replaced = self.replaced[self.replaced.index.isin(rows)]
        if replaced.empty:
            return _NONE
        verb = "Combined with" if self.combined else "Replaced by"
        facts = zip(replaced.index.tolist(), replaced.tolist(), self.lines[replaced].tolist(), strict=True)
        sentences = [
            f"{verb} row {other} (line {line}), which is the same client{unused.get(row, '')}."
            for row, other, line in facts
        ]
        return pd.Series(sentences, dtype="str", index=replaced.index)


def _problems(
    code: Code, field: str, sent: pd.DataFrame, details: pd.Series, severity: Literal["error", "warning"],
    from_other_rows: pd.Series = _NONE,
) -> pd.DataFrame:  # fmt: skip
    detail = details[details.index.isin(sent.index)]
    cells = column_as_sent(sent, field, detail.index)
    if len(from_other_rows):
        cells = from_other_rows.reindex(cells.index).fillna(cells)
    return problem_rows(code, field, cells, {"detail": detail}, severity)


def resolve_duplicates(keys: pd.DataFrame, good: pd.Series, policy: Policy) -> Resolution:
    """Choose one row per client, and let nothing be claimed by two clients.

    `keys` as in `identity`, of the whole file; `good` is True for rows without an error so far. A failed row replaces
    no other row and takes nothing from a good one; it only learns what a good row claims.
    """
    clients = _client_numbers(keys)
    replaced, rejected = _choose(clients[good], policy)
    earlier = _from_earlier_rows(keys, replaced) if policy == "combine" else _NOTHING
    claimed = with_earlier(keys, earlier)
    standing = good & ~good.index.isin(replaced.index.append(rejected.index))
    failed = keys["identified"] & ~standing & ~keys.index.isin(replaced.index)
    emails = _claimed_twice(claimed["email_key"], clients, standing, failed)
    usernames = _claimed_twice(claimed["username"], clients, standing, failed)
    winners = keys.index[standing & ~keys.index.isin(emails.index.append(usernames.index))]
    lines, of_this_file = keys["line"][replaced.unique()], usernames.map("{} of this file".format)
    return Resolution(winners, replaced, lines, policy == "combine", rejected, emails, of_this_file, earlier)


def with_earlier(keys: pd.DataFrame, earlier: pd.DataFrame) -> pd.DataFrame:
    """Give `keys` of some rows with what these take from earlier rows of their clients."""
    here = earlier[earlier.index.isin(keys.index)]
    if here.empty:
        return keys
    taken = {name: here[name][here[name] != ""] for name in _TAKEN if name in keys}
    return keys.assign(**{name: texts.reindex(keys.index).fillna(keys[name]) for name, texts in taken.items()})


def rows_of_repeated_clients(keys: pd.DataFrame) -> pd.Series:
    """Map each row whose client other rows mean too, whatever is wrong with them, to the number of its client."""
    clients = _client_numbers(keys)[keys["identified"]]
    return clients[clients.duplicated(keep=False)]


def _client_numbers(keys: pd.DataFrame) -> pd.Series:
    """Give each row a number that it shares with the rows of the same client."""
    numbers, clients = pd.factorize(keys["means"])
    new = (keys["means"] == "").to_numpy()
    if new.any():
        numbers[new] = len(clients) + pd.factorize(keys["email_key"][new])[0]
    return pd.Series(numbers, index=keys.index)


def _choose(clients: pd.Series, policy: Policy) -> tuple[pd.Series, pd.Series]:
    """Give (replaced rows with the row in their place, rejected rows with their sentence); the others stand."""
    nothing = pd.Series(dtype="int64", index=_NONE.index)
    repeated = clients[clients.duplicated(keep=False)]
    if repeated.empty:
        return nothing, _NONE
    if policy == "reject":
        verb = {True: "means", False: "mean"}
        sentences = {
            row: f"{_list_others(row, rows).capitalize()} of this file {verb[len(rows) == 2]} the same client."
            for row, rows in _peers(repeated)
        }
        return nothing, pd.Series(sentences, dtype="str")
    kept = repeated[~repeated.duplicated(keep="first" if policy == "keep_first" else "last")]
    by = repeated.map(pd.Series(kept.index, index=kept))
    return by[by != by.index], _NONE


def _from_earlier_rows(keys: pd.DataFrame, replaced: pd.Series) -> pd.DataFrame:
    """Give for the rows that stand for several what they do not name, and the last of their earlier rows names."""
    emails, usernames = (_last_named(keys[name], replaced) for name in ("email_key", "username"))
    taken = {
        "email_key": keys["email_key"].reindex(emails).set_axis(emails.index),
        "holder": keys["holder"].reindex(emails).set_axis(emails.index),
        "username": keys["username"].reindex(usernames).set_axis(usernames.index),
    }
    return pd.DataFrame(taken, dtype="str").fillna("")


def _last_named(texts: pd.Series, replaced: pd.Series) -> pd.Series:
    """Map rows that stand for several, and have no text, to the last of their earlier rows that has one."""
    given = replaced[texts[replaced.index] != ""]
    last: pd.Series = pd.Series(given.index, index=given.to_numpy()).groupby(level=0).last()
    return last[texts[last.index] == ""]


def _claimed_twice(keys: pd.Series, clients: pd.Series, standing: pd.Series, failed: pd.Series) -> pd.Series:
    """Find claims of one e-mail or username for several clients; gives each such row the list of the others.

    Standing rows (each another client) hurt each other. A failed row hurts none, and is told of a standing one.
    """
    given = keys != ""
    numbers = pd.Series(pd.factorize(keys)[0], index=keys.index)  # texts themselves would be compared as objects
    claims = numbers[standing & given]
    sentences = {row: _list_others(row, rows) for row, rows in _peers(claims[claims.duplicated(keep=False)])}
    if failed.any():
        told = failed & given
        of_failed = pd.DataFrame({"key": numbers[told], "client": clients[told], "row": keys.index[told]})
        both = of_failed.merge(pd.DataFrame({"key": claims, "by": claims.index, "other": clients.loc[claims.index]}))
        others = both[both["client"] != both["other"]].drop_duplicates("row")
        sentences |= {row: f"row {by}" for row, by in zip(others["row"].tolist(), others["by"].tolist(), strict=True)}
    return pd.Series(sentences, dtype="str", index=pd.Index(list(sentences), dtype="int64"))


def _peers(keys: pd.Series) -> list[tuple[int, list[int]]]:
    """Give (row, all rows with the same key) in the order of rows."""
    groups: dict[int, list[int]] = {}
    pairs = list(zip(keys.index.tolist(), keys.tolist(), strict=True))
    for row, key in pairs:
        groups.setdefault(key, []).append(row)
    return [(row, groups[key]) for row, key in pairs]


def _list_others(row: int, rows: list[int], longest: int = 5) -> str:
    others = [str(other) for other in rows[: longest + 1] if other != row][:longest]
    more = len(rows) - 1 - longest
    shown = ", ".join(others) + (f" and {more:,} more" if more > 0 else "")
    return f"row{'s' if len(others) > 1 else ''} {shown}"
