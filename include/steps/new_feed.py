"""Write the file of a new feed from a partner's first sample, and say what is left to do."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import sqlalchemy as sa

from include.errors import FeedInvalid
from include.schemas.feed import Feed
from include.schemas.feed_folder import feed_files, load_feed
from include.steps.check_feed import read_references
from include.transforms.drafting.draft import Draft, draft_feed, feed_name
from include.transforms.matching.references import ReferenceData


def new_feed(sample: Path, folder: Path, name: str, data: ReferenceData | None) -> tuple[Feed, int]:
    """Write `NAME.yaml` into the folder; gives the feed, and how many of its lines have a remark for a person.

    `data`: the CRM's projects and desks, None when they are not known. Raises FileRefused for a sample that cannot be
    read, and FeedInvalid for a name that no feed may have, or that a feed has already.
    """
    name, draft = draft_of(sample.name, sample.read_bytes(), name, data)
    if Path(name).name != name:
        raise FeedInvalid(folder, [f"{name!r} is no name of a feed: small letters, digits and `_`, a letter first."])
    path = folder / f"{name}.yaml"
    if name in [known.stem for known in feed_files(folder)]:
        raise FeedInvalid(path, ["is there already. Choose another name (`--name`), or delete the file."])
    with path.open("x", encoding="utf-8") as file:
        file.write(draft.text)
    try:
        return load_feed(path), draft.doubts
    except FeedInvalid:
        path.unlink()
        raise


def draft_of(file_name: str, content: bytes, name: str, data: ReferenceData | None) -> tuple[str, Draft]:
    """Give the name of the feed and the text of its file. Raises FileRefused for a sample that cannot be read."""
    name = name or feed_name(file_name)
    return name, draft_feed(file_name, name.replace("_", " ").capitalize(), content, data)


def references_of(engine: sa.Engine) -> ReferenceData | None:
    """Read the CRM's projects and desks; None when the database cannot be asked."""
    with suppress(sa.exc.SQLAlchemyError):
        return read_references(engine)
    return None
