"""Rows of one file that are the same client, and claims that exclude each other (SPEC.md sections 6 and 13)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import pandas as pd

from include.codes import Code
from include.transforms.csv_reading.sent_rows import column_as_sent
from include.transforms.validation.problems import join_problems, problem_rows

Policy = Literal["keep_last", "keep_first", "reject"]


@dataclass(frozen=True)
class Resolution:
    """What the rows of a file mean for each other; each Series maps a row to the end of its sentence.

    `winners` are the rows that may be written. `replaced` rows are duplicates of a winner; the others fail.
    """

    winners: pd.Index
    replaced: pd.Series
    rejected: pd.Series
    repeated_emails: pd.Series
    repeated_usernames: pd.Series

    def problems(self, sent: pd.DataFrame) -> pd.DataFrame:
        """Give the problems of the rows in `sent` (cells as sent)."""
        return join_problems(
            _problems(Code.DUPLICATE_IN_FILE, "", sent, self.replaced, "warning"),
            _problems(Code.DUPLICATE_IN_FILE, "", sent, self.rejected, "error"),
            _problems(Code.EMAIL_REPEATED, "email", sent, self.repeated_emails, "error"),
            _problems(Code.USERNAME_TAKEN, "username", sent, self.repeated_usernames, "error"),
        )


def _problems(
    code: Code, field: str, sent: pd.DataFrame, details: pd.Series, severity: Literal["error", "warning"]
) -> pd.DataFrame:
    detail = details[details.index.isin(sent.index)]
    return problem_rows(code, field, column_as_sent(sent, field, detail.index), {"detail": detail}, severity)


def resolve_duplicates(keys: pd.DataFrame, good: pd.Series, policy: Policy) -> Resolution:
    """Choose one row per client, and let nothing be claimed by two clients.

    `keys` as in `identity`, of the whole file; `good` is True for rows without an error so far. A failed row replaces
    no other row and takes nothing from a good one; it only learns what a good row claims.
    """
    clients = _client_numbers(keys)
    replaced, rejected = _choose(clients[good], keys["line"], policy)
    standing = good & ~good.index.isin(replaced.index.append(rejected.index))
    failed = keys["identified"] & ~standing & ~keys.index.isin(replaced.index)
    emails = _claimed_twice(keys["email_key"], clients, standing, failed)
    usernames = _claimed_twice(keys["username"], clients, standing, failed)
    winners = keys.index[standing & ~keys.index.isin(emails.index.append(usernames.index))]
    return Resolution(winners, replaced, rejected, emails, usernames.map("{} of this file".format))


def _client_numbers(keys: pd.DataFrame) -> pd.Series:
    """Give each row a number that it shares with the rows of the same client."""
    numbers, clients = pd.factorize(keys["means"])
    new = (keys["means"] == "").to_numpy()
    if new.any():
        numbers[new] = len(clients) + pd.factorize(keys["email_key"][new])[0]
    return pd.Series(numbers, index=keys.index)


def _choose(clients: pd.Series, lines: pd.Series, policy: Policy) -> tuple[pd.Series, pd.Series]:
    """Give (replaced rows with their sentence, rejected rows with theirs); the others stand."""
    none = pd.Series(dtype="str", index=pd.Index([], dtype="int64"))
    repeated = clients[clients.duplicated(keep=False)]
    if repeated.empty:
        return none, none
    if policy == "reject":
        verb = {True: "means", False: "mean"}
        sentences = {
            row: f"{_list_others(row, rows).capitalize()} of this file {verb[len(rows) == 2]} the same client."
            for row, rows in _peers(repeated)
        }
        return none, pd.Series(sentences, dtype="str")
    kept = repeated[~repeated.duplicated(keep="last" if policy == "keep_last" else "first")]
    by = repeated.map(pd.Series(kept.index, index=kept))
    by = by[by != by.index]
    sentences = {
        row: f"Replaced by row {other} (line {lines[other]}), which is the same client."
        for row, other in zip(by.index.tolist(), by.tolist(), strict=True)
    }
    return pd.Series(sentences, dtype="str"), none


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
