"""Read the text of one feed file: YAML, with limits, each key once, and a sentence for every fault.

The YAML events are put together here, because PyYAML itself keeps the last of two equal keys, and unfolds aliases.
Cells are text, so what stands under `columns`, `values` and `defaults` is text too: `yes`, `1`, `2024-01-01`, `0012`.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterator
from pathlib import Path
from typing import Any

import yaml

from include.codes import printable, show
from include.errors import FeedInvalid

LARGEST = 256 * 1024  # bytes: a map of some thousand desks
_DEEPEST = 10  # levels of keys and lists; the settings of a feed have three
_TEXT = ("columns", "values", "defaults")
_NO_TEXT = ("tag:yaml.org,2002:bool", "tag:yaml.org,2002:int", "tag:yaml.org,2002:float", "tag:yaml.org,2002:null")
_NULL = "tag:yaml.org,2002:null"
_TO_QUOTE = "text that holds one of the signs * & ! | > % @ # : [ ] { } or ` must stand in double quotes"
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the one written in C takes a tenth of the time


class _Fault(Exception):
    """The text is not what a feed file may be; the only argument is the sentence."""


def read_keys(path: Path) -> dict[str, Any]:
    """Read keys and values. Raises FeedInvalid with one sentence for each fault; none quotes the document."""
    try:
        return _Keys(_text(path)).keys()
    except _Fault as fault:
        raise FeedInvalid(path, list(fault.args)) from None
    except OSError as error:
        kind = type(error).__name__
        sentence = "does not exist." if isinstance(error, FileNotFoundError) else f"cannot be read: {kind}."
        raise FeedInvalid(path, [sentence]) from None


def _text(path: Path) -> str:
    with path.open("rb") as file:
        content = file.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise _Fault(f"is too large: a feed file has at most {LARGEST // 1024} KiB.")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise _Fault("is not UTF-8 text: save it as UTF-8.") from None
    for number, line in enumerate(text.splitlines(), 1):
        if re.match(" *\t", line):
            raise _Fault(f"line {number} is indented with a tab: use spaces.")
    return text


class _Keys:
    """The keys of one text, and the faults found so far."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._events: Iterator[Any] = yaml.parse(text, Loader=_Loader)
        self._scalars = yaml.SafeLoader("")
        self._faults: list[str] = []

    def keys(self) -> dict[str, Any]:
        try:
            keys = self._document()
        except yaml.YAMLError as error:
            raise _Fault(self._why_not_yaml(error)) from None
        if self._faults:
            raise _Fault(*self._faults)
        return keys

    def _document(self) -> dict[str, Any]:
        next(self._events)
        if isinstance(next(self._events), yaml.StreamEndEvent):
            raise _Fault("is empty: a feed needs a `title` at least, for example `title: Acme`.")
        keys = self._value(next(self._events), ())
        next(self._events)
        if not isinstance(next(self._events), yaml.StreamEndEvent):
            raise _Fault("holds more than one document: remove the line `---` and what follows.")
        if keys is None:
            raise _Fault("is empty: a feed needs a `title` at least, for example `title: Acme`.")
        if not isinstance(keys, dict):
            raise _Fault("must hold keys and values, for example `title: Acme`.")
        return keys

    def _value(self, event: Any, path: tuple[str, ...]) -> Any:
        if isinstance(event, yaml.AliasEvent):
            raise _Fault(f"{_line(event)} refers to another value by `*`: write the value out, or put it in quotes.")
        if len(path) > _DEEPEST:
            raise _Fault(f"{_line(event)} is nested too deeply.")
        if event.tag not in (None, "tag:yaml.org,2002:str"):
            raise _Fault(f"{_line(event)} has a tag, `!…`: put the text in quotes.")
        if isinstance(event, yaml.SequenceStartEvent):
            return [self._value(each, (*path, str(n))) for n, each in enumerate(self._until(yaml.SequenceEndEvent))]
        if isinstance(event, yaml.MappingStartEvent):
            return self._mapping(path)
        return self._scalar(event, path)

    def _mapping(self, path: tuple[str, ...]) -> dict[Any, Any]:
        keys: dict[Any, Any] = {}
        for event in self._until(yaml.MappingEndEvent):
            # The words of a feed stand one level below its keys.
            key = self._scalar(event, (*path, "")) if isinstance(event, yaml.ScalarEvent) else None
            if not isinstance(key, str):
                raise _Fault(f"{_line(event)} has a key that is not text: put it in quotes.")
            inner = (*path, key)
            if key in keys:
                self._faults.append(f"{_line(event)} has the key `{as_path(inner)}` a second time: keep one of them.")
            value = next(self._events)
            if inner == ("clear_word",) and _is_nothing(value):
                self._faults.append("`clear_word` is empty: put text that begins with # in quotes; null for no word.")
            keys[key] = self._value(value, inner)
        return keys

    def _until(self, end: type) -> Iterator[Any]:
        while not isinstance(event := next(self._events), end):
            yield event

    def _scalar(self, event: Any, path: tuple[str, ...]) -> Hashable:
        if not event.implicit[0]:  # in quotes
            return str(event.value)
        tag: str = self._scalars.resolve(yaml.ScalarNode, event.value, (True, False))  # type: ignore[no-untyped-call]
        if tag not in _NO_TEXT or (path[:1] and path[0] in _TEXT and tag != _NULL):
            return str(event.value)
        try:
            value: Hashable = self._scalars.construct_object(yaml.ScalarNode(tag, event.value))
        except ValueError:  # `0x_` looks like a number
            return str(event.value)
        return value

    def _why_not_yaml(self, error: yaml.YAMLError) -> str:
        mark = getattr(error, "problem_mark", None)
        if mark is None:
            return "holds control characters, which YAML does not allow."
        lines = self._text.splitlines()
        line = min(mark.line, len(lines) - 1) + 1
        return f"line {line} is not YAML ({printable(str(getattr(error, 'problem', '')))}); {_TO_QUOTE}."


def as_path(keys: tuple[object, ...]) -> str:
    """Write the way to a value: `values.desk.London`."""
    return ".".join(show(str(key))[1:-1] for key in keys)


def _is_nothing(event: Any) -> bool:
    """Return True where a key has no value at all, perhaps because YAML takes it for a comment."""
    return isinstance(event, yaml.ScalarEvent) and event.implicit[0] and not event.value


def _line(event: Any) -> str:
    return f"line {event.start_mark.line + 1}"
