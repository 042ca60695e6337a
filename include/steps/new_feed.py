"""Write the file of a new feed from a partner's first sample, and say what is left to do."""

from __future__ import annotations

import re
from pathlib import Path

from include.codes import Code, message_for, show
from include.errors import FeedInvalid, FileRefused
from include.schemas.feed import Feed
from include.schemas.feed_folder import feed_files, load_feed
from include.schemas.feed_sentences import NAME_RULE
from include.schemas.feed_types import FEED_NAME
from include.transforms.csv_reading.screening import check_name
from include.transforms.csv_reading.unpacking import compression_of, unpack
from include.transforms.drafting.draft import Draft, draft_feed, feed_name
from include.transforms.matching.references import ReferenceData


def new_feed(sample: Path, folder: Path, name: str, data: ReferenceData | None) -> tuple[Feed, int]:
    """Write `NAME.yaml` into the folder; gives the feed, and how many of its lines have a remark for a person.

    `data`: the CRM's projects and desks, None when they are not known. Raises FileRefused for a sample that cannot be
    read, and FeedInvalid for a name that no feed may have, or that a feed has already.
    """
    name = name or feed_name(sample.name)
    if not re.fullmatch(FEED_NAME, name):
        raise FeedInvalid(folder, [f"{show(name)} is no name of a feed: {NAME_RULE}."])
    path = folder / f"{name}.yaml"
    if name in [known.stem for known in feed_files(folder)]:
        raise FeedInvalid(path, ["is there already. Choose another name (`--name`), or delete the file."])
    draft = draft_of(sample.name, sample.read_bytes(), name, data)
    with path.open("x", encoding="utf-8") as file:
        file.write(draft.text)
    try:
        return load_feed(path), draft.doubts
    except FeedInvalid:
        path.unlink()
        raise


def draft_of(file_name: str, content: bytes, name: str, data: ReferenceData | None) -> Draft:
    """Write the text of a feed's file. Raises FileRefused for a sample that cannot be read, or that no feed takes."""
    compression = compression_of(file_name)
    check_name(file_name, compression)
    if file_name.startswith("."):
        bare = file_name.lstrip(".")
        example = bare if "." in bare else "clients.csv"
        detail = f"Files whose names start with a dot are left alone. Rename it, for example to {show(example)}."
        raise FileRefused(Code.FILE_NAME, message_for(Code.FILE_NAME, detail=detail))
    if compression:
        content = unpack(content, compression, Feed.model_fields["max_bytes"].default)
    return draft_feed(file_name, name.replace("_", " ").capitalize(), content, data, compression)
