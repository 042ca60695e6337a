"""Who may see and do what. Airflow decides: who may see the runs of a feed's DAG may see its imports."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlsplit

from airflow.api_fastapi.app import get_auth_manager
from airflow.api_fastapi.auth.managers.models.resource_details import DagAccessEntity, DagDetails
from airflow.api_fastapi.core_api.security import GetUserDep
from airflow.configuration import conf
from airflow.models.dag import DagModel
from fastapi import Depends, HTTPException, Request

from client_imports_page import connections
from include.adapters.database import ledger, page_imports
from include.errors import ImportNotFound
from include.models import Import


@dataclass(frozen=True)
class Person:
    """`name` is the user name; `feeds` are those whose imports the person may see."""

    name: str
    user: object
    feeds: frozenset[str]

    def may_import(self, feed: str) -> bool:
        return feed in self.feeds and _may(self.user, "POST", [connections.dag_of(feed)]) != set()

    def may_undo(self, feed: str) -> bool:
        return self.may_import(feed) and _may(self.user, "POST", ["revert_import"]) != set()


def _may(user: object, method: str, dag_ids: list[str]) -> set[str]:
    """The DAGs whose runs the user may see (`GET`) or start (`POST`)."""
    teams = DagModel.get_dag_id_to_team_name_mapping(dag_ids) if conf.getboolean("core", "multi_team") else {}
    manager = get_auth_manager()
    return {
        dag_id
        for dag_id in dag_ids
        if manager.is_authorized_dag(
            method=method,  # type: ignore[arg-type]
            access_entity=DagAccessEntity.RUN,
            details=DagDetails(id=dag_id, team_name=teams.get(dag_id)),
            user=user,  # type: ignore[arg-type]
        )
    }


def person(user: GetUserDep) -> Person:
    """Whoever is logged in. Raises 401 and 403 as Airflow does."""
    known = {*connections.feeds(), *page_imports.feeds(connections.engine())}
    dags = _may(user, "GET", [connections.dag_of(feed) for feed in sorted(known)])
    return Person(user.get_name(), user, frozenset(feed for feed in known if connections.dag_of(feed) in dags))


PersonDep = Annotated[Person, Depends(person)]


def same_origin(request: Request) -> None:
    """Refuse what another site, or another port of this host, makes a browser send: cookies come along with it."""
    if request.method in ("GET", "HEAD", "OPTIONS"):
        return
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin", "")
    # Behind a proxy the host may be another than the browser's own; what the browser says about the site is not.
    same = site in ("same-origin", "none") if site else urlsplit(origin).netloc == request.headers.get("host")
    if (site or origin) and not same:
        raise HTTPException(403, "This request comes from another site and is refused.")


def visible_import(import_id: str, person: Person) -> Import:
    """Raises ImportNotFound, also for an import of a feed that the person may not see."""
    entry = ledger.find(connections.engine(), import_id)
    if entry.feed not in person.feeds:
        raise ImportNotFound(import_id)
    return entry
