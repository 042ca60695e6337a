"""Rows of one file that are the same client, and claims that exclude each other (SPEC.md sections 6 and 13)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import pandas as pd

from include.transforms.validation.problems import join_problems, no_problems, problem_rows, rows_with_errors

Policy = Literal["keep_last", "keep_first", "reject"]


@dataclass(frozen=True)
class Resolution:
    """`joined`: ids of the clients that rows which name none have joined; `winners`: rows that stand; `problems` of
    the others.
    """

    joined: pd.Series
    winners: pd.Index
    problems: pd.DataFrame


def resolve_duplicates(rows: pd.DataFrame, policy: Policy, emails_of: Callable[[pd.Index], pd.Series]) -> Resolution:
    """One row a client, and nothing claimed by two.

    `rows` are good so far, with `line`, `means`, `email_key` and `username`; `emails_of` gives the cells of a few.
    """
    joined = join(rows)
    clients = same_client(rows, joined)
    stand, duplicates = choose_winners(clients, rows["line"], policy)
    claims = judge_claims(rows if len(stand) == len(rows) else rows.loc[stand], emails_of)
    return Resolution(joined, stand.difference(rows_with_errors(claims)), join_problems(duplicates, claims))


def join(rows: pd.DataFrame) -> pd.Series:
    """A row that names no client joins the one client that other rows with its e-mail name;
    where those rows contradict each other it stands for itself.
    """
    nameless = rows["means"] == ""
    if not nameless.any() or nameless.all():
        return rows["means"].iloc[:0]
    named = rows.loc[~nameless, ["email_key", "means"]].drop_duplicates()
    only_one = named[~named["email_key"].duplicated(keep=False)]
    claimant = pd.Series(only_one["means"].to_numpy(), index=only_one["email_key"], dtype="str")
    return rows.loc[nameless, "email_key"].map(claimant).dropna().astype("str")


def same_client(rows: pd.DataFrame, joined: pd.Series) -> pd.Series:
    """A number per row, equal for rows of the same client."""
    named = rows["means"].mask(rows.index.isin(joined.index), joined) if len(joined) else rows["means"]
    numbers, clients = pd.factorize(named)
    by_itself = (named == "").to_numpy()
    if by_itself.any():
        numbers[by_itself] = len(clients) + pd.factorize(rows["email_key"][by_itself])[0]
    return pd.Series(numbers, index=rows.index)


def choose_winners(clients: pd.Series, lines: pd.Series, policy: Policy) -> tuple[pd.Index, pd.DataFrame]:
    """(rows that stand, DUPLICATE_IN_FILE problems of those that do not).

    `clients` is `same_client`; `lines` maps rows to physical lines. With `reject` nobody of a group stands
    and the problems are errors; otherwise the one that stands replaces the others.
    """
    repeated = clients[clients.duplicated(keep=False)]
    if repeated.empty:
        return clients.index, no_problems()
    if policy == "reject":
        facts = [{"detail": f"{_others(row, rows)} of this file mean{'s' if len(rows) == 2 else ''} the same client."}
                 for row, rows in _peers(repeated)]  # fmt: skip
        found = problem_rows("DUPLICATE_IN_FILE", "", dict.fromkeys(repeated.index, ""), facts=facts)
        return clients.index.difference(repeated.index), found
    winners = repeated[~repeated.duplicated(keep="last" if policy == "keep_last" else "first")]
    stands = repeated.map(pd.Series(winners.index, index=winners))
    replaced = stands[stands != stands.index]
    facts = [{"detail": f"Replaced by row {by} (line {lines[by]}), which is the same client."} for by in replaced]
    found = problem_rows("DUPLICATE_IN_FILE", "", dict.fromkeys(replaced.index, ""), "warning", facts)
    return clients.index.difference(replaced.index), found


def judge_claims(rows: pd.DataFrame, emails_of: Callable[[pd.Index], pd.Series]) -> pd.DataFrame:
    """Problems of standing rows (each another client) that claim one e-mail or one username: all of them fail."""
    emails = _repeated(rows["email_key"])
    facts = [{"detail": _others(row, peers)} for row, peers in _peers(emails)]
    cells = emails_of(emails.index) if len(emails) else emails
    repeated = problem_rows("EMAIL_REPEATED", "email", cells, facts=facts)
    usernames = _repeated(rows["username"][rows["username"] != ""])
    facts = [{"detail": f"{_others(row, peers)} of this file"} for row, peers in _peers(usernames)]
    return join_problems(repeated, problem_rows("USERNAME_TAKEN", "username", usernames, facts=facts))


def _repeated(texts: pd.Series) -> pd.Series:
    numbers = pd.Series(pd.factorize(texts)[0])  # texts themselves would be compared as objects
    return texts[numbers.duplicated(keep=False).to_numpy()]


def _peers(keys: pd.Series) -> list[tuple[int, list[int]]]:
    """(row, all rows with the same key) in the order of rows."""
    groups: dict[object, list[int]] = {}
    for row, key in keys.items():
        groups.setdefault(key, []).append(int(row))  # type: ignore[call-overload]
    return [(int(row), groups[key]) for row, key in keys.items()]  # type: ignore[call-overload]


def _others(row: int, rows: list[int], longest: int = 5) -> str:
    others, more = [str(other) for other in rows[: longest + 1] if other != row][:longest], len(rows) - 1 - longest
    shown = ", ".join(others) + (f" and {more:,} more" if more > 0 else "")
    return f"row{'s' if len(others) > 1 else ''} {shown}"
