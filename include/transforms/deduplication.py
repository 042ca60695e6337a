"""Rows of one file that are the same client, and claims that exclude each other (SPEC.md sections 6 and 13)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import pandas as pd

from include.transforms.frames import join_problems, no_problems, problem_rows, rows_with_errors

Policy = Literal["keep_last", "keep_first", "reject"]


@dataclass(frozen=True)
class Settled:
    """`clients`: `same_client` of every row; `winners`: rows that stand; `problems` of the others."""

    clients: pd.Series
    winners: pd.Index
    problems: pd.DataFrame


def settle(rows: pd.DataFrame, policy: Policy) -> Settled:
    """One row a client, and nothing claimed by two: `rows` are good so far, with `line`, `means` and `email_key`."""
    clients = same_client(rows)
    stand, duplicates = settle_duplicates(clients, rows["line"], policy)
    claims = judge_claims(rows.loc[stand])
    return Settled(clients, stand.difference(rows_with_errors(claims)), join_problems(duplicates, claims))


def same_client(rows: pd.DataFrame) -> pd.Series:
    """A key per row, equal for rows of the same client.

    A row that names no client joins the one client that other rows with its e-mail name;
    where those rows contradict each other it stands for itself.
    """
    if not (rows["means"] == "").any():
        return rows["means"]
    named = rows[rows["means"] != ""].drop_duplicates(["email_key", "means"])
    only_one = named[~named.duplicated("email_key", keep=False)]
    claimant = pd.Series(only_one["means"].to_numpy(), index=only_one["email_key"], dtype="str")
    joined = rows["email_key"].map(claimant)
    by_itself = "email " + rows["email_key"]
    return rows["means"].where(rows["means"] != "", joined.where(joined.notna(), by_itself)).astype("str")


def settle_duplicates(clients: pd.Series, lines: pd.Series, policy: Policy) -> tuple[pd.Index, pd.DataFrame]:
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


def judge_claims(rows: pd.DataFrame) -> pd.DataFrame:
    """Problems of standing rows (each another client) that claim one e-mail or one username: all of them fail."""
    emails = rows["email_key"][rows["email_key"].duplicated(keep=False)]
    facts = [{"detail": _others(row, peers)} for row, peers in _peers(emails)]
    found = [problem_rows("EMAIL_REPEATED", "email", rows.loc[emails.index, "email"], facts=facts)]
    if "username" in rows:
        given = rows["username"][rows["username"] != ""]
        repeated = given[given.duplicated(keep=False)]
        facts = [{"detail": f"{_others(row, peers)} of this file"} for row, peers in _peers(repeated)]
        found.append(problem_rows("USERNAME_TAKEN", "username", repeated, facts=facts))
    return join_problems(*found)


def _peers(keys: pd.Series) -> list[tuple[int, list[int]]]:
    """(row, all rows with the same key) in the order of rows."""
    groups: dict[str, list[int]] = {}
    for row, key in keys.items():
        groups.setdefault(key, []).append(int(row))  # type: ignore[call-overload]
    return [(int(row), groups[key]) for row, key in keys.items()]  # type: ignore[call-overload]


def _others(row: int, rows: list[int], longest: int = 5) -> str:
    others, more = [str(other) for other in rows[: longest + 1] if other != row][:longest], len(rows) - 1 - longest
    shown = ", ".join(others) + (f" and {more:,} more" if more > 0 else "")
    return f"row{'s' if len(others) > 1 else ''} {shown}"
