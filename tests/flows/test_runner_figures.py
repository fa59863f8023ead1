"""What was promised of a call: no long silence, parts that are heard when they are ready, and an end, whatever happens."""

from __future__ import annotations

import pytest

from benchmarks.flows import CHUNKS, LATENCY_SECONDS, MOMENTS, find_delay, multiply, wait_for_answer, wait_naively
from benchmarks.random_calls import is_stuck, place_random_call
from flows.generate import MODES, NATIVE, POLL, QUEUE
from flows.linter import lint
from flows.rehearsal import EXAMPLE_ARNS, make_rehearsed_flow
from flows.scenarios import ScenarioFile

SOME_MOMENTS = MOMENTS[::4]
CALLS = 200  # of the 1,000 that benchmarks/flows.py places
# Real seconds; the promise of 50 ms is measured by benchmarks/flows.py, on a machine that does nothing else
GENEROUS_SECONDS = 1.0


@pytest.mark.parametrize(("mode", "longest"), [(POLL, 2.5), (NATIVE, 1.0), (QUEUE, 1.0)])
def test_the_longest_silence_on_a_generation_of_20_seconds(mode: str, longest: float) -> None:
    found = wait_for_answer(mode, 20.0)
    assert found.transcript.longest_silence <= longest
    assert found.real_seconds < GENEROUS_SECONDS


def test_the_naive_design_is_silent_for_longer() -> None:
    assert wait_naively(20.0).longest_silence > 7.0


@pytest.mark.parametrize("mode", MODES)
def test_a_part_is_heard_within_a_second_after_it_is_ready_and_the_prompt_has_ended(mode: str) -> None:
    calls = [(moment + LATENCY_SECONDS, wait_for_answer(mode, moment).transcript) for moment in SOME_MOMENTS]
    assert max(find_delay(found, ready=ready) for ready, found in calls) <= 1.0
    assert all(found.find_heard(CHUNKS[0], after=ready) is not None for ready, found in calls)


def test_calls_by_chance_all_end_as_calls_do() -> None:
    done = [place_random_call(seed) for seed in range(CALLS)]
    assert [(one.scenario.name, one.transcript.end, one.transcript.why) for one in done if is_stuck(one)] == []
    assert {one.transcript.end for one in done} >= {
        "queue",
        "disconnected",
        "hung_up",
        "held",
        "module_returned",
        "agent",
    }


def test_the_same_chance_makes_the_same_call() -> None:
    first, second = place_random_call(7).transcript, place_random_call(7).transcript
    assert first.describe() == second.describe()


def test_a_flow_of_a_thousand_actions_is_linted_like_a_small_one() -> None:
    large = multiply(make_rehearsed_flow(ScenarioFile((), flow={"mode": POLL})), 1_000)
    assert len(large.actions) >= 1_000
    assert {finding.rule for finding in lint(large)} == {"TOO_MANY_ACTIONS", "CONTENT_OVER_256000"}
    assert EXAMPLE_ARNS["producer_arn"] in large.to_json()
