"""What the tests of the page share: its address, a small file, and how to send a file and read a list."""

from __future__ import annotations

import re
from typing import Any

ROOT = "/client-imports"
TEXT = "First Name,Email\nAnn,ann@example.com\nBen,ben@example.com\n,nobody@example.com\n"


def send(
    client: Any, text: str | bytes = TEXT, feed: str = "default", name: str = "clients.csv", **headers: Any
) -> Any:
    """Send a file to the API; `more` is the rest of the query, other keywords are headers."""
    own = {"content-type": "text/csv", "content-disposition": f'attachment; filename="{name}"', "accept": "*/*"}
    return client.post(f"{ROOT}/api/imports?feed={feed}{headers.pop('more', '')}", content=text, headers=own | headers)


def file_names(answer: Any) -> list[str]:
    """Read the file names of a list of imports, from top to bottom."""
    links = re.findall(r'<td class="file"><a href="[^"]*">(.*?)</a>', answer.text, re.DOTALL)
    return [re.sub("<[^>]*>", "", link) for link in links]  # what was searched for is marked
