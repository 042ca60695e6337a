"""After the trouble: are database, storage and mails as if nothing had happened?"""

from __future__ import annotations

import email
import email.policy
import re
from pathlib import Path
from typing import Any

from tests.faults.environment import FaultEnvironment
from tests.faults.scheduler import Violation
from tests.faults.simulation import IDS, Simulation, Verdict

OUTCOMES = ("created", "updated", "unchanged", "duplicate", "failed")


def inspect(environment: FaultEnvironment, simulation: Simulation) -> None:
    """Compare everything with what the simulation expects. Raises Violation with all differences."""
    imports = environment.query("SELECT * FROM imports ORDER BY arrival")
    names = [row["file_name"] for row in imports]
    wrong: list[str] = []
    if names != [file.name for file in simulation.dropped]:
        raise Violation(f"files were dropped as {[f.name for f in simulation.dropped]}, `imports` has {names}")
    verdicts, clients = simulation.expected(names)
    for row, verdict in zip(imports, verdicts, strict=True):
        wrong += [f"{row['file_name']}: {sentence}" for sentence in _import(environment, row, verdict)]
    merged = [row["state_times"]["merged"] for row in imports if row["state"] == "merged"]
    if merged != sorted(merged):
        wrong.append(f"files were not merged in order of arrival: {merged}")
    wrong += _clients(environment, clients) + _files(environment, simulation, imports) + _mails(environment, imports)
    if wrong:
        raise Violation("\n".join(wrong))


def _import(environment: FaultEnvironment, row: dict[str, Any], verdict: Verdict) -> list[str]:
    wrong = []
    if (row["state"], row["code"]) != (verdict.state, verdict.code):
        wrong.append(f"is {row['state']} {row['code']}, not {verdict.state} {verdict.code} ({row['message']})")
    if not row["filed"] or row["inbox_name"] is not None:
        wrong.append(f"is not finished: filed {row['filed']}, inbox_name {row['inbox_name']}")
    records = environment.query("SELECT row, outcome FROM import_rows WHERE import_id = %s", row["id"])
    if (outcomes := {record["row"]: record["outcome"] for record in records}) != verdict.outcomes:
        wrong.append(f"rows ended as {outcomes}, not {verdict.outcomes}")
    counted = {name: sum(outcome == name for outcome in verdict.outcomes.values()) for name in OUTCOMES}
    if counted != {name: row[name] for name in OUTCOMES}:
        wrong.append(f"its counts are { ({name: row[name] for name in OUTCOMES}) }, not {counted}")
    if row["state"] == "merged" and row["read"] != sum(counted.values()):
        wrong.append(f"{row['read']} records read, {sum(counted.values())} outcomes")
    changes = environment.query("SELECT 1 FROM client_changes WHERE import_id = %s", row["id"])
    if len(changes) != counted["created"] + counted["updated"]:
        wrong.append(f"{len(changes)} changes are noted, {counted} counted")
    return wrong


def _clients(environment: FaultEnvironment, expected: dict[str, dict]) -> list[str]:
    clients = environment.query("SELECT id, email, username, first_name, last_name FROM clients")
    open_usernames = {client["email"] for client in expected.values() if client["username"] is None}
    actual = sorted(_comparable(client.pop("id"), client, open_usernames) for client in clients)
    wanted = sorted(_comparable(id, client, open_usernames) for id, client in expected.items())
    return [] if actual == wanted else [f"clients are {actual}, not {wanted}"]


def _comparable(id: str, client: dict, open_usernames: set[str]) -> tuple[str, ...]:
    username = "any" if client["email"] in open_usernames else client["username"]
    return (id if id in IDS else "new", client["email"], username, client["first_name"], client["last_name"])


def _files(environment: FaultEnvironment, simulation: Simulation, imports: list[dict[str, Any]]) -> list[str]:
    wrong = []
    paths = sorted(environment.storage.rglob("*"))
    inside = {folder: [p for p in paths if folder in p.relative_to(environment.storage).parts] for folder in
              ("inbox", "staging", "archive", "refused", "reports")}  # fmt: skip
    left = [str(p) for p in (*inside["inbox"], *inside["staging"]) if p.is_file() or p.parent.name == "staging"]
    if left:
        wrong.append(f"left behind: {left}")
    kept = [path for folder in ("archive", "refused") for path in inside[folder] if path.is_file()]
    if sorted(path.read_bytes() for path in kept) != sorted(file.content() for file in simulation.dropped):
        wrong.append(f"{len(simulation.dropped)} files were dropped, kept are {[str(p) for p in kept]}")
    folders = {"merged": "archive", "skipped": "archive", "refused": "refused"}
    for row in imports:
        path = Path(row["file_path"] or "nowhere")
        if path.parts[0] != folders.get(row["state"]) or not (environment.storage / path).is_file():
            wrong.append(f"{row['file_name']} is {row['state']}, its file in {path}")
    reports = sorted(str(p.relative_to(environment.storage)) for p in inside["reports"] if p.is_file())
    if reports != sorted(row["report_path"] for row in imports if row["failed"]):
        wrong.append(f"reports are {reports}, `imports` has {[row['report_path'] for row in imports]}")
    return wrong


def _mails(environment: FaultEnvironment, imports: list[dict[str, Any]]) -> list[str]:
    wrong, mailed = [], set()
    by_id = {str(row["id"]): row for row in imports}
    for path in environment.mails.glob("*.eml"):
        mail = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
        text = mail.get_body(("plain",)).get_content()  # type: ignore[union-attr]
        for block in re.split(r"\n(?=“)", text)[1:]:
            row = by_id[re.search(r"Import ([0-9a-f-]+)", block)[1]]  # type: ignore[index]
            counts = re.search(r"^ *(read \d+.*)$", block, re.M)
            if counts:
                numbers = dict(re.findall(r"(\w+) (\d+)", counts[1]))
                if row["state"] != "merged" or any(int(numbers[name]) != row[name] for name in ("read", *OUTCOMES)):
                    wrong.append(f"{row['file_name']} is {row['state']}, a mail says {counts[1]}")
            if counts or "Refused, nothing was imported" in block or "Nothing new." in block:
                mailed.add(str(row["id"]))
                if ("Refused" in block) != (row["state"] == "refused"):
                    wrong.append(f"{row['file_name']} is {row['state']}, a mail says {block}")
    silent = [row["file_name"] for row in imports if str(row["id"]) not in mailed]
    return wrong + ([f"no mail says what became of {silent}"] if silent else [])
