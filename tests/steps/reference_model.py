"""The merge rules of SPEC.md sections 6, 7 and 13 once more: slow, obvious, row by row, written only for tests.

Clients are dicts with id, email, username, first_name, last_name. E-mails here are already in normal form.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Row:
    number: int
    id: str
    email: str
    username: str
    first_name: str
    last_name: str
    codes: set[str] = field(default_factory=set)
    outcome: str = ""
    client: str = ""


def run(clients: dict[str, dict], rows: list[Row], *, mode: str, unknown_id: str, duplicates: str) -> dict[str, dict]:
    """The client table after the file, by client id; outcomes and codes are noted in `rows`.

    A new client without an id gets the id `new-ROW`, and without a username the username None (any will do).
    """
    by_email = {client["email"]: id for id, client in clients.items()}

    for row in rows:  # which client each row means, by the table as it was
        means = row.id or by_email.get(row.email, "")
        row.client = means
        known = means in clients
        if row.id and not known and unknown_id == "reject":
            row.codes.add("ID_UNKNOWN")
        if mode == "create_only" and known:
            row.codes.add("CLIENT_EXISTS")
        if mode == "update_only" and not known and not (row.id and unknown_id == "reject"):
            row.codes.add("CLIENT_NOT_FOUND")
    good = [row for row in rows if not row.codes]

    groups: dict[str, list[Row]] = {}
    for row in good:  # rows of the same client
        named = {other.client for other in good if other.client and other.email == row.email}
        key = named.pop() if not row.client and len(named) == 1 else row.client or f"email {row.email}"
        groups.setdefault(key, []).append(row)
    winners = []
    for key, group in groups.items():
        if len(group) > 1 and duplicates == "reject":
            for row in group:
                row.codes.add("DUPLICATE_IN_FILE")
            continue
        winner = group[0] if duplicates == "keep_first" else group[-1]
        for row in group:
            if row is not winner:
                row.outcome = "duplicate"
        winner.client = f"new-{winner.number}" if key.startswith("email ") else key
        winners.append(winner)

    for row in winners:  # claimed twice
        if sum(other.email == row.email for other in winners) > 1:
            row.codes.add("EMAIL_REPEATED")
        if row.username and sum(other.username == row.username for other in winners) > 1:
            row.codes.add("USERNAME_TAKEN")
    standing = [row for row in winners if not row.codes]

    def holder_of(name: str, value: str) -> str | None:
        return next((id for id, client in clients.items() if client[name] == value), None)

    for row in standing:
        holder = holder_of("username", row.username)
        if row.username and holder not in (None, row.client):
            row.codes.add("USERNAME_TAKEN")
    changed = True
    while changed:  # a row that fails frees nothing
        changed = False
        for row in standing:
            holder = holder_of("email", row.email)
            if holder in (None, row.client) or "ID_EMAIL_CONFLICT" in row.codes:
                continue
            if not any(other.client == holder and not other.codes for other in standing):
                row.codes.add("ID_EMAIL_CONFLICT")
                changed = True

    after = {id: dict(client) for id, client in clients.items()}
    for row in standing:
        if row.codes:
            continue
        if row.client not in clients:
            row.outcome = "created"
            after[row.client] = {
                "email": row.email, "username": row.username or None,
                "first_name": row.first_name, "last_name": "" if row.last_name == "#N/A" else row.last_name,
            }  # fmt: skip
            continue
        new = {"email": row.email, "first_name": row.first_name}
        if row.username:
            new["username"] = row.username
        if row.last_name:
            new["last_name"] = "" if row.last_name == "#N/A" else row.last_name
        row.outcome = "updated" if any(after[row.client][name] != value for name, value in new.items()) else "unchanged"
        after[row.client].update(new)
    for row in rows:
        if row.codes:
            row.outcome = "failed"
    return after
