"""E-mail addresses: one verdict and one normal form everywhere (SPEC.md section 3). Never asks the network.

The email-validator library decides. It costs about 0.1 ms an address, so plain local parts are
checked as a column, each distinct domain goes to the library once, and only odd addresses go whole.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache

import pandas as pd
from email_validator import EmailNotValidError, validate_email

_PLAIN = r"[A-Za-z0-9!#$%&'*+/=?^_{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_{|}~-]+)*@[A-Za-z0-9.-]+"
_LONGEST_LOCAL_PART, _LONGEST = 64, 254


def email_keys(emails: pd.Series) -> pd.Series:
    """The normal form of each address: NFC, lower case, domain in IDNA form; '' where it is not valid."""
    return emails.map({email: _key_of(email) for email in emails.unique()}).astype("str")


def are_valid(emails: pd.Series) -> pd.Series:
    plain = emails.str.fullmatch(_PLAIN)
    verdicts = {email: _key_of(email) != "" for email in emails[~plain].unique()}
    valid = plain.copy()
    parts = emails[plain].str.rsplit("@", n=1, expand=True).reindex(columns=[0, 1])
    good_domains = {domain: _ascii_domain(domain) is not None for domain in parts[1].unique()}
    valid[plain] = (
        parts[1].map(good_domains).astype(bool)
        & (parts[0].str.len() <= _LONGEST_LOCAL_PART)
        & (emails[plain].str.len() <= _LONGEST)
    )
    valid[~plain] = emails[~plain].map(verdicts).astype(bool)
    return valid.astype(bool)


def why_not_valid(email: str) -> str:
    """The end of the sentence 'E-mail “…” …'."""
    try:
        validate_email(email, check_deliverability=False)
    except EmailNotValidError as error:
        return "is not a valid e-mail address: " + str(error).rstrip(".")
    return "is not a valid e-mail address"


def _key_of(email: str) -> str:
    local, _, domain = email.rpartition("@")
    if local.isascii() and _ascii_domain(domain) is not None and _is_plain(email):
        return f"{local.lower()}@{_ascii_domain(domain)}"
    try:
        checked = validate_email(email, check_deliverability=False)
    except EmailNotValidError:
        return ""
    return f"{unicodedata.normalize('NFC', checked.local_part.lower())}@{checked.ascii_domain.lower()}"


def _is_plain(email: str) -> bool:
    import re

    return (
        re.fullmatch(_PLAIN, email) is not None
        and email.rindex("@") <= _LONGEST_LOCAL_PART
        and len(email) <= _LONGEST
    )


@lru_cache(maxsize=100_000)
def _ascii_domain(domain: str) -> str | None:
    try:
        return validate_email(f"a@{domain}", check_deliverability=False).ascii_domain.lower()
    except EmailNotValidError:
        return None
