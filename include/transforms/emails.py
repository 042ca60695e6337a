"""E-mail addresses: one verdict and one normal form everywhere (SPEC.md section 3). Never asks the network.

The email-validator library decides. It costs about 0.1 ms an address, so plain local parts are
checked as a column, each distinct domain goes to the library once, and only odd addresses go whole.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

import pandas as pd
from email_validator import EmailNotValidError, validate_email

_PLAIN = r"[A-Za-z0-9!#$%&'*+/=?^_{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_{|}~-]+)*@[A-Za-z0-9.-]+"
_PLAIN_ADDRESS = re.compile(_PLAIN)
_PUNYCODE, _LONGEST = r"(?i)[@.]xn--", 254


def email_keys(emails: pd.Series) -> pd.Series:
    """The normal form of each address: NFC, lower case, domain in IDNA form; '' where it is not valid."""
    keys = {email: _key_of(email) for email in emails.unique()}
    return pd.Series([keys[email] for email in emails], index=emails.index, dtype="str")


def email_key(email: str) -> str:
    """The normal form of one address, trimmed first; '' where it is not valid."""
    return _key_of(email.strip())


def are_valid(emails: pd.Series) -> pd.Series:
    """True where the library accepts the address, without asking the network."""
    short = emails.str.len() <= _LONGEST
    plain = short & emails.str.fullmatch(_PLAIN)
    plain &= ~emails.str.contains(_PUNYCODE, regex=True)
    domains = emails.str.replace(r"^[^@]*@", "", regex=True)
    good_domains = [domain for domain in domains[plain].unique() if _ascii_domain(domain) is not None]
    good_others = [email for email in emails[short & ~plain].unique() if _key_of(email)]
    return (plain & domains.isin(good_domains)) | (~plain & emails.isin(good_others))


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
        ascii_domain = _ascii_domain(domain)
        return f"{local.lower()}@{ascii_domain}" if ascii_domain else ""
    try:
        checked = validate_email(email, check_deliverability=False)
    except EmailNotValidError:
        return ""
    return f"{unicodedata.normalize('NFC', checked.local_part.lower())}@{checked.ascii_domain.lower()}"


@lru_cache(maxsize=100_000)
def _ascii_domain(domain: str) -> str | None:
    try:
        return validate_email(f"a@{domain}", check_deliverability=False).ascii_domain.lower()
    except EmailNotValidError:
        return None
