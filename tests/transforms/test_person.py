"""An address or an id is found however it is written, in texts and in files; what only looks alike is not."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.transforms import person as person_module
from include.transforms.person import Person

ID = "66829b2e43c91e3ce480b6c4"
ZOE = Person().known_by(ids=[ID.upper()], emails=["Zoe.Mark@example.com", "zoe@bücher.example.com", "no address"])


@pytest.mark.parametrize(
    "written",
    ["ZOE@BÜCHER.example.com", "zoe@xn--bcher-kva.example.com", "zoe @ bücher.example.com",
     "zo\u200be@bu\u0308cher.example.com", "ｚｏｅ@bücher.example.com", "Zmark <zoe@bücher.example.com>",
     "mailto:zoe@bücher.example.com", "a@example.com; zoe@bücher.example.com", "z\0o\0e\0.\0mark@example.com.",
     ID, ID.upper(), f"client {ID}, twice"],
)  # fmt: skip
def test_is_found(written):
    assert ZOE.is_in(written)


@pytest.mark.parametrize(
    "written",
    ["zoe.mark@example.com.au", "azoe.mark@example.com", "zoe.mark+a@example.com", "zoe.mark@example.comx",
     "o'zoe.mark@example.com", "joan-zoe.mark@example.com", "zoe.mark", "example.com", f"a{ID}", f"{ID}0", ""],
)  # fmt: skip
def test_is_another_persons(written):
    assert not ZOE.is_in(written)


def test_in_a_file_name_the_address_may_stand_between_other_words():
    assert ZOE.is_in_name("clients_Zoe.Mark@example.com_2.csv") and ZOE.is_in_name(f"x{ID}.csv")
    assert not ZOE.is_in_name("clients_zoe.csv")


def test_shows_no_address():
    assert "zoe" not in repr(ZOE).lower()


@pytest.mark.parametrize(
    "encoding, promised",
    [("utf-8", None), ("utf-8-sig", None), ("utf-8-sig", "cp1252"), ("utf-16", None), ("utf-16-le", None),
     ("utf-16-be", None), ("cp1252", "cp1252"), ("cp1252", None), ("utf-16", "utf-8"), ("utf-32", "utf-32")],
)  # fmt: skip
def test_a_file_is_read_in_the_encoding_that_was_promised_and_else_in_others(encoding, promised):
    def is_in_file(text: str) -> bool:
        return ZOE.is_in_file(io.BytesIO(text.encode(encoding)), promised)

    assert is_in_file("Zoë,zoe.mark@example.com\n") and is_in_file(f"Zoë\n{ID}")
    assert not is_in_file("Zoë,ben@example.com\n") and not is_in_file("")


ADDRESS = "zoe.mark@example.com"


@given(st.integers(0, 80), st.sampled_from([ADDRESS, "a" + ADDRESS, ADDRESS + ".au", ID, "0" + ID, ID + "f"]),
       st.integers(0, 80), st.integers(1, 40))  # fmt: skip
def test_where_windows_cut_a_file_makes_no_difference(before, written, after, window):
    text = "é" * before + "," * min(before, 1) + written + "," * min(after, 1) + "é" * after
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(person_module, "_WINDOW", window)
        patch.setattr(person_module, "_OVERLAP", 40)
        assert ZOE.is_in_file(io.BytesIO(text.encode()), None) == ZOE.is_in(text)
