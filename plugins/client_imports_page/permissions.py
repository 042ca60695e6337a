"""Permissions on the page. Airflow decides: a person who may see the runs of a feed's DAG may see its imports."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from airflow.api_fastapi.app import get_auth_manager
from airflow.api_fastapi.auth.managers.models.base_user import BaseUser
from airflow.api_fastapi.auth.managers.models.resource_details import DagAccessEntity, DagDetails
from airflow.api_fastapi.core_api.security import GetUserDep
from airflow.configuration import conf
from airflow.models.dag import DagModel
from fastapi import Depends, HTTPException, Request

from client_imports_page import connections, feeds
from include.adapters.database import ledger, page_imports
from include.airflow_support import audit
from include.airflow_support.runs import REVERT_DAG, dag_id_of
from include.errors import ImportNotFound
from include.schemas.client_tables import Import
from include.schemas.email_addresses import email_key
from include.steps.review import REVIEW_DAG


@dataclass(frozen=True)
class Person:
    """The person who is logged in. `name` is the user name; `feeds` are those whose imports the person may see."""

    name: str
    user: BaseUser
    feeds: frozenset[str]

    @property
    def email(self) -> str | None:
        """The address of the person's account; None where the auth manager knows none that mail can go to."""
        address = getattr(self.user, "email", None)
        return address if address and email_key(address) and address.isascii() else None

    def may_import(self, feed: str) -> bool:
        return feed in self.feeds and _may(self.user, "POST", [dag_id_of(feed)]) != set()

    @cached_property
    def may_see_clients(self) -> bool:
        """Whether the person may import to some feed: such a person can change any client, and look at it before."""
        return _may(self.user, "POST", [dag_id_of(feed) for feed in sorted(self.feeds)]) != set()

    def may_undo(self, feed: str) -> bool:
        return self.may_import(feed) and _may(self.user, "POST", [REVERT_DAG]) != set()

    def may_decide(self, assigned: Collection[str]) -> bool:
        """Say whether the person may answer about a held import, as Airflow decides it; `assigned`: the reviewers."""
        may_answer = _may(self.user, "PUT", [REVIEW_DAG], DagAccessEntity.HITL_DETAIL) != set()
        if not assigned:
            return may_answer
        return may_answer and get_auth_manager().is_authorized_hitl_task(assigned_users=set(assigned), user=self.user)

    def note(self, event: str, entry: Import | None = None, **what: Any) -> None:
        """Note in Airflow's audit log what the person saw or was refused: ids alone, never what was searched for."""
        if entry is None:
            return audit.note(event, self.name, **what)
        dag_id = entry.dag_id or dag_id_of(entry.feed)
        return audit.note(event, self.name, dag_id=dag_id, run_id=entry.run_id, import_id=entry.id, **what)


def _may(
    user: BaseUser, method: Literal["GET", "POST", "PUT"], dag_ids: list[str],
    of_dag: DagAccessEntity = DagAccessEntity.RUN,
) -> set[str]:  # fmt: skip
    """Give the DAGs whose runs the user may see (`GET`) or start (`POST`); or something else of them."""
    teams = DagModel.get_dag_id_to_team_name_mapping(dag_ids) if conf.getboolean("core", "multi_team") else {}
    manager = get_auth_manager()
    return {
        dag_id
        for dag_id in dag_ids
        if manager.is_authorized_dag(
            method=method,
            access_entity=of_dag,
            details=DagDetails(id=dag_id, team_name=teams.get(dag_id)),
            user=user,
        )
    }


def person(user: GetUserDep) -> Person:
    """Give the person who is logged in. Raises 401 and 403 as Airflow does."""
    known = {*feeds.known(), *page_imports.feeds(connections.engine())}
    dags = _may(user, "GET", [dag_id_of(feed) for feed in sorted(known)])
    return Person(user.get_name(), user, frozenset(feed for feed in known if dag_id_of(feed) in dags))


PersonDep = Annotated[Person, Depends(person)]


def same_origin(request: Request) -> None:
    """Refuse a request that another site, or another port of this host, makes a browser send with its cookies."""
    if request.method in ("GET", "HEAD", "OPTIONS"):
        return
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin", "")
    # Behind a proxy `Host` may differ from what the browser asked for; the browser's own header does not.
    same = site in ("same-origin", "none") if site else urlsplit(origin).netloc == request.headers.get("host")
    if (site or origin) and not same:
        raise HTTPException(403, "This request comes from another site and is refused.")


def visible_import(import_id: str, person: Person) -> Import:
    """Find an import. Raises ImportNotFound, also for an import of a feed that the person may not see."""
    entry = ledger.find(connections.engine(), import_id)
    if entry.feed not in person.feeds:
        person.note("import_refused", entry)
        raise ImportNotFound(import_id)
    return entry
