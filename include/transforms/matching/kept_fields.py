"""Fields that a feed does not write (its key `write`, SPEC.md section 3), as far as no stored value decides.

Whether an existing client keeps its value is decided by the merge's plan, which sees that value.
"""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd


def without_claims(keys: pd.DataFrame, write: Mapping[str, str]) -> pd.DataFrame:
    """Give `keys` of a whole file without the e-mails and usernames that will not be written.

    Such a row claims none. An e-mail that says which client is meant stays: the merge has to see that it still does.
    """
    exists = keys["identified"] & ~keys["is_new"]
    changed: dict[str, pd.Series] = {}
    if write.get("email", "always") != "always":
        kept = exists & (keys["holder"] != keys["means"])
        changed |= {name: keys[name].mask(kept, "") for name in ("email_key", "holder")}
    if (rule := write.get("username", "always")) != "always":
        changed["username"] = keys["username"].mask(exists | (rule == "never"), "")
    return keys.assign(**changed) if changed else keys


def without_never(cells: pd.DataFrame, is_new: pd.Series, write: Mapping[str, str]) -> pd.DataFrame:
    """Blank the cells that not even a new client gets."""
    never = [name for name, rule in write.items() if rule == "never" and name != "username"]
    if not never:
        return cells
    return cells.assign(**{name: cells[name].mask(is_new.reindex(cells.index, fill_value=False), "") for name in never})


def why_not_written(field: str, write: Mapping[str, str]) -> str:
    """Give the end of the sentence about a cell that an existing client did not get."""
    return {
        "if_empty": "the client has one",
        "create_only": "only a new client gets it",
        "never": "this feed never writes it",
    }[write[field]]
