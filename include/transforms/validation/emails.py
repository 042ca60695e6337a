"""E-mail addresses: one verdict and one normal form everywhere (SPEC.md section 3). Never asks the network.

The email-validator library decides. It costs about 0.1 ms an address, so plain addresses are checked as a column,
each distinct domain that is not plain goes to the library once, and only odd addresses go whole.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

import numpy as np
import pandas as pd
from email_validator import SPECIAL_USE_DOMAIN_NAMES, EmailNotValidError, ValidatedEmail, validate_email

from include.transforms.validation.quick_look import QuickLook

_PLAIN = r"[A-Za-z0-9!#$%&'*+/=?^_{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_{|}~-]+)*@[A-Za-z0-9.-]+"
_PLAIN_ADDRESS = re.compile(_PLAIN)
_PUNYCODE, _LONGEST = r"(?i)[@.]xn--", 254
# Single hyphens inside labels only, and a top level of letters.
_PLAIN_DOMAIN, _LONGEST_LABEL = re.compile(r"(?:[a-z0-9]+(?:-[a-z0-9]+)*\.)+[a-z]+"), 63


def email_keys(emails: pd.Series) -> pd.Series:
    """The normal form of each address: NFC, lower case, domain in IDNA form; '' where it is not valid."""
    keys = emails.str.lower()
    plain = QuickLook.at(emails).is_plain_address()
    plain[plain] = _domains_stay(QuickLook.at(keys if plain.all() else keys[plain]).after_at())
    if plain.all():
        return keys
    by_email = {email: _key_of(email) for email in emails[~plain].unique()}
    others = pd.Series([by_email[email] for email in emails[~plain]], index=emails.index[~plain], dtype="str")
    return keys.mask(~plain, others)


def _domains_stay(domains: pd.Index) -> np.ndarray:
    """True where the domain is its own IDNA form; each is looked at once."""
    numbers, names = pd.factorize(domains)
    stay = [not re.search(_PUNYCODE, f"@{name}") and _ascii_domain(name) == name for name in names]
    return np.array(stay, dtype=bool)[numbers]


def email_key(email: str) -> str:
    """The normal form of one address, trimmed first; '' where it is not valid."""
    return _key_of(email.strip())


def why_not_valid(email: str) -> str:
    """The end of the sentence 'E-mail “…” …'."""
    if len(re.findall("[@＠]", email)) > 1:
        return "is not one e-mail address: it has more than one @-sign"
    if re.search(r"[<>()\"]", email):
        return "is not a plain e-mail address: write it without name, quotes, brackets or comments"
    found = _ask(email)
    return "is not a valid e-mail address" + (f": {found.rstrip('.')}" if isinstance(found, str) else "")


def _key_of(email: str) -> str:
    if len(email) > _LONGEST:  # the library reads every character first
        return ""
    local, _, domain = email.rpartition("@")
    if _PLAIN_ADDRESS.fullmatch(email) and not re.search(_PUNYCODE, email):
        ascii_domain = _ascii_domain(domain.lower())
        return f"{local.lower()}@{ascii_domain}" if ascii_domain else ""
    if isinstance(checked := _ask(email), str):
        return ""
    return f"{unicodedata.normalize('NFC', checked.local_part.lower())}@{checked.ascii_domain.lower()}"


@lru_cache(maxsize=10_000)
def _ask(email: str) -> ValidatedEmail | str:
    """What the library says: who fails is asked about twice, for the verdict and for the sentence."""
    try:
        return validate_email(email, check_deliverability=False)
    except EmailNotValidError as error:
        return str(error)


@lru_cache(maxsize=100_000)
def _ascii_domain(domain: str) -> str | None:
    """`domain` in lower case, so that each is asked for once."""
    if _is_plain(domain):
        return domain
    try:
        return validate_email(f"a@{domain}", check_deliverability=False).ascii_domain.lower()
    except EmailNotValidError:
        return None


def _is_plain(domain: str) -> bool:
    """True where the library has nothing to say; it takes 30 times as long to say so."""
    return (
        len(domain) <= _LONGEST_LABEL
        and _PLAIN_DOMAIN.fullmatch(domain) is not None
        and not f".{domain}".endswith(tuple(f".{name}" for name in SPECIAL_USE_DOMAIN_NAMES))
    )
