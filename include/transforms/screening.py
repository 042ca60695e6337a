"""Is this content CSV text at all? Judged by name and bytes, before anything is decoded (SPEC.md section 4)."""

from __future__ import annotations

import re
import unicodedata

from include.codes import message_for
from include.errors import FileRefused


def check_name(name: str) -> None:
    """Raise FILE_NAME unless `name` is one plain file name that ends in .csv."""
    if any(unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp") for c in name):
        _refuse_name("The file name contains invisible characters or bytes that are not text.")
    if "/" in name or "\\" in name or name in ("", ".", ".."):
        _refuse_name("The file name contains parts of a path.")
    if not re.fullmatch(r".+\.csv", name, re.IGNORECASE | re.DOTALL):
        _refuse_name("The file name does not end in .csv.")


def check_size(size: int, limit: int) -> None:
    """Raise FILE_TOO_LARGE or FILE_EMPTY from the size in bytes alone."""
    if size > limit:
        raise FileRefused("FILE_TOO_LARGE", message_for("FILE_TOO_LARGE", found=f"{size:,}", limit=f"{limit:,}"))
    if size == 0:
        raise FileRefused("FILE_EMPTY", message_for("FILE_EMPTY", detail="has no bytes"))


def _refuse_name(detail: str) -> None:
    raise FileRefused("FILE_NAME", message_for("FILE_NAME", detail=detail))
