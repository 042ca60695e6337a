"""Permissions on the page. Airflow decides: a person who may see the runs of a feed's DAG may see its imports."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal
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
from include.airflow_support.runs import REVERT_DAG, dag_id_of
from include.errors import ImportNotFound
from include.schemas.client_tables import Import


@dataclass(frozen=True)
class Person:
    """The person who is logged in. `name` is the user name; `feeds` are those whose imports the person may see."""

    name: str
    user: BaseUser
    feeds: frozenset[str]

    def may_import(self, feed: str) -> bool:
        return feed in self.feeds and _may(self.user, "POST", [dag_id_of(feed)]) != set()

    def may_undo(self, feed: str) -> bool:
        return self.may_import(feed) and _may(self.user, "POST", [REVERT_DAG]) != set()


def _may(user: BaseUser, method: Literal["GET", "POST"], dag_ids: list[str]) -> set[str]:
    """Give the DAGs whose runs the user may see (`GET`) or start (`POST`)."""
    teams = DagModel.get_dag_id_to_team_name_mapping(dag_ids) if conf.getboolean("core", "multi_team") else {}
    manager = get_auth_manager()
    return {
        dag_id
        for dag_id in dag_ids
        if manager.is_authorized_dag(
            method=method,
            access_entity=DagAccessEntity.RUN,
            details=DagDetails(id=dag_id, team_name=teams.get(dag_id)),
            user=user,
        )
    }


def person(user: GetUserDep) -> Person:
    """Give the person who is logged in. Raises 401 and 403 as Airflow does."""
    known = {*feeds.with_a_dag(), *page_imports.feeds(connections.engine())}
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
        raise ImportNotFound(import_id)
    return entry
