"""An auth manager in which each person has the rights to single DAGs that are written here."""

from __future__ import annotations

from airflow.api_fastapi.auth.managers.models.resource_details import DagAccessEntity
from airflow.api_fastapi.auth.managers.simple.simple_auth_manager import SimpleAuthManager
from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser

ACME, DEFAULT, REVERT = "import_clients__acme", "import_clients__default", "revert_import"
REVIEW = "review_held_import"
# Person: (DAGs whose runs they may see, DAGs they may start).
PEOPLE = {
    "admin": ({ACME, DEFAULT, REVERT, REVIEW}, {ACME, DEFAULT, REVERT, REVIEW}),
    "olga": ({DEFAULT}, {DEFAULT}),  # imports to the default feed, knows of no other
    "vera": ({ACME, DEFAULT}, set()),  # sees everything, starts nothing
    "dora": ({DEFAULT}, set()),  # sees the imports of the default feed, starts nothing
    "nobody": (set(), set()),
    "auditor": (set(), set()),  # may read the audit log of all DAGs
}


class PerDag(SimpleAuthManager):
    def is_authorized_dag(self, *, method, user, access_entity=None, details=None):
        see, start = PEOPLE[user.get_name()]
        if user.get_name() == "auditor":
            return access_entity in (None, DagAccessEntity.AUDIT_LOG)
        return details is not None and details.id in (see if method == "GET" else start)


def token_of(name: str) -> str:
    from airflow.api_fastapi.app import get_auth_manager

    return get_auth_manager().generate_jwt(SimpleAuthManagerUser(username=name, role="viewer"))
