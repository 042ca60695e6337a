"""After the trouble: does the world look as if nothing had happened?"""

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


def inspect(town: FaultEnvironment, world: Simulation) -> None:
    """Raises Violation with everything that is wrong."""
    ledger = town.query("SELECT * FROM imports ORDER BY arrival")
    names = [line["file_name"] for line in ledger]
    wrong: list[str] = []
    if names != [file.name for file in world.dropped]:
        raise Violation(f"files were dropped as {[f.name for f in world.dropped]}, the ledger has {names}")
    verdicts, clients = world.expected(names)
    for line, verdict in zip(ledger, verdicts, strict=True):
        wrong += [f"{line['file_name']}: {sentence}" for sentence in _line(town, line, verdict)]
    merged = [line["state_times"]["merged"] for line in ledger if line["state"] == "merged"]
    if merged != sorted(merged):
        wrong.append(f"files were not merged in order of arrival: {merged}")
    wrong += _clients(town, clients) + _files(town, world, ledger) + _mails(town, ledger)
    if wrong:
        raise Violation("\n".join(wrong))


def _line(town: FaultEnvironment, line: dict[str, Any], verdict: Verdict) -> list[str]:
    wrong = []
    if (line["state"], line["code"]) != (verdict.state, verdict.code):
        wrong.append(f"is {line['state']} {line['code']}, not {verdict.state} {verdict.code} ({line['message']})")
    if not line["filed"] or line["inbox_name"] is not None:
        wrong.append(f"is left on its way: filed {line['filed']}, inbox_name {line['inbox_name']}")
    rows = town.query("SELECT row, outcome FROM import_rows WHERE import_id = %s", line["id"])
    if (found := {row["row"]: row["outcome"] for row in rows}) != verdict.outcomes:
        wrong.append(f"rows ended as {found}, not {verdict.outcomes}")
    counted = {name: sum(outcome == name for outcome in verdict.outcomes.values()) for name in OUTCOMES}
    if counted != {name: line[name] for name in OUTCOMES}:
        wrong.append(f"the ledger's counts are { ({name: line[name] for name in OUTCOMES}) }, not {counted}")
    if line["state"] == "merged" and line["read"] != sum(counted.values()):
        wrong.append(f"{line['read']} records read, {sum(counted.values())} outcomes")
    changes = town.query("SELECT 1 FROM client_changes WHERE import_id = %s", line["id"])
    if len(changes) != counted["created"] + counted["updated"]:
        wrong.append(f"{len(changes)} changes are noted, {counted} counted")
    return wrong


def _clients(town: FaultEnvironment, expected: dict[str, dict]) -> list[str]:
    found = town.query("SELECT id, email, username, first_name, last_name FROM clients")
    open_usernames = {client["email"] for client in expected.values() if client["username"] is None}
    is_ = sorted(_comparable(client.pop("id"), client, open_usernames) for client in found)
    should = sorted(_comparable(id, client, open_usernames) for id, client in expected.items())
    return [] if is_ == should else [f"clients are {is_}, not {should}"]


def _comparable(id: str, client: dict, open_usernames: set[str]) -> tuple[str, ...]:
    username = "any" if client["email"] in open_usernames else client["username"]
    return (id if id in IDS else "new", client["email"], username, client["first_name"], client["last_name"])


def _files(town: FaultEnvironment, world: Simulation, ledger: list[dict[str, Any]]) -> list[str]:
    wrong = []
    everything = sorted(path for path in town.storage.rglob("*"))
    inside = {place: [p for p in everything if place in p.relative_to(town.storage).parts] for place in
              ("inbox", "staging", "archive", "refused", "reports")}  # fmt: skip
    left = [str(p) for p in (*inside["inbox"], *inside["staging"]) if p.is_file() or p.parent.name == "staging"]
    if left:
        wrong.append(f"left behind: {left}")
    kept = [path for place in ("archive", "refused") for path in inside[place] if path.is_file()]
    if sorted(path.read_bytes() for path in kept) != sorted(file.content() for file in world.dropped):
        wrong.append(f"{len(world.dropped)} files were dropped, kept are {[str(p) for p in kept]}")
    places = {"merged": "archive", "refused": "refused"}
    for line in ledger:
        path = Path(line["file_path"] or "nowhere")
        if path.parts[0] != places.get(line["state"]) or not (town.storage / path).is_file():
            wrong.append(f"{line['file_name']} is {line['state']}, its file in {path}")
    reports = sorted(str(p.relative_to(town.storage)) for p in inside["reports"] if p.is_file())
    if reports != sorted(line["report_path"] for line in ledger if line["failed"]):
        wrong.append(f"reports are {reports}, the ledger says {[line['report_path'] for line in ledger]}")
    return wrong


def _mails(town: FaultEnvironment, ledger: list[dict[str, Any]]) -> list[str]:
    wrong, told = [], set()
    by_id = {str(line["id"]): line for line in ledger}
    for path in town.mails.glob("*.eml"):
        mail = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
        text = mail.get_body(("plain",)).get_content()  # type: ignore[union-attr]
        for block in re.split(r"\n(?=“)", text)[1:]:
            line = by_id[re.search(r"Import ([0-9a-f-]+)", block)[1]]  # type: ignore[index]
            counts = re.search(r"^ *(read \d+.*)$", block, re.M)
            if counts:
                said = dict(re.findall(r"(\w+) (\d+)", counts[1]))
                if line["state"] != "merged" or any(int(said[name]) != line[name] for name in ("read", *OUTCOMES)):
                    wrong.append(f"{line['file_name']} is {line['state']}, a mail says {counts[1]}")
            if counts or "Refused, nothing was imported" in block:
                told.add(str(line["id"]))
                if ("Refused" in block) != (line["state"] == "refused"):
                    wrong.append(f"{line['file_name']} is {line['state']}, a mail says {block}")
    silent = [line["file_name"] for line in ledger if str(line["id"]) not in told]
    return wrong + ([f"no mail says what became of {silent}"] if silent else [])
