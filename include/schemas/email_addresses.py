"""E-mail addresses: one verdict and one normal form everywhere (SPEC.md section 3). Never asks the network.

The email-validator library decides. It costs about 0.1 ms an address, so plain addresses are checked as a column,
each distinct domain that is not plain goes to the library once, and only odd addresses go whole.
"""

from __future__ import annotations

import html
import re
import unicodedata
from functools import lru_cache

import pandas as pd
import pyarrow
from email_validator import SPECIAL_USE_DOMAIN_NAMES, EmailNotValidError, ValidatedEmail, validate_email
from pyarrow import compute

from include.codes import show
from include.schemas.cell_rules import contains

_PLAIN_LOCAL = r"[A-Za-z0-9!#$%&'*+/=?^_{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_{|}~-]+)*"
_PLAIN = rf"{_PLAIN_LOCAL}@[A-Za-z0-9.-]+"
_PLAIN_ADDRESS = re.compile(_PLAIN)
_PUNYCODE, _LONGEST = r"(?i)[@.]xn--", 254
# Single hyphens inside labels only, and a top level of letters.
_PLAIN_DOMAIN, _LONGEST_LABEL = re.compile(r"(?:[a-z0-9]+(?:-[a-z0-9]+)*\.)+[a-z]+"), 63


def email_keys(emails: pd.Series) -> pd.Series:
    """Give the normal form of each address: NFC, lower case, domain in IDNA form; '' where it is not valid."""
    keys = emails.str.lower()
    plain = contains(emails, f"^{_PLAIN}$") & (emails.str.len() <= _LONGEST)
    plain[plain] = _domains_stay(keys[plain])
    if plain.all():
        return keys
    by_email = {email: _key_of(email) for email in emails[~plain].unique()}
    return keys.where(plain, emails[~plain].map(by_email).astype("str"))


def _domains_stay(addresses: pd.Series) -> pd.Series:
    """True where the domain is its own IDNA form. Each distinct domain is judged once."""
    halves = compute.split_pattern(pyarrow.array(addresses.array), "@")
    numbers, domains = pd.factorize(pd.array(compute.list_element(halves, 1), dtype="str"))
    stay = [not re.search(_PUNYCODE, f"@{domain}") and _ascii_domain(domain) == domain for domain in domains]
    return pd.Series(pd.array(stay, dtype="bool").take(numbers), index=addresses.index)


def is_another_sign_in_nfc(emails: pd.Series) -> pd.Series:
    """True where NFC makes another character of an ASCII sign, as of `<` with U+0338; letters may get accents."""
    return emails.map({email: _is_another_sign_in_nfc(email) for email in emails.unique()}).astype("bool")


def _is_another_sign_in_nfc(email: str) -> bool:
    before, after = ([c for c in t if c.isascii() and not c.isalpha()] for t in (email, _nfc(email)))
    return before != after


def _nfc(text: str) -> str:
    return unicodedata.normalize("NFC", text)


def email_key(email: str) -> str:
    """Give the normal form of one address, trimmed first; '' where it is not valid."""
    return _key_of(email.strip())


def why_not_valid(email: str) -> str:
    """Give the end of the sentence 'E-mail “…” …'."""
    if surplus := _surplus(email):
        return f"is not a plain e-mail address: remove {surplus}"
    if re.search(r"&#?\w+;", email) and html.unescape(email) != email:
        return "is written as HTML code"
    if _is_another_sign_in_nfc(email):
        return "is not a valid e-mail address: one of its signs is not what it looks like; type it anew"
    signs = len(re.findall("[@＠]", email))
    if signs > 1:
        return "is not one e-mail address: it has more than one @-sign"
    if signs == 0:
        return "is not a valid e-mail address: it has no @-sign"
    if re.search(r"[<>()\"]", email):
        return "is not a plain e-mail address: write it without name, quotes, brackets or comments"
    local, _, domain = email.rpartition("@")
    # A domain is usually wrong in many addresses: it is asked for once.
    answer = _ask(f"a@{domain}" if re.fullmatch(_PLAIN_LOCAL, local) and len(local) <= _LONGEST_LABEL else email)
    return "is not a valid e-mail address" + (f": {answer.rstrip('.')}" if isinstance(answer, str) else "")


def _surplus(email: str) -> str:
    """Quote what stands around one address: `mailto:`, or a name and brackets."""
    if scheme := re.match("(?i)mailto:", email):
        return show(scheme[0])
    if around := re.fullmatch(r"(.*<\s*)[^<>@\s]+@[^<>@\s]+(\s*>.*)", email, re.DOTALL):
        return " and ".join(map(show, around.groups()))
    return ""


def _key_of(email: str) -> str:
    if len(email) > _LONGEST or email.count("@") != 1:  # the library reads every character first
        return ""
    if _is_another_sign_in_nfc(email):
        return ""
    local, _, domain = email.rpartition("@")
    if _PLAIN_ADDRESS.fullmatch(email) and not re.search(_PUNYCODE, email):
        ascii_domain = _ascii_domain(domain.lower())
        return f"{local.lower()}@{ascii_domain}" if ascii_domain else ""
    if isinstance(checked := _ask(email), str):
        return ""
    return f"{_nfc(checked.local_part.lower())}@{checked.ascii_domain.lower()}"


@lru_cache(maxsize=10_000)
def _ask(email: str) -> ValidatedEmail | str:
    """Ask the library. A wrong address is asked for twice: for the verdict and for the sentence."""
    try:
        return validate_email(email, check_deliverability=False)
    except EmailNotValidError as error:
        return str(error)


@lru_cache(maxsize=100_000)
def _ascii_domain(domain: str) -> str | None:
    """Give the IDNA form of a domain (in lower case), None where it is not valid."""
    if _is_plain(domain):
        return domain
    try:
        return validate_email(f"a@{domain}", check_deliverability=False).ascii_domain.lower()
    except EmailNotValidError:
        return None


def _is_plain(domain: str) -> bool:
    """True where the library would accept the domain as it is. The library takes 30 times as long to say so."""
    return (
        len(domain) <= _LONGEST_LABEL
        and _PLAIN_DOMAIN.fullmatch(domain) is not None
        and not f".{domain}".endswith(tuple(f".{name}" for name in SPECIAL_USE_DOMAIN_NAMES))
    )
