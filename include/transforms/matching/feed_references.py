"""The IDs in a feed's file must be those of projects and desks that the CRM has (SPEC.md section 13)."""

from __future__ import annotations

from collections.abc import Iterator

from include.codes import show
from include.schemas.feed import Feed
from include.schemas.feed_file import as_path
from include.schemas.feed_words import DEFAULT, REFERENCES
from include.transforms.matching.references import ReferenceData


def has_ids(feed: Feed) -> bool:
    """Return True when the feed names a project or desk by its ID."""
    return any(True for _ in _ids(feed))


def wrong_ids(feed: Feed, data: ReferenceData) -> list[str]:
    """Give a sentence for each ID that leads nowhere, and for a default desk outside the default project."""
    known = {"project": data.projects, "desk": data.desks}
    missing = [
        f"`{as_path(path)}` is {id!r}: the CRM has no {path[1]} with this ID."
        for path, id in _ids(feed)
        if id.lower() not in known[path[1]]
    ]
    return missing or _desk_elsewhere(feed, data)


def _ids(feed: Feed) -> Iterator[tuple[tuple[str, ...], str]]:
    for field in REFERENCES:
        named: dict[tuple[str, ...], str] = {("defaults", field): str(feed.defaults.get(field, DEFAULT))}
        named |= {("values", field, word): meant for word, meant in feed.values.get(field, {}).items()}
        yield from ((path, id) for path, id in named.items() if id and id.lower() != DEFAULT)


def _desk_elsewhere(feed: Feed, data: ReferenceData) -> list[str]:
    desk = data.desks.get(str(feed.defaults.get("desk", DEFAULT)).lower())
    said = str(feed.defaults.get("project", DEFAULT)).lower()
    project = data.default_project if said == DEFAULT else said
    if desk is None or project is None or desk.project_id == project:
        return []
    owner, default = (f"{show(data.projects[id])} (ID {id})" for id in (desk.project_id, project))
    return [
        f"`defaults.desk` is {desk.id!r}: the desk {show(desk.name)} belongs to the project {owner}, and the default "
        f"project is {default}. Name a desk of that project, or another project as `defaults.project`."
    ]
