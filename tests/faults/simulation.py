"""The files and clients of one round, and their expected end by the reference model."""

from __future__ import annotations

import csv
import io
import random
from dataclasses import dataclass, field

from tests.conftest import DESK, LONDON, NIGHT, PARTNERS, PROJECT
from tests.faults.environment import FaultEnvironment
from tests.steps.reference_model import Crm, Row, Rules, run

IDS = [f"{n:024x}" for n in range(1, 6)]
EMAILS = [f"{letter}@example.com" for letter in "abcde"]
USERNAMES = ["user-one", "user-two", "user-three"]
HEADER = ("ID", "Email", "Username", "First Name", "Last Name", "_file")
FIELDS = ("id", "email", "username", "first_name", "last_name")
CRM = Crm({PROJECT: True, PARTNERS: False}, {DESK: (PROJECT, True), LONDON: (PARTNERS, True), NIGHT: (PARTNERS, False)})


@dataclass
class File:
    """One file. With `rows` None it has no e-mail column and is refused."""

    name: str
    rows: list[tuple[str, str, str, str, str]] | None
    tag: str

    def content(self) -> bytes:
        text = io.StringIO()
        rows = [(*row, self.tag) for row in self.rows or ()]
        csv.writer(text).writerows([HEADER if self.rows is not None else ("First Name", "_file"), *rows])
        return (text.getvalue() if self.rows is not None else f"{text.getvalue()}Ann,{self.tag}\n").encode()


@dataclass
class Verdict:
    """The expected end of one file."""

    state: str
    code: str | None = None
    outcomes: dict[int, str] = field(default_factory=dict)


@dataclass
class Simulation:
    """The clients at the beginning of a round, and its files in order."""

    feed: str
    clients: dict[str, dict[str, str]]
    files: list[File]
    dropped: list[File] = field(default_factory=list)

    def begin(self, environment: FaultEnvironment, files: int) -> None:
        """Write the clients and drop the first files."""
        for id, client in self.clients.items():
            environment.query(
                "INSERT INTO clients (id, email, email_key, username, first_name, last_name, project, desk)"
                " VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
                id, client["email"], client["email"], client["username"], client["first_name"], client["last_name"],
                PROJECT, DESK,
            )  # fmt: skip
        self.drop(environment, files)

    def drop(self, environment: FaultEnvironment, upto: int) -> None:
        """Put the next files into the inbox, until so many are there."""
        inbox = environment.storage / "inbox" / self.feed
        inbox.mkdir(parents=True, exist_ok=True)
        for file in self.files[len(self.dropped) : upto]:
            unfinished = inbox / f".{file.name}"
            unfinished.write_bytes(file.content())
            unfinished.rename(inbox / file.name)
            if self.feed == "sides":
                (inbox / f"{file.name}.count").write_text(f"{len(file.rows or [0])}\n")
                (inbox / f"{file.name}.done").write_text("")
            self.dropped.append(file)

    def expected(self, in_order: list[str]) -> tuple[list[Verdict], dict[str, dict]]:
        """Give the end of each file, and the client table, when the files arrived in this order."""
        by_name = {file.name: file for file in self.files}
        clients, verdicts, newest = {id: dict(client) for id, client in self.clients.items()}, [], b""
        for number, name in enumerate(in_order):
            file = by_name[name]
            verdict, after = self._one(file, clients, file.content() == newest)
            if verdict.state == "merged":
                # A file with failed rows is imported again: what they lacked may be there now.
                newest = b"" if "failed" in verdict.outcomes.values() else file.content()
            clients = {id.replace("new-", f"file{number}-"): client for id, client in after.items()}
            verdicts.append(verdict)
        return verdicts, clients

    def _one(self, file: File, clients: dict[str, dict], merged_last: bool) -> tuple[Verdict, dict[str, dict]]:
        if merged_last:
            return Verdict("skipped", "FILE_ALREADY_IMPORTED"), clients
        if file.rows is None:
            return Verdict("refused", "FILE_MISSING_COLUMN"), clients
        rows = [Row(number, dict(zip(FIELDS, cells, strict=True))) for number, cells in enumerate(file.rows, 1)]
        after = run(clients, rows, Rules(duplicates="keep_first" if self.feed == "sides" else "keep_last"), CRM)
        outcomes = {row.number: row.outcome for row in rows}
        failed = {number: outcome for number, outcome in outcomes.items() if outcome == "failed"}
        if failed and self.feed == "whole":
            return Verdict("refused", "FILE_FAILED_ROWS", failed), clients
        return Verdict("merged", None, outcomes), after


def make_simulation(random: random.Random, feed: str) -> Simulation:
    """Make files with few names, so that rows meet: clients move and swap their e-mails from file to file."""
    ids, emails, usernames = IDS[:], EMAILS[:], [*USERNAMES, "other", "another"]
    for each in (ids, emails, usernames):
        random.shuffle(each)
    clients = {
        id: {
            "email": email, "username": username, "first_name": "Ann", "last_name": random.choice(["", "Lee"]),
            "project": PROJECT, "desk": DESK,
        }
        for id, email, username in zip(ids[: random.randint(0, 4)], emails, usernames, strict=False)
    }  # fmt: skip
    files: list[File] = []
    for number in range(random.randint(2, 4)):
        name = f"{number}-file.csv"
        if files and random.random() < 0.15:
            again = random.choice(files)
            files.append(File(name, again.rows, again.tag))
        elif random.random() < 0.12:
            files.append(File(name, None, name))
        else:
            files.append(File(name, [_row(random, clients) for _ in range(random.randint(1, 5))], name))
    return Simulation(feed, clients, files)


def _row(random: random.Random, clients: dict[str, dict[str, str]]) -> tuple[str, str, str, str, str]:
    return (
        random.choice(["", *IDS, *clients, *clients]), random.choice(EMAILS),
        random.choice(["", "", "", "", *USERNAMES]), random.choice(["Ann", "Ben", "Cat", "Dan"] * 3 + [""]),
        random.choice(["", "Lee", "#CLEAR"]),
    )  # fmt: skip
