"""Say in plain words what a feed file's keys may hold, where pydantic found something else (SPEC.md section 9).

What is allowed is read from the model's JSON schema, so that a new key needs no sentence of its own.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from include.schemas.feed_file import as_path

_LONGEST = 60  # characters of a value that a sentence repeats
NAME_RULE = "small letters, digits and `_`, a letter first, at most 40 characters"


class Wrong(ValueError):
    """What is wrong with values below one key: the way to each from there, and what it must be."""

    def __init__(self, sentences: Mapping[tuple[str, ...], str]) -> None:
        super().__init__("; ".join(sentences.values()))
        self.sentences = sentences


def sentences_about(error: ValidationError, model: type[BaseModel]) -> list[str]:
    """Give one sentence for each wrong key: its path, its value where it is short, and what is allowed."""
    schema = model.model_json_schema()
    sentences = (sentence for problem in error.errors() for sentence in _sentences(problem, schema))
    return list(dict.fromkeys(sentences))


def _sentences(problem: Any, schema: dict[str, Any]) -> Iterable[str]:
    path, allowed = _place(problem["loc"], schema)
    cause = problem.get("ctx", {}).get("error")
    if isinstance(cause, Wrong):
        for inner, must in cause.sentences.items():
            yield _sentence((*path, *inner), _value_at(problem["input"], inner), must)
    elif problem["type"] == "extra_forbidden":
        yield _unknown_key(path, _place(problem["loc"][:-1], schema)[1])
    elif problem["type"] == "missing":
        yield f"`{as_path(path)}` is missing: every feed needs it."
    elif cause is not None:
        yield _sentence(path, problem["input"], str(cause))
    elif path == ("name",):
        yield f"is not named as a feed can be: {NAME_RULE}."
    else:
        to_quote = problem["type"] == "string_type" and isinstance(problem["input"], bool | int | float)
        must = f"must be {in_words(allowed, schema)}"
        yield _sentence(path, problem["input"], f"{must}: put it in quotes" if to_quote else must)


def _sentence(path: tuple[object, ...], value: Any, must: str) -> str:
    return f"`{as_path(path)}`{_shown(value)}: {must}."


def _shown(value: Any) -> str:
    """Repeat a short value; never a part of the document, nor what may hold a password."""
    if value is None:
        return " is empty"
    if isinstance(value, bool):
        return f" is {str(value).lower()}"
    if isinstance(value, str) and not re.search(r"://.*@|^https?:", value):
        return f" is {value[:_LONGEST] + '…'!r}" if len(value) > _LONGEST else f" is {value!r}"
    return f" is {value}" if isinstance(value, int | float) else ""


def _value_at(value: Any, path: tuple[str, ...]) -> Any:
    for key in path:
        value = value.get(key, value) if isinstance(value, dict) else value
    return value


def _unknown_key(path: tuple[object, ...], owner: dict[str, Any]) -> str:
    known = sorted(set(owner.get("properties", {})) - {"name"})
    near = difflib.get_close_matches(str(path[-1]), known, n=1)
    meant = f" Did you mean `{near[0]}`?" if near else ""
    return f"`{as_path(path)}` is not a known key; known keys are {', '.join(known)}.{meant}"


def _place(loc: tuple[int | str, ...], schema: dict[str, Any]) -> tuple[tuple[object, ...], dict[str, Any]]:
    """Give the keys of the file that lead to a value, and what its schema allows there.

    Pydantic adds marks of its own to the keys, of the kind it tried.
    """
    path: list[object] = []
    here = schema
    for key in loc:
        if key == "[key]":
            break
        inner = _below(here, key, schema)
        if inner is None and path and "properties" not in here:
            break
        path.append(key)
        here = inner or {}
    return tuple(path), here


def _below(here: dict[str, Any], key: int | str, schema: dict[str, Any]) -> dict[str, Any] | None:
    if isinstance(key, int):
        found = here.get("items")
    else:
        found = here.get("properties", {}).get(key) or here.get("additionalProperties") or None
    return _resolved(found, schema) if isinstance(found, dict) else None


def _resolved(here: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    return schema["$defs"][here["$ref"].rpartition("/")[2]] if "$ref" in here else here


def in_words(allowed: dict[str, Any], schema: dict[str, Any]) -> str:
    """Say what a part of the schema allows, for example `a whole number from 0 to 1000`."""
    if "anyOf" in allowed:
        choices = [_resolved(one, schema) for one in allowed["anyOf"] if one.get("type") != "null"]
        return ", or ".join(in_words(one, schema) for one in choices)
    if words := allowed.get("enum", [allowed["const"]] if "const" in allowed else []):
        return f"one of {', '.join(word if word.isidentifier() else json.dumps(word) for word in words)}"
    match allowed.get("type"):
        case "boolean":
            return "true or false"
        case "integer":
            return f"a whole number{_range(allowed, 1)}"
        case "number":
            return f"a number{_range(allowed, 0)}"
        case "array":
            return "a list, for example [first, second]"
        case "object":
            keys = ", ".join(allowed.get("properties", ()))
            return f"keys and values{': ' + keys if keys else ', for example {key: value}'}"
    return "text"


def _range(allowed: dict[str, Any], step: int) -> str:
    """Write the limits; `step` lies between a whole number and the next."""
    low, high = allowed.get("minimum"), allowed.get("maximum")
    if step:
        low = low if low is not None else allowed.get("exclusiveMinimum", -step) + step
        high = high if high is not None or "exclusiveMaximum" not in allowed else allowed["exclusiveMaximum"] - step
    elif "exclusiveMinimum" in allowed:
        return f" above {allowed['exclusiveMinimum']} and at most {high}"
    if low is not None and high is not None:
        return f" from {low} to {high}"
    return f" of at least {low}" if low is not None else ""
