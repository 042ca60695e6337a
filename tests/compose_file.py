"""docker-compose.yml as `docker compose` reads it: variables filled in, merges done."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import yaml

from include.settings import ROOT

TEXT = (ROOT / "docker-compose.yml").read_text()
_VARIABLE = re.compile(r"\$(?:(\$)|\{(\w+)(?:(:[-?])([^}]*))?\})")


def variables() -> dict[str, str]:
    """Every variable and what stands after its name: '' for nothing, ':-default' or ':?message'."""
    return {name: f"{sign}{rest}" for _, name, sign, rest in _VARIABLE.findall(TEXT) if name}


def filled_in(values: Mapping[str, str], text: str = TEXT) -> dict[str, Any]:
    """Raises KeyError for a variable that has neither a value nor a default."""

    def value(found: re.Match) -> str:
        dollar, name, sign, default = found.groups()
        if dollar:
            return "$"
        if not values.get(name) and sign != ":-":
            raise KeyError(name)
        return values.get(name) or default

    def walk(node: Any) -> Any:
        """Variables are filled into texts after YAML was read: what they hold is never YAML."""
        if isinstance(node, dict):
            return {key: walk(child) for key, child in node.items()}
        if isinstance(node, list):
            return [walk(child) for child in node]
        return _VARIABLE.sub(value, node) if isinstance(node, str) else node

    return walk(yaml.safe_load(text))
