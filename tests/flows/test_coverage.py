"""Which ways out of a flow's actions were taken."""

from __future__ import annotations

from flows.coverage import find_branches, measure_coverage
from flows.language import Action
from tests.flows.building import ask, call, loop, make_flow, say
from tests.flows.running import fail, reply, run

FLOW = make_flow(call("Ask", "Speak", failing="Sorry"), say("Speak", "End"), say("Sorry", "End"))


def test_every_way_out_is_a_branch() -> None:
    assert find_branches(ask("Menu", "End")) == [
        ("Menu", "Equals 1"),
        *[("Menu", kind) for kind in ("InputTimeLimitExceeded", "NoMatchingCondition", "NoMatchingError")],
    ]
    assert find_branches(loop("Again", "End", "End")) == [
        ("Again", "Equals ContinueLooping"),
        ("Again", "Equals DoneLooping"),
    ]
    assert find_branches(FLOW.by_id["End"]) == [("End", "end")]


def test_a_transfer_that_succeeds_ends_the_flow() -> None:
    move = Action.make(
        "Move",
        "TransferContactToQueue",
        next_action="End",
        errors=[("QueueAtCapacity", "End"), ("NoMatchingError", "End")],
    )
    assert find_branches(move) == [("Move", "QueueAtCapacity"), ("Move", "NoMatchingError"), ("Move", "end")]


def test_what_was_not_taken_is_named() -> None:
    visits = run(FLOW, lambdas={"Ask": reply()}).visits
    coverage = measure_coverage(FLOW, visits)
    assert coverage.missed == (
        ("Ask", "NoMatchingError"),
        ("Speak", "NoMatchingError"),
        ("Sorry", "NoMatchingError"),
        ("Sorry", "next"),
    )
    assert coverage.describe().splitlines()[:2] == [
        "3 of 7 branches taken (42 %)",
        "  not taken: Ask -> NoMatchingError",
    ]


def test_several_calls_count_together() -> None:
    visits = [*run(FLOW, lambdas={"Ask": reply()}).visits, *run(FLOW, lambdas={"Ask": fail()}).visits]
    assert measure_coverage(FLOW, visits).missed == (("Speak", "NoMatchingError"), ("Sorry", "NoMatchingError"))


def test_a_flow_without_branches_is_covered() -> None:
    assert measure_coverage(make_flow(Action.make("Only", "SomethingOf2031")), []).describe().startswith("0 of ")
