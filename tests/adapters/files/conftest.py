"""A process that is killed in the middle of a move."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest


class Killed(BaseException):
    """Stands for a killed process: the importer handles it nowhere."""


@pytest.fixture
def killed_at(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Make the next call of a method the last one of its process; `with` waits for it."""

    def _killed_at(owner: type, name: str) -> Any:
        original = getattr(owner, name)

        def die(*_: object, **__: object) -> None:
            monkeypatch.setattr(owner, name, original)
            raise Killed

        monkeypatch.setattr(owner, name, die)
        return pytest.raises(Killed)

    return _killed_at
