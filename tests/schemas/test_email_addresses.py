"""An e-mail address has one verdict, the email-validator library's, and one normal form."""

from __future__ import annotations

import unicodedata

import pandas as pd
import pytest
from email_validator import EmailNotValidError, validate_email
from hypothesis import given
from hypothesis import strategies as st

from include.schemas import email_addresses
from include.schemas.email_addresses import email_key, email_keys, why_not_valid


def library_accepts(address: str) -> bool:
    """The one thing that it does not look at: that NFC makes another sign of an ASCII character."""
    if "\u0338" in address and unicodedata.normalize("NFC", address) != address:
        return False
    try:
        validate_email(address, check_deliverability=False)
    except EmailNotValidError:
        return False
    return True


PARTS = st.text(st.sampled_from("aZ09.-_+!#'@ \"()<>[]\\,;:é日xn--\u0300\u0338=\u200b\u202e\n"), max_size=12)
DOMAINS = st.sampled_from(
    ["example.com", "Example.COM", "münchen.example", "xn--mnchen-3ya.example", "xn--zzzz.com", "localhost", "a.local",
     "x.test", "example", "1.2.3.4", "[127.0.0.1]", "-a.com", "a-.com", "a..com", ".com", "com.", "日本.jp", "ß.de", "a" * 64 + ".com",
     ("a" * 60 + ".") * 3 + "com", "ex_ample.com", "example.c", "example.123", "ａ.com", "\u0301a.com"]
)  # fmt: skip
ADDRESSES = st.one_of(
    st.builds(
        lambda local, domain: f"{local}@{domain}",
        st.one_of(PARTS, st.text(st.sampled_from("ab."), max_size=70)),
        DOMAINS,
    ),
    st.builds(lambda local, domain: f"{local}@{domain}", PARTS, PARTS),
    st.emails(),
    PARTS,
)


@given(st.lists(ADDRESSES, min_size=1, max_size=8))
def test_the_verdict_on_a_column_is_the_librarys_on_each_address(addresses):
    column = pd.Series(addresses, dtype="str")
    expected = [library_accepts(address) for address in addresses]
    assert (email_keys(column) != "").tolist() == expected


@given(st.lists(ADDRESSES, min_size=1, max_size=8))
def test_an_address_has_the_same_key_alone_as_beside_others(addresses):
    trimmed = [address.strip() for address in addresses]
    assert email_keys(pd.Series(trimmed, dtype="str")).tolist() == [email_key(address) for address in addresses]


@pytest.mark.parametrize(
    "address",
    ["simple@example.com", "very.common@example.com", "x@example.com", "a+tag@example.com", "o'neil@example.com",
     "user-@example.org", "postmaster@123.com", "1234567890@example.com", "_______@example.com", "a@b.museum",
     "user@münchen.example", "用户@例子.广告", "δοκιμή@παράδειγμα.ελ", "!#$%&'*+-/=?^_`{|}~@example.org",
     "a" * 64 + "@example.com", "a" * 65 + "@example.com"],
)  # fmt: skip
def test_addresses_that_people_have_are_accepted(address):
    assert (email_keys(pd.Series([address], dtype="str")) != "").all()


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        ("plain", "has no @-sign"), ("a@b@example.com", "more than one @-sign"),
        ("a@example.com,b@example.com", "more than one @-sign"), ("Ann <ann@example.com>", "remove “Ann <” and “>”"),
        ('"ann b"@example.com', "without name, quotes"), ("ann(home)@example.com", "without name, quotes"),
        ("ann@[127.0.0.1]", ""), ("ann@localhost", "period"), ("ann@example", "period"), ("@example.com", ""),
        ("ann@", ""), (".ann@example.com", "start with a period"), ("ann.@example.com", "period immediately before"),
        ("a..b@example.com", "two periods"), ("ann@-example.com", ""), ("ann@example..com", ""), ("a b@example.com", ""),
        ("ann@exam_ple.com", ""), ("ann@example.com.", ""), ("ann@x.local", ""),
        ("ann@example.123", ""), ("mailto:ann@example.com", "remove “mailto:”"),
        ("MAILTO:ann@example.com?subject=x", "remove “MAILTO:”"), ("<ann@example.com>", "remove “<” and “>”"),
        ("Lee, A. < ann@example.com >;", "remove “Lee, A. < ” and “ >;”"), ("a@x.com <a@example.com>", "remove “a@x.com <”"),
        ("<ann>", "has no @-sign"), ("o&#39;neil@example.com", "is written as HTML code"), ("ann&amp;@b&amp;c", "is written as HTML code"),
        ("a<\u0338b@example.com", "one of its signs is not what it looks like"), ("a=\u0338b@example.com", "one of its signs is not what it looks like"),
        ("a\u037eb@example.com", "one of its signs is not what it looks like"),
    ],
)  # fmt: skip
def test_what_is_no_plain_address_is_not_valid_and_says_why(address, sentence):
    assert (email_keys(pd.Series([address], dtype="str")) == "").all()
    assert sentence in why_not_valid(address)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Ann@Example.com", "ann@example.COM"), ("a@münchen.example", "a@xn--mnchen-3ya.example"),
        ("zoe\u0308@example.com", "zoë@example.com"), ("a@MÜNCHEN.example", "a@münchen.example"),
    ],
)  # fmt: skip
def test_one_mailbox_has_one_key_however_it_is_written(one, other):
    assert email_keys(pd.Series([one, other], dtype="str")).nunique() == 1


def test_an_endless_address_is_judged_at_once():
    assert (email_keys(pd.Series(["a" * 5_000_000 + "@example.com"], dtype="str")) == "").all()


def test_a_domain_is_judged_once_for_all_its_addresses_and_the_network_is_never_asked(monkeypatch):
    asked = []

    def validate(address: str, *, check_deliverability: bool):
        asked.append((address, check_deliverability))
        return validate_email(address, check_deliverability=check_deliverability)

    monkeypatch.setattr(email_addresses, "validate_email", validate)
    email_addresses._ascii_domain.cache_clear()
    many = pd.Series([f"ann{number}@odd-1.example9" for number in range(100)], dtype="str")
    assert (email_keys(many) == "").all()
    assert asked == [("a@odd-1.example9", False)]
