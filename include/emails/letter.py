"""A mail of plain paragraphs. Pure."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from html import escape


class Letter(ABC):
    """A mail whose two parts, text and HTML, say the same paragraphs."""

    @property
    @abstractmethod
    def subject(self) -> str: ...

    @property
    @abstractmethod
    def paragraphs(self) -> list[str]: ...

    @property
    def pictures(self) -> Mapping[str, bytes]:
        """PNG pictures that the HTML shows by `cid:NAME`; the text says the same without them."""
        return {}

    def text(self) -> str:
        return "\n\n".join(self.paragraphs) + "\n"

    def html(self) -> str:
        return "\n".join(f"<p>{escape(paragraph)}</p>" for paragraph in self.paragraphs)
