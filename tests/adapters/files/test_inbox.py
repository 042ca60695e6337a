"""A file waits when no process writes to it any more, under a name that is neither temporary nor a side file."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.adapters.files.inbox import FolderInbox, Waiting, stable_files


@dataclass
class Listing:
    """An inbox with these files: for each name, how many seconds ago it changed."""

    ages: dict[str, float]

    def entries(self) -> list[Waiting]:
        return [Waiting(name, 1, time.time() - age) for name, age in self.ages.items()]

    def needs_second_look(self, stable_seconds: float) -> bool:
        return False


def names(
    ages: dict[str, float], pattern: str = "*", stable_seconds: float = 5, side_files: tuple[str, ...] = ()
) -> list[str]:
    return [waiting.name for waiting in stable_files(Listing(ages), pattern, stable_seconds, side_files)]


def test_files_wait_in_order_of_arrival_and_then_of_their_names(monkeypatch):
    monkeypatch.setattr(time, "time", lambda: 1_000.0)
    assert names({"c.csv": 30, "d.csv": 20, "a.csv": 20, "b.csv": 40}) == ["b.csv", "c.csv", "a.csv", "d.csv"]


def test_files_of_the_same_second_wait_in_natural_order(monkeypatch):
    monkeypatch.setattr(time, "time", lambda: 1_000.9)
    together = {"old_10.csv": 0.1, "old_2.csv": 0.2, "old_02.csv": 0.3, "a.csv": 0.4, "10.csv": 0.1, "9.csv": 0.1}
    order = ["9.csv", "10.csv", "a.csv", "old_02.csv", "old_2.csv", "old_10.csv"]
    assert names({**together, "first.csv": 1}, stable_seconds=0) == ["first.csv", *order]


@given(st.lists(st.integers(0, 10**12), unique=True, min_size=1), st.text(st.characters(codec="utf-8"), max_size=3))
def test_numbers_in_names_count_as_numbers(numbers, word):
    named = {f"x{word}_{number}_{word}.csv": 60.0 for number in numbers}
    assert names(named) == [f"x{word}_{number}_{word}.csv" for number in sorted(numbers)]


def test_a_file_that_changed_just_now_is_still_being_written():
    ages = {"a.csv": 4, "b.csv": 6}
    assert names(ages) == ["b.csv"] and names(ages, stable_seconds=0) == ["b.csv", "a.csv"]


@pytest.mark.parametrize(
    "name",
    [".hidden.csv", "a.csv.part", "a.csv.TMP", "a.filepart", "a.crdownload", "a.csv~", "a.csv.done", "a.csv.count"],
)
def test_temporary_names_and_side_files_never_wait(name):
    assert names({name: 60}) == []


@pytest.mark.parametrize(("pattern", "expected"), [("*", ["a.csv", "b.txt"]), ("*.csv", ["a.csv"]), ("clients_*", [])])
def test_only_names_that_match_the_feeds_pattern_wait(pattern, expected):
    assert names({"a.csv": 60, "b.txt": 50}, pattern) == expected


def test_a_feed_may_demand_files_beside_each_file():
    ages = {"a.csv": 60, "b.csv": 60, "b.csv.done": 60, "c.csv": 60, "c.csv.count": 60, "b.csv.count": 60}
    assert names(ages, side_files=(".done",)) == ["b.csv"]
    assert names(ages, side_files=(".count",)) == ["b.csv", "c.csv"]


def test_a_senders_clock_that_is_ahead_does_not_make_a_file_wait_for_ever(tmp_path):
    (tmp_path / "a.csv").write_text("x")
    os.utime(tmp_path / "a.csv", (time.time() + 3600,) * 2)
    looks = [stable_files(FolderInbox(tmp_path), "*", 0, ()) for _ in range(2)]
    assert [waiting.name for waiting in looks[0]] == ["a.csv"]
    assert looks[0] == looks[1], "the inbox trigger would take it for another file"


def test_after_a_clock_was_set_back_a_file_is_stable_when_two_looks_are_the_same(tmp_path, monkeypatch):
    (tmp_path / "still.csv").write_text("x")
    (tmp_path / "grows.csv").write_text("x")
    written, slept = (tmp_path / "still.csv").stat().st_mtime, []
    monkeypatch.setattr(time, "time", lambda: written - 3600)  # neither time of the files has come

    def grow(seconds):
        slept.append(seconds)
        if len(slept) == 1:
            (tmp_path / "grows.csv").write_text("xx")

    looks = [stable_files(FolderInbox(tmp_path), "*", 7, (), sleep=grow) for _ in range(2)]
    assert [[waiting.name for waiting in look] for look in looks] == [["still.csv"], ["grows.csv", "still.csv"]]
    assert slept == [7, 7]


@pytest.mark.timeout(20)
def test_the_time_of_a_look_grows_no_faster_than_the_number_of_files():
    many = Listing({f"partner_{number}.csv": 60.0 + number % 50 for number in range(100_000)})
    assert len(stable_files(many, "*.csv", 5, ())) == 100_000


def test_folders_are_not_files_and_a_link_is_listed_as_itself(tmp_path):
    (tmp_path / "folder.csv").mkdir()
    (tmp_path / "link.csv").symlink_to("/no/such/file")
    assert [waiting.name for waiting in FolderInbox(tmp_path).entries()] == ["link.csv"]


def test_a_folder_that_is_not_there_is_an_empty_inbox(tmp_path):
    assert FolderInbox(tmp_path / "nothing").entries() == []


def test_side_files_are_read_and_deleted(tmp_path):
    (tmp_path / "a.csv.count").write_text("12")
    inbox = FolderInbox(tmp_path)
    assert inbox.read("a.csv.count") == b"12"
    for _ in range(2):
        inbox.delete("a.csv.count")
    with pytest.raises(FileNotFoundError):
        inbox.read("a.csv.count")
