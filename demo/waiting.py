"""Wait for one thing after another: say what for, and give up when nothing changes any more."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from rich.console import Console
from rich.markup import escape


class GaveUp(Exception):
    """Nothing has changed for a long time; the text says what was missing."""


@dataclass
class Waiting:
    """`patience` is how many seconds may pass without any change."""

    console: Console
    patience: float
    pause: float = 0.5
    seconds_between_lines: float = 10
    _said: tuple[str, float] = field(default=("", -math.inf), init=False)

    def until_nothing(self, look: Callable[[], str]) -> None:
        """Call `look` until it gives ''; until then it says what is missing. Raises GaveUp."""
        missing, since = "", time.monotonic()
        with self.console.status("") as status:
            while now_missing := look():
                if now_missing != missing:
                    missing, since = now_missing, time.monotonic()
                seconds = time.monotonic() - since
                if seconds > self.patience:
                    raise GaveUp(f"Nothing has changed for {self.patience:g} s. Still waiting for {missing}.")
                self._say(missing)
                status.update(escape(f"waiting for {missing} ({seconds:.0f} s)"))
                time.sleep(self.pause)

    def _say(self, missing: str) -> None:
        """Write a line now and then where there is no terminal, on which one line is written over and over."""
        said, at = self._said
        if missing != said and time.monotonic() > at + self.seconds_between_lines and not self.console.is_terminal:
            self.console.print(f"waiting for {missing}", markup=False, highlight=False, soft_wrap=True)
            self._said = missing, time.monotonic()
