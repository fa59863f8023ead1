"""The linter's rules on time: Lambdas in a row, polling, cycles, and how fast the linter itself is."""

from __future__ import annotations

import time

import pytest

from flows.language import Action, Flow
from flows.linter import lint
from tests.flows.building import END, ask, call, compare, find, loop, make_flow, pick, say, start, wait


def make_row(*seconds: str, between: Action | None = None) -> Flow:
    """Lambdas in a row with these time limits, and one block before the last."""
    names = [f"L{number}" for number in range(len(seconds))]
    following = [*names[1:], "End"]
    calls = [call(name, then, seconds=limit) for name, then, limit in zip(names, following, seconds, strict=True)]
    if between:
        calls[-2] = call(names[-2], "Between", seconds=seconds[-2])
        calls.append(between)
    return make_flow(*calls)


def test_lambdas_that_may_take_over_20_seconds_together_are_found_where_they_exceed_it() -> None:
    flow = make_row("8", "7", "6", "8")
    assert find(flow) == {("LAMBDA_SEQ_20S", "L2")}
    found = pick(flow, "LAMBDA_SEQ_20S")
    assert found.severity == "warning"
    assert "21 s" in found.message
    assert found.message.index("L0") < found.message.index("L1") < found.message.index("L2")


def test_lambdas_of_20_seconds_together_are_not() -> None:
    assert find(make_row("8", "8", "4")) == set()


@pytest.mark.parametrize(
    "between",
    [say("Between", "L2"), say("Between", "L2", SSML='<speak><break time="500ms"/></speak>'), ask("Between", "L2")],
    ids=["prompt", "silent prompt", "menu"],
)
def test_a_prompt_between_lambdas_begins_the_20_seconds_anew(between: Action) -> None:
    assert find(make_row("8", "8", "8", between=between)) == set()


def test_a_block_that_says_nothing_does_not() -> None:
    between = compare("Between", "$.External.found", "L2", yes="L2")
    assert ("LAMBDA_SEQ_20S", "L2") in find(make_row("8", "8", "8", between=between))


def test_a_lambda_that_runs_while_the_flow_goes_on_takes_no_time_of_it() -> None:
    flow = make_flow(call("A", "B"), call("B", "C"), start("C", "D"), call("D", "End", seconds="4"))
    assert "LAMBDA_SEQ_20S" not in {rule for rule, _ in find(flow)}


def test_the_longest_of_many_ways_counts() -> None:
    flow = make_flow(
        compare("Which", "$.Attributes.tier", "A", gold="C"),
        call("A", "B", seconds="8"),
        call("B", "C", seconds="8"),
        call("C", "End", seconds="8"),
    )
    assert find(flow) == {("LAMBDA_SEQ_20S", "C")}


def test_a_lambda_that_fails_has_used_its_time() -> None:
    flow = make_flow(
        call("A", "End", failing="B"), call("B", "End", failing="C"), call("C", "End", failing="End", seconds="5")
    )
    assert find(flow) == {("LAMBDA_SEQ_20S", "C")}


@pytest.mark.parametrize(("seconds", "is_found"), [("3", True), ("4", False), ("2", False)])
def test_the_default_of_3_seconds_is_found(seconds: str, is_found: bool) -> None:
    assert (("LAMBDA_TIMEOUT_DEFAULT_3S", "It") in find(make_flow(call("It", "End", seconds=seconds)))) == is_found


def test_a_lambda_without_a_time_limit_has_the_default() -> None:
    errors = [("NoMatchingError", "End")]
    parameters = {"LambdaFunctionARN": "arn"}
    it = Action.make("It", "InvokeLambdaFunction", parameters=parameters, next_action="End", errors=errors)
    assert find(make_flow(it)) == {("LAMBDA_TIMEOUT_DEFAULT_3S", "It")}


def make_poll(*extra: Action, again: str) -> Flow:
    """A flow that polls a Lambda until it says 200, and goes on elsewhere when it says 202."""
    status = compare("Status", "$.External.statusCode", "End", **{"200": "End", "202": again})
    return make_flow(say("Hello", "Poll"), call("Poll", "Status"), status, *extra)


def test_a_poll_without_a_prompt_is_an_error() -> None:
    flow = make_poll(again="Poll")
    assert find(flow) == {("POLL_CYCLE_WITHOUT_PROMPT", "Poll")}
    assert pick(flow, "POLL_CYCLE_WITHOUT_PROMPT").severity == "error"


def test_a_poll_that_only_a_loop_bounds_is_an_error_too() -> None:
    flow = make_poll(loop("Backstop", "Poll", "End", count="20"), again="Backstop")
    assert pick(flow, "POLL_CYCLE_WITHOUT_PROMPT").severity == "error"


def test_a_poll_with_a_prompt_and_a_loop_is_sound() -> None:
    assert find(make_poll(say("Hold", "Backstop"), loop("Backstop", "Poll", "End"), again="Hold")) == set()


def test_a_poll_with_a_prompt_that_nothing_ends_is_found() -> None:
    flow = make_poll(say("Hold", "Poll"), again="Hold")
    assert find(flow) == {("POLL_CYCLE_UNBOUNDED", "Poll")}
    assert "Hold" in pick(flow, "POLL_CYCLE_UNBOUNDED").message


