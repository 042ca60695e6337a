"""The states of an import and the ways between them."""

from __future__ import annotations

import pytest

from include.models import FINAL_STATES, TRANSITIONS, Counts, Outcome, State, value_map


def reachable(start: State) -> set[State]:
    states, new = {start}, {start}
    while new := {target for state in new for target in TRANSITIONS[state]} - states:
        states |= new
    return states


def test_the_table_of_transitions_has_every_state_once():
    assert set(TRANSITIONS) == set(State)


def test_a_file_can_reach_every_state_and_none_leads_back_to_the_start():
    assert reachable(State.RECEIVED) == set(State)
    assert not any(State.RECEIVED in targets for targets in TRANSITIONS.values())


@pytest.mark.parametrize("state", State)
def test_every_state_leads_to_an_end(state):
    assert reachable(state) & FINAL_STATES


def test_the_final_states_are_those_that_no_step_leaves():
    assert {
        State.MERGED,
        State.REFUSED,
        State.DISCARDED,
        State.REVERTED,
        State.PREVIEWED,
        State.SKIPPED,
    } == FINAL_STATES
    assert {target for state in FINAL_STATES for target in TRANSITIONS[state]} == {State.REVERTED}


@pytest.mark.parametrize("state", sorted(set(State) - FINAL_STATES))
def test_a_system_error_can_end_any_step_and_be_retried(state):
    assert State.FAILED in TRANSITIONS[state]
    assert TRANSITIONS[state] <= TRANSITIONS[State.FAILED]


def test_nothing_is_merged_that_was_not_prepared():
    before_merged = {state for state, targets in TRANSITIONS.items() if State.MERGED in targets}
    assert before_merged == {State.PREPARED, State.HELD, State.FAILED}


def test_counts_add_up_when_each_record_has_one_outcome():
    assert Counts(read=5, created=1, updated=1, unchanged=1, duplicate=1, failed=1).add_up()
    assert not Counts(read=2, created=1).add_up()
    assert Counts(created=1, updated=2, unchanged=3, failed=4).imported == 6
    assert {field for field in vars(Counts()) if field in set(Outcome)} == set(Outcome) - {"reverted", "kept"}


def test_a_value_map_is_a_line_of_yaml_and_is_empty_without_a_meaning():
    assert value_map("desk", " London ", "67a3") == 'desk: {"London": "67a3"}'
    assert value_map("desk", "London", "") == ""
