"""What of an import's failed rows a person can correct on its page, and by which choices."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from client_imports_page import connections
from client_imports_page.permissions import Person
from include.adapters.database import clients, uploads
from include.codes import Code
from include.models import Cause, State
from include.schemas.client_rows import FIELDS
from include.schemas.client_tables import Import

# No two clients have the same, and a row can be without: the importer finds the ID by e-mail, and makes a username.
EMPTIED = ("id", "username")


@dataclass(frozen=True)
class Choice:
    """A value that a cell can have, by the name that people know. `group`: the project of a desk."""

    value: str
    label: str
    group: str = ""


def can_be_corrected(entry: Import) -> bool:
    """Say whether an import has failed rows whose cells and columns are known."""
    return entry.state == State.MERGED and entry.failed > 0 and entry.forgotten_at is None and bool(entry.fields)


def may_correct(entry: Import, person: Person) -> bool:
    return can_be_corrected(entry) and not entry.reverts_import_id and person.may_import(entry.feed)


def corrections_of(entry: Import, children: Sequence[Import]) -> int:
    """Count the corrections of an import that were sent, also those that no run has claimed yet."""
    waiting = uploads.corrections_of(connections.engine(), entry.feed, entry.id)
    return len(waiting) + sum(child.parent_import_id == entry.id for child in children)


def choices() -> Mapping[str, Sequence[Choice]]:
    """Give the values of each field that has a list of them: projects and desks by name."""
    projects, desks = clients.read_reference_data(connections.engine())
    names = {project.id: project.name for project in projects}
    return {
        "project": _sorted(Choice(project.id, project.name) for project in projects),
        "desk": _sorted(Choice(desk.id, desk.name, names[desk.project_id]) for desk in desks),
        "active": [Choice("true", "Yes"), Choice("false", "No")],
        "type": [Choice(word, word.capitalize()) for word in FIELDS["type"].allowed],
    }


def _sorted(found: Iterable[Choice]) -> list[Choice]:
    return sorted(found, key=lambda choice: (choice.group.casefold(), choice.label.casefold()))


def can_be_replaced(cause: Cause, entry: Import) -> bool:
    """Say whether one text can correct all rows of a cause: their cells say the same, in a column of the file.

    An ID or a username can be emptied. One e-mail in all rows would make one client of them.
    """
    says_the_same = cause.rows > 1 and (bool(cause.value) or cause.code == Code.CELL_REQUIRED)
    is_possible = bool(cause.value) if cause.field in EMPTIED else cause.field != "email"
    return cause.severity == "error" and cause.field in entry.fields and is_possible and says_the_same
