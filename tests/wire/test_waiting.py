"""Waiting: cursors, when prompts fall due, and policies that keep their promise."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectgenai.wire.waiting import (
    Cursor,
    WaitPolicy,
    WaitPrompt,
    find_policy_faults,
    hold_until_ms,
    next_prompt,
    policies_from_json,
    policies_to_json,
    remaining_seconds,
)
from tests.wire.conftest import NOW, POLICY


@given(st.text(max_size=60))
def test_a_damaged_cursor_starts_the_wait_afresh_and_is_never_an_error(text: str) -> None:
    cursor = Cursor.decode(text, now_ms=NOW)
    assert 0 < cursor.asked_at <= NOW
    assert cursor.given >= 0


@given(
    st.builds(
        Cursor,
        run=st.from_regex(r"[0-9a-f]{0,12}", fullmatch=True),
        given=st.integers(0, 99),
        prompts=st.integers(0, 99),
        prompt_at=st.integers(0, NOW),
        asked_at=st.integers(1, NOW),
        source=st.sampled_from(["", "hit", "joined"]),
    )
)
def test_a_cursor_comes_back_as_it_went(cursor: Cursor) -> None:
    assert Cursor.decode(cursor.encode(), now_ms=NOW) == cursor


def test_a_cursor_from_the_future_cannot_hold_patience_open() -> None:
    assert Cursor.decode(Cursor(asked_at=NOW + 10**9).encode(), now_ms=NOW).asked_at == NOW


def test_prompts_take_turns_and_never_come_before_the_interval() -> None:
    cursor, said = Cursor(asked_at=NOW), []
    for second in range(0, 40):
        prompt, cursor = next_prompt(POLICY, cursor, now_ms=NOW + second * 1000)
        said += [(second, prompt.text)] if prompt else []
    assert said == [
        (3, "One moment, please."),
        (11, "Still looking."),
        (19, "One moment, please."),
        (27, "Still looking."),
        (35, "One moment, please."),
    ]


def test_a_hold_ends_when_a_prompt_falls_due_or_patience_ends() -> None:
    assert hold_until_ms(POLICY, Cursor(asked_at=NOW), now_ms=NOW, budget_seconds=None) == NOW + 2_000
    assert hold_until_ms(POLICY, Cursor(asked_at=NOW), now_ms=NOW + 2_500, budget_seconds=None) == NOW + 3_000
    late = Cursor(asked_at=NOW, prompts=1, prompt_at=NOW + 59_000)
    assert hold_until_ms(POLICY, late, now_ms=NOW + 59_500, budget_seconds=None) == NOW + 60_000


def test_the_first_hold_counts_from_the_question_so_that_a_cold_start_adds_no_silence() -> None:
    assert hold_until_ms(POLICY, Cursor(asked_at=NOW), now_ms=NOW + 600, budget_seconds=None) == NOW + 2_000


def test_an_asynchronous_hold_waits_through_prompts_up_to_55_seconds() -> None:
    patient = replace(POLICY, max_wait=200)
    assert hold_until_ms(patient, Cursor(asked_at=NOW), now_ms=NOW, budget_seconds=55) == NOW + 55_000
    assert hold_until_ms(patient, Cursor(asked_at=NOW), now_ms=NOW, budget_seconds=500) == NOW + 55_000


def test_policies_travel_as_json() -> None:
    policies = {
        "en-US": POLICY,
        "de-DE": WaitPolicy(prompts=(WaitPrompt(ssml="<speak>x</speak>"), WaitPrompt(audio="s3://b/k"))),
    }
    assert policies_from_json(policies_to_json(policies)) == policies


def test_a_field_of_a_newer_version_is_ignored() -> None:
    assert WaitPolicy.from_dict({"hold": 1.0, "music": "loud"}) == WaitPolicy(hold=1.0)


@pytest.mark.parametrize(
    ("policy", "words"),
    [
        (replace(POLICY, hold=9.0), "Hold must be"),
        (replace(POLICY, hold=2.4, max_silence=2.0), "Hold is silence"),
        (replace(POLICY, max_wait=2.0), "longest wait"),
        (replace(POLICY, interval=0.5), "interval is shorter"),
        (replace(POLICY, prompts=(), comfort_audio=""), "nothing at all"),
        (replace(POLICY, comfort_audio=""), "silence"),
    ],
)
def test_a_policy_that_cannot_keep_its_promise_says_why(policy: WaitPolicy, words: str) -> None:
    assert any(words in fault for fault in find_policy_faults(policy))


def test_a_sound_policy_has_no_faults() -> None:
    assert find_policy_faults(POLICY) == []


@pytest.mark.parametrize(
    ("typical", "waited", "left"), [(20, 0, 20), (18, 0, 20), (20, 7_000, 15), (20, 20_000, None), (0, 0, None)]
)
def test_an_estimate_is_rounded_up_to_five_seconds(typical: int, waited: int, left: int | None) -> None:
    assert remaining_seconds(typical, waited_ms=waited) == left