def test_a_poll_that_a_counter_ends_is_sound() -> None:
    counter = Action.make(
        "Count",
        "Compare",
        parameters={"ComparisonValue": "$.External.polls"},
        next_action="Poll",
        conditions=[("NumberGreaterThan", "10", "End")],
        errors=[("NoMatchingCondition", "Poll")],
    )
    assert find(make_poll(say("Hold", "Count"), counter, again="Hold")) == set()
    named = compare("Count", "$.Attributes.retryCount", "Poll", **{"10": "End"})
    assert find(make_poll(say("Hold", "Count"), named, again="Hold")) == set()


def test_a_menu_that_looks_something_up_each_time_is_sound() -> None:
    flow = make_flow(ask("Menu", "Look up"), call("Look up", "Tell"), say("Tell", "Menu", Text="$.External.balance"))
    assert find(flow) == set()


def test_an_asynchronous_lambda_that_is_awaited_again_and_again_is_unbounded() -> None:
    latest = "$.LambdaInvocation.InvocationId"
    hold = (say("Hold", "Turn"), loop("Turn", "Hold", "End"))
    endless = wait("Wait", "End", playing="Hold", late="Ask", identifier=latest)
    assert find(make_flow(start("Ask", "Wait"), endless, *hold)) == {("POLL_CYCLE_UNBOUNDED", "Ask")}
    bounded = wait("Wait", "End", playing="Hold", late="Rearm", identifier=latest)
    assert find(make_flow(start("Ask", "Wait"), bounded, loop("Rearm", "Ask", "End"), *hold)) == set()


def test_a_retry_is_only_a_warning_and_only_if_it_may_exceed_20_seconds() -> None:
    flow = make_flow(call("Look up", "End", failing="Retry"), loop("Retry", "Look up", "End", count="2"))
    assert pick(flow, "POLL_CYCLE_WITHOUT_PROMPT").severity == "warning"
    assert "something fails" in pick(flow, "POLL_CYCLE_WITHOUT_PROMPT").message
    quick = make_flow(call("Look up", "End", failing="Retry", seconds="5"), loop("Retry", "Look up", "End", count="2"))
    assert find(quick) == set()


def test_a_silent_way_beside_one_that_speaks_is_a_warning() -> None:
    status = compare("Status", "$.External.statusCode", "End", **{"202": "Hold", "206": "Poll"})
    flow = make_flow(call("Poll", "Status"), status, say("Hold", "Backstop"), loop("Backstop", "Poll", "End"))
    assert pick(flow, "POLL_CYCLE_WITHOUT_PROMPT").severity == "warning"


def test_going_round_in_no_time_is_an_error() -> None:
    flow = make_flow(
        say("Hello", "Which"),
        compare("Which", "$.Attributes.tier", "Set", gold="End"),
        Action.make(
            "Set",
            "UpdateContactAttributes",
            parameters={"Attributes": {"tier": "silver"}},
            next_action="Which",
            errors=[("NoMatchingError", "End")],
        ),
    )
    assert find(flow) == {("CYCLE_WITHOUT_PROMPT", "Which")}
    assert pick(flow, "CYCLE_WITHOUT_PROMPT").severity == "error"


def test_going_round_only_while_something_fails_is_a_warning() -> None:
    again = Action.make(
        "Set",
        "UpdateContactAttributes",
        parameters={"Attributes": {"tier": "silver"}},
        next_action="End",
        errors=[("NoMatchingError", "Set")],
    )
    assert pick(make_flow(again), "CYCLE_WITHOUT_PROMPT").severity == "warning"


def test_going_round_with_a_prompt_or_a_loop_is_sound() -> None:
    spoken = make_flow(compare("Which", "$.Attributes.tier", "Hold", gold="End"), say("Hold", "Which"))
    assert find(spoken) == set()
    counted = make_flow(compare("Which", "$.Attributes.tier", "Turn", gold="End"), loop("Turn", "Which", "End"))
    assert find(counted) == set()


def make_dense(count: int, ways: int) -> Flow:
    """Lambdas and comparisons, each leading to many others: more paths than anybody could follow one by one."""
    actions: list[Action] = []
    for number in range(count):
        target = {str(way): f"A{(number * 7 + way * 13 + 1) % count}" for way in range(ways)}
        then = f"A{(number + 1) % count}"
        odd = compare(f"A{number}", f"$.External.key{number % 9}", then, **target)
        actions.append(odd if number % 2 else call(f"A{number}", then, failing=target["0"]))
    return Flow.make([*actions, END], start="A0")


def test_a_thousand_densely_connected_actions_are_checked_without_following_each_path() -> None:
    flow = make_dense(1000, 20)
    began = time.process_time()
    findings = lint(flow)
    # 1 s is the promise; other processes share this machine, and a following of paths would never end
    assert time.process_time() - began < 5
    assert {found.rule for found in findings} >= {"TOO_MANY_ACTIONS", "POLL_CYCLE_WITHOUT_PROMPT"}


def test_a_row_of_a_thousand_ways_that_part_and_meet_is_measured() -> None:
    steps = [
        compare(f"A{n}", "$.Attributes.x", f"A{n + 1}", **{str(way): f"A{n + 2}" for way in range(5)})
        for n in range(200)
    ]
    flow = make_flow(*steps, call("A200", "A201"), call("A201", "A202"), call("A202", "End"))
    assert ("LAMBDA_SEQ_20S", "A202") in find(flow)
