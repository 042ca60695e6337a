"""E-mail addresses: one verdict and one normal form everywhere (SPEC.md section 3). Never asks the network.

The email-validator library decides. It costs about 0.1 ms an address, so plain local parts are
checked as a column, each distinct domain goes to the library once, and only odd addresses go whole.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

import numpy as np
import pandas as pd
from email_validator import EmailNotValidError, validate_email

_PLAIN = r"[A-Za-z0-9!#$%&'*+/=?^_{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_{|}~-]+)*@[A-Za-z0-9.-]+"
_PLAIN_ADDRESS = re.compile(_PLAIN)
_PUNYCODE, _LONGEST = r"(?i)[@.]xn--", 254


def email_keys(emails: pd.Series) -> pd.Series:
    """The normal form of each address: NFC, lower case, domain in IDNA form; '' where it is not valid."""
    keys = emails.str.lower()
    plain = _are_plain(emails)
    domains = keys.str.replace(r"^[^@]*@", "", regex=True)
    as_written = [domain for domain in domains[plain].unique() if _ascii_domain(domain) == domain]
    others = ~(plain & _among(domains, as_written))
    if others.any():
        by_email = {email: _key_of(email) for email in emails[others].unique()}
        keys = keys.mask(
            others, pd.Series([by_email[e] for e in emails[others]], index=emails.index[others], dtype="str")
        )
    return keys


def email_key(email: str) -> str:
    """The normal form of one address, trimmed first; '' where it is not valid."""
    return _key_of(email.strip())


def _are_plain(emails: pd.Series) -> pd.Series:
    """True where only the domain needs the library."""
    plain = (emails.str.len() <= _LONGEST) & emails.str.fullmatch(_PLAIN)
    perhaps = emails.str.lower().str.contains("xn--", regex=False)  # a pattern takes three times as long
    return plain & ~emails.str.contains(_PUNYCODE, regex=True) if perhaps.any() else plain


def _among(texts: pd.Series, some: list[str]) -> np.ndarray:
    """Like `isin`, which looks at `some` one by one."""
    if not some:
        return np.zeros(len(texts), dtype=bool)
    return pd.Index(some, dtype="str").get_indexer(pd.Index(texts)) >= 0


def why_not_valid(email: str) -> str:
    """The end of the sentence 'E-mail “…” …'."""
    if len(re.findall("[@＠]", email)) > 1:
        return "is not one e-mail address: it has more than one @-sign"
    if re.search(r"[<>()\"]", email):
        return "is not a plain e-mail address: write it without name, quotes, brackets or comments"
    try:
        validate_email(email, check_deliverability=False)
    except EmailNotValidError as error:
        return "is not a valid e-mail address: " + str(error).rstrip(".")
    return "is not a valid e-mail address"


def _key_of(email: str) -> str:
    if len(email) > _LONGEST:  # the library reads every character first
        return ""
    local, _, domain = email.rpartition("@")
    if _PLAIN_ADDRESS.fullmatch(email) and not re.search(_PUNYCODE, email):
        ascii_domain = _ascii_domain(domain.lower())
        return f"{local.lower()}@{ascii_domain}" if ascii_domain else ""
    try:
        checked = validate_email(email, check_deliverability=False)
    except EmailNotValidError:
        return ""
    return f"{unicodedata.normalize('NFC', checked.local_part.lower())}@{checked.ascii_domain.lower()}"


@lru_cache(maxsize=100_000)
def _ascii_domain(domain: str) -> str | None:
    """`domain` in lower case, so that each is asked for once."""
    try:
        return validate_email(f"a@{domain}", check_deliverability=False).ascii_domain.lower()
    except EmailNotValidError:
        return None
