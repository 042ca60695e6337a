"""The merge rules of SPEC.md sections 3, 5, 6, 7 and 13 once more: slow, obvious, row by row, written only for tests.

Clients are dicts with email, username, first_name, last_name, project, desk. E-mails here are already in normal form.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

COLUMNS = ("id", "email", "username", "first_name", "last_name", "project", "desk", "created")


@dataclass
class Crm:
    """`projects`: ID to whether it is the default; `desks`: ID to (project, whether it is that project's default)."""

    projects: dict[str, bool]
    desks: dict[str, tuple[str, bool]]

    @property
    def default_project(self) -> str | None:
        return next((id for id, is_default in self.projects.items() if is_default), None)

    def default_desk(self, project: str, wanted: str) -> str | None:
        """The feed's default desk if it belongs to the project, else the project's own."""
        if wanted in self.desks and self.desks[wanted][0] == project:
            return wanted
        return next((id for id, (owner, is_default) in self.desks.items() if owner == project and is_default), None)


@dataclass
class Rules:
    """What the feed says. `default` words and blank cells of new clients mean `default_project`, `default_desk`."""

    mode: str = "upsert"
    unknown_id: str = "create"
    duplicates: str = "keep_last"
    default_project: str = "default"
    default_desk: str = "default"
    write: dict[str, str] = field(default_factory=dict)

    def writes(self, name: str, client: dict | None) -> bool:
        """Whether a row may write this field of the client; None for a new one."""
        rule = self.write.get(name, "always")
        if rule == "never":
            return False
        return rule == "always" or client is None or (rule == "if_empty" and client[name] == "")


@dataclass
class Row:
    """`cells` by field, '' for blank or missing. `problems`: (code, field); `client` is who the row means."""

    number: int
    cells: dict[str, str]
    problems: set[tuple[str, str]] = field(default_factory=set)
    outcome: str = ""
    identified: bool = True
    client: str = ""
    project: str | None = None
    desk: str | None = None

    def cell(self, name: str) -> str:
        return self.cells.get(name, "")

    def sound(self, name: str) -> str:
        """The cell, '' when it is wrong by itself. A wrong project or desk is one that does not exist."""
        wrong = any(about == name and code.startswith("CELL_") for code, about in self.problems)
        return "" if wrong and name not in ("project", "desk") else self.cell(name)

    @property
    def failed(self) -> bool:
        return bool(self.problems)


def run(clients: dict[str, dict], rows: list[Row], rules: Rules, crm: Crm) -> dict[str, dict]:
    """The client table after the file, by client id; outcomes and problems are noted in `rows`.

    A new client without an id gets the id `new-ROW`, and without a username the username None (any will do).
    """
    rows = without_footer(rows)
    for row in rows:
        judge_cells(row, rules)
    sound = {row.number: {name: row.sound(name) for name in COLUMNS} for row in rows}
    identify(clients, rows, sound, rules)
    for row in rows:
        if row.identified:
            leave_out_unwritten(row, sound[row.number], clients, rules)
    for row in rows:
        if row.identified and row.client in clients:
            # Only a warning: `created` of an existing client never changes.
            row.problems -= {problem for problem in row.problems if problem[1] == "created"}
    # Where rows of one client are combined, each finds the client as the good rows before it have left it.
    now = {id: dict(client) for id, client in clients.items()}
    for row in rows:
        judge_mode(row, sound[row.number], row.client in clients, rules)
        client = same_client(row, sound)
        judge_references(row, sound[row.number], now.get(client) if row.identified else None, rules, crm)
        if rules.duplicates == "combine" and not row.failed:
            write(row, client, sound[row.number], now)
    groups = resolve_duplicates(rows, sound, rules)
    winners = [group[-1] for group in groups]
    claimed = sound | {group[-1].number: claims(group, sound) for group in groups}
    judge_claims(rows, winners, claimed)
    judge_taken(clients, rows, winners, claimed)
    after = {id: dict(client) for id, client in clients.items()}
    for group in groups:
        if not group[-1].failed:
            id = group[-1].client or f"new-{group[-1].number}"
            for row in group:
                write(row, id, sound[row.number], after, moves=rules.writes("project", clients.get(id)))
            group[-1].outcome = "updated" if after[id] != clients.get(id) else "unchanged"
            group[-1].outcome = group[-1].outcome if id in clients else "created"
    for row in rows:
        if row.failed:
            row.outcome = "failed"
    return after


def without_footer(rows: list[Row]) -> list[Row]:
    """Fail the rows at the end that have text in the first cell alone, unless it names a client; give the others."""
    last = len(rows)
    while last and len(rows[0].cells) > 2 and is_of_footer([*rows[last - 1].cells.values()]):
        last -= 1
    for row in rows[last:] if last else ():
        row.problems, row.outcome = {("ROW_RAGGED", "")}, "failed"
    return rows[:last] or rows


def is_of_footer(cells: list[str]) -> bool:
    is_key = "@" in cells[0] or re.fullmatch("[0-9a-fA-F]{24}", cells[0])
    return cells[0] != "" and not is_key and not any(cells[1:])


def judge_cells(row: Row, rules: Rules) -> None:
    judge_formats(row)
    if rules.mode == "update_only":
        # A blank cell keeps what the client has. Only who is meant must be said.
        row.problems.discard(("CELL_REQUIRED", "first_name"))
        row.problems -= {("CELL_REQUIRED", "email")} if row.cell("id") else set()
    for name in COLUMNS:
        said = {"#N/A": "CELL_SPREADSHEET_ERROR", "#CLEAR": "CELL_NOT_CLEARABLE"}.get(row.cell(name))
        if said and (row.cell(name), name) != ("#CLEAR", "last_name"):
            row.problems = {problem for problem in row.problems if problem[1] != name} | {(said, name)}


def judge_formats(row: Row) -> None:
    if row.cell("created") and not re.fullmatch("[0-9]{4}-[0-9]{2}-[0-9]{2}", row.cell("created")):
        row.problems.add(("CELL_FORMAT", "created"))
    if row.cell("id") and not re.fullmatch("[0-9a-fA-F]{24}", row.cell("id")):
        row.problems.add(("CELL_FORMAT", "id"))
    if not row.cell("first_name"):
        row.problems.add(("CELL_REQUIRED", "first_name"))
    if row.cell("first_name").startswith("="):
        row.problems.add(("CELL_EXECUTABLE", "first_name"))
    if not row.cell("email"):
        row.problems.add(("CELL_REQUIRED", "email"))
    elif "@" not in row.cell("email"):
        row.problems.add(("CELL_FORMAT", "email"))
    if row.cell("username") and len(row.cell("username")) < 3:
        row.problems.add(("CELL_TOO_SHORT", "username"))


def identify(clients: dict, rows: list[Row], sound: dict, rules: Rules) -> None:
    """Which client each row means, by the table as it was and by its ID and e-mail alone."""
    by_email = {client["email"]: id for id, client in clients.items()}
    for row in rows:
        id, email = sound[row.number]["id"], sound[row.number]["email"]
        row.identified = not any(about == "id" for _, about in row.problems) and bool(id or email)
        row.client = (id or by_email.get(email, "")) if row.identified else ""
    named: dict[str, set[str]] = {}
    for row in rows:
        id, email = sound[row.number]["id"], sound[row.number]["email"]
        if row.identified and id and email and (id in clients or rules.unknown_id == "create"):
            named.setdefault(email, set()).add(id)
    for row in rows:
        email = sound[row.number]["email"]
        if row.identified and not row.client and len(named.get(email, ())) == 1:
            (row.client,) = named[email]


def judge_references(row: Row, cells: dict[str, str], client: dict | None, rules: Rules, crm: Crm) -> None:
    is_new = row.identified and client is None
    project, wrong = None, False
    if not cells["project"] and cells["desk"] not in ("", "default"):
        # A desk names its project.
        project = crm.desks[cells["desk"]][0] if cells["desk"] in crm.desks else None
    elif cells["project"] or is_new:
        wanted = rules.default_project if cells["project"] in ("", "default") else cells["project"]
        wanted = crm.default_project if wanted == "default" else wanted
        if wanted in crm.projects:
            project = wanted
        else:
            wrong = True
            row.problems.add(("CELL_REFERENCE_NOT_FOUND", "project"))
    owner = project or (client["project"] if client and not wrong else None)
    moves = is_new or (project is not None and client is not None and project != client["project"])
    moves = moves or (project is not None and not row.identified)
    desk = None
    if cells["desk"] in ("", "default"):
        if owner and (cells["desk"] == "default" or moves):
            desk = crm.default_desk(owner, rules.default_desk)
            if desk is None:
                row.problems.add(("CELL_REFERENCE_NOT_FOUND", "desk"))
    elif cells["desk"] not in crm.desks or (owner and crm.desks[cells["desk"]][0] != owner):
        row.problems.add(("CELL_REFERENCE_NOT_FOUND", "desk"))
    else:
        desk = cells["desk"]
    row.project, row.desk = project, desk
    # Of a cell that holds a spreadsheet's error, or the word that clears, nothing else is said.
    alone = ("CELL_SPREADSHEET_ERROR", "CELL_NOT_CLEARABLE")
    row.problems -= {("CELL_REFERENCE_NOT_FOUND", about) for code, about in row.problems if code in alone}


def judge_mode(row: Row, cells: dict[str, str], known: bool, rules: Rules) -> None:
    if not row.identified:
        return
    if cells["id"] and not known and rules.unknown_id == "reject":
        row.problems.add(("ID_UNKNOWN", "id"))
    if rules.mode == "create_only" and known:
        row.problems.add(("CLIENT_EXISTS", "email"))
    if rules.mode == "update_only" and not known and not (cells["id"] and rules.unknown_id == "reject"):
        row.problems.add(("CLIENT_NOT_FOUND", "id" if cells["id"] else "email"))


def same_client(row: Row, sound: dict) -> str:
    return row.client or f"email {sound[row.number]['email']}"


def resolve_duplicates(rows: list[Row], sound: dict, rules: Rules) -> list[list[Row]]:
    """The rows that count for each client, in order; the last one stands for it, the others are duplicates."""
    groups: dict[str, list[Row]] = {}
    for row in rows:
        if not row.failed:
            groups.setdefault(same_client(row, sound), []).append(row)
    counting = []
    for group in groups.values():
        if len(group) > 1 and rules.duplicates == "reject":
            for row in group:
                row.problems.add(("DUPLICATE_IN_FILE", ""))
            continue
        winner = group[0] if rules.duplicates == "keep_first" else group[-1]
        for row in group:
            if row is not winner:
                row.outcome = "duplicate"
        counting.append(group if rules.duplicates == "combine" else [winner])
    return counting


def claims(group: list[Row], sound: dict) -> dict[str, str]:
    """The last e-mail and the last username that a client's rows name."""
    claimed = dict(sound[group[-1].number])
    for name in ("email", "username"):
        named = [sound[row.number][name] for row in group if sound[row.number][name]]
        claimed[name] = named[-1] if named else ""
    return claimed


def judge_claims(rows: list[Row], winners: list[Row], sound: dict) -> None:
    """What two clients of the file claim. A failed row hurts no good one, and is told what a good one claims."""
    told: list[tuple[Row, tuple[str, str]]] = []
    for row in rows:
        if row.outcome == "duplicate" or not row.identified:
            continue
        others = [w for w in winners if w is not row and same_client(w, sound) != same_client(row, sound)]
        for name, code in (("email", "EMAIL_REPEATED"), ("username", "USERNAME_TAKEN")):
            value = sound[row.number][name]
            if value and any(sound[other.number][name] == value for other in others):
                told.append((row, (code, name)))
    for row, problem in told:
        row.problems.add(problem)


def judge_taken(clients: dict, rows: list[Row], winners: list[Row], sound: dict) -> None:
    """What other clients have. A client of this file that gives its e-mail up frees it; a row that fails frees nothing."""

    def holder_of(name: str, value: str) -> str | None:
        return next((id for id, client in clients.items() if value and client[name] == value), None)

    judged = [row for row in rows if row.identified and row.outcome != "duplicate"]
    for row in judged:
        if holder_of("username", sound[row.number]["username"]) not in (None, row.client):
            row.problems.add(("USERNAME_TAKEN", "username"))
    changed = True
    while changed:
        changed = False
        for row in judged:
            holder = holder_of("email", sound[row.number]["email"])
            if holder in (None, row.client) or ("ID_EMAIL_CONFLICT", "email") in row.problems:
                continue
            givers = (w for w in winners if sound[w.number]["email"] not in ("", sound[row.number]["email"]))
            if not any(winner.client == holder and not winner.failed for winner in givers):
                row.problems.add(("ID_EMAIL_CONFLICT", "email"))
                changed = True


def leave_out_unwritten(row: Row, cells: dict[str, str], clients: dict, rules: Rules) -> None:
    """Blank what the feed does not write, once it is known who is meant. Project and desk are judged all the same."""
    client = clients.get(row.client)
    for name in ("first_name", "last_name", "username", "project", "desk"):
        if not rules.writes(name, client) and (client is None or name not in ("project", "desk")):
            cells[name] = ""
    if client and not rules.writes("email", client) and cells["email"] != client["email"]:
        cells["email"] = ""


def write(row: Row, id: str, cells: dict[str, str], after: dict[str, dict], moves: bool = True) -> None:
    last_name = "" if cells["last_name"] == "#CLEAR" else cells["last_name"]
    if id not in after:
        after[id] = {
            "email": cells["email"], "username": cells["username"] or None, "first_name": cells["first_name"],
            "last_name": last_name, "project": row.project, "desk": row.desk,
        }  # fmt: skip
        return
    new = {name: cells[name] for name in ("email", "first_name", "username") if cells[name]}
    new |= {"last_name": last_name} if cells["last_name"] else {}
    new |= {"project": row.project} if row.project and moves else {}
    new |= {"desk": row.desk} if row.desk and moves else {}
    after[id].update(new)
