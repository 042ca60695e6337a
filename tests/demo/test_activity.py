"""The demo waits for what moves, and not for what waits for a person or a file."""

from __future__ import annotations

from demo.activity import moving_runs, waiting_files, what_moves
from include.adapters.files.storage import Storage
from include.schemas.feed import Feed


def run(feed: str, state: str = "running", run_id: str = "1") -> dict[str, str]:
    return {"dag_id": f"import_clients__{feed}", "dag_run_id": run_id, "state": state}


def test_a_run_that_moves_is_named_with_its_tasks_and_files():
    runs = [
        (run("a", "queued", "q"), []),
        (run("b"), [("each_file.validate", "running"), ("each_file.validate", "up_for_retry")]),
    ]
    assert moving_runs(runs, {"1": ["x.csv", "y.csv"]}) == [
        "import_clients__a (queued)",
        "import_clients__b (validate running, validate up for retry) with x.csv, y.csv",
    ]


def test_a_run_that_waits_for_a_person_or_a_file_does_not_move_and_holds_back_those_behind_it():
    waits = [
        (run("a"), [("sense_inbox", "up_for_reschedule")]),
        (run("a", "queued", "2"), []),
        ({"dag_id": "review_held_import", "dag_run_id": "1", "state": "running"}, [("decide", "awaiting_input")]),
    ]
    assert moving_runs(waits, {}) == []
    assert moving_runs([*waits, (run("a", run_id="3"), [("merge", "running")])], {}) == [
        "import_clients__a (merge running)"
    ]


def test_files_in_the_inbox_of_a_watching_feed_move_and_others_only_when_this_start_put_them_there(tmp_path):
    storage = Storage(tmp_path)
    feeds = [Feed(name=name, title=name, inbox=name, stable_seconds=0, schedule=schedule)
             for name, schedule in (("acme", "watch"), ("default", None))]  # fmt: skip
    for feed in feeds:
        (tmp_path / "inbox" / feed.name).mkdir(parents=True)
        (tmp_path / "inbox" / feed.name / "x.csv").touch()
    assert waiting_files(storage, feeds, []) == ["files in inbox/acme"]
    dropped = tmp_path / "inbox" / "default" / "x.csv"
    assert waiting_files(storage, feeds, [dropped]) == ["files in inbox/acme", "files in inbox/default"]
    dropped.unlink()
    (tmp_path / "inbox" / "acme" / "x.csv").rename(tmp_path / "inbox" / "acme" / "x.csv.part")
    assert waiting_files(storage, feeds, [dropped]) == []


def test_an_api_server_that_does_not_answer_is_waited_for(tmp_path, engine):
    class Silent:
        def unfinished_runs(self) -> None:
            return None

    assert what_moves(Silent(), engine, Storage(tmp_path), [], []) == "the API server's answer"  # type: ignore[arg-type]
