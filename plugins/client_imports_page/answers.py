"""What the API promises in its answers; docs/openapi.json is made from it. Programs may find more than is promised."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, Field

from include.models import Counts, Problem, State


class Result(BaseModel):
    """What became of a file, as the command line prints it with `--json`."""

    file: str = Field(description="Its name.")
    import_id: str | None
    state: State
    code: str | None = Field(description="Why it was refused, or what else there is to say: docs/codes.md.")
    message: str | None = Field(description="The same in a sentence.")
    line: int | None = Field(description="The line of the file that the message is about.")
    read: int = Field(description="Records of the file. Each is created, updated, unchanged, duplicate or failed.")
    created: int
    updated: int
    unchanged: int
    duplicate: int
    failed: int
    warnings: int = Field(description="Problems that are warnings.")
    deactivated: int = Field(description="Clients that became inactive, because the file, a whole list, lacks them.")
    report: str | None = Field(description="Where the storage has the failed rows.")
    planned: str | None = Field(description="Where the storage has the planned changes of a dry run.")
    problems: list[Problem] = Field(description="Every reason of every row. `row` is 0 for the file as a whole.")


class UploadStatus(BaseModel):
    """How far an upload is."""

    upload_id: str
    feed: str
    file_name: str
    dry_run: bool
    step: str = Field(description="A word for people.")
    sentence: str = Field(description="The same in a sentence.")
    tone: str = Field(description="How it is coloured on the page.")
    done: bool = Field(description="Ask again until this is true.")
    can_be_cancelled: bool
    failed: str = Field(description="A sentence about failed rows, once it is done.")
    import_id: str | None = Field(description="Known once a run has claimed the file.")
    state: State | None
    import_url: str | None = Field(description="The page of the import.")
    run_url: str = Field(description="The run in Airflow.")
    result: Result | None = Field(default=None, description="Only once it is done.")


class Plan(BaseModel, extra="allow"):
    """What the import of the file would do."""

    counts: Counts
    causes: list[dict[str, Any]] = Field(description="Failed rows by `code`, `field` and `value`, with their number.")


class Refusal(BaseModel, extra="allow"):
    """Why the file would be refused as a whole."""

    code: str
    message: str
    line: int | None


class Preview(BaseModel, extra="allow"):
    """What a check says of a file."""

    sentence: str = Field(description="All of it in a sentence.")
    plan: Plan | None = Field(description="null for a file that would be refused.")
    refusal: Refusal | None
    columns: list[Any] = Field(description="The columns of the file, with their fields.")
    rows: list[Any] = Field(description="The first rows.")
    mapping: dict[str, Any] = Field(description="What the file's columns and words were taken for.")


class Draft(BaseModel):
    """A feed file for a partner's sample."""

    name: str
    yaml: str
    doubts: int = Field(description="Lines with a remark, for a person to look at.")
    sentence: str


class Why(BaseModel):
    """Why a request was not done."""

    detail: str = Field(description="A sentence that says what to do.")
    code: str | None = Field(default=None, description="Of a file that cannot be read at all: docs/codes.md.")


def not_done(**why: str) -> dict[int | str, dict[str, Any]]:
    """Describe the statuses of a request that is not done: `s404="…"`."""
    of_all = {"s401": "There is no login, or it has ended.", "s503": "A server does not answer. Try again later."}
    statuses = {**of_all, **why}
    return {int(status[1:]): {"model": Why, "description": statuses[status]} for status in sorted(statuses)}


OF_A_BODY = {
    "s400": "The body is empty, or was broken off.",
    "s403": "You may see the feed, but not import to it; or the request comes from another site.",
    "s404": "There is no such feed, or you may not see it.",
    "s408": "The body did not come in time.",
    "s413": "More bytes than the feed's `max_bytes`.",
    "s415": "The content type is not `text/csv`.",
    "s422": "The file name, a header or the mapping is not usable.",
}
BODY: dict[str, Any] = {
    "requestBody": {
        "required": True, "description": "The bytes of the file.",
        "content": {"text/csv": {"schema": {"type": "string", "format": "binary"}}},
    }
}  # fmt: skip
