"""The linter's rules on native asynchronous mode: Wait blocks, their Continue branches and invocation ids."""

from __future__ import annotations

import pytest

from flows.flow_types import CONTACT_FLOW, CUSTOMER_QUEUE, MODULE
from flows.language import Action, Flow
from tests.flows.building import ask, compare, find, load, loop, make_flow, pick, save, say, start, wait

RAW = "$.LambdaInvocation.InvocationId"
HOLD = (say("Hold", "Turn"), loop("Turn", "Hold", "End"))
PLAIN = Action.make(
    "Wait",
    "Wait",
    parameters={"TimeLimitSeconds": "60"},
    next_action="End",
    conditions=[("Equals", "WaitCompleted", "End")],
    errors=[("NoMatchingError", "End")],
)


def make_native(*hold: Action, playing: str = "Hold") -> Flow:
    """A flow that waits for one asynchronous Lambda while something plays."""
    return make_flow(
        start("Ask", "Keep"),
        save("Keep", "Wait", RAW),
        wait("Wait", "Load", playing=playing),
        load("Load", "End"),
        *hold,
    )


def test_native_mode_with_a_looping_prompt_is_sound() -> None:
    assert find(make_native(*HOLD)) == set()


def test_a_wait_in_a_queue_flow_is_no_place_for_voice() -> None:
    flow = make_native(*HOLD)
    assert ("WAIT_ON_VOICE_OUTSIDE_INBOUND", "Wait") in find(flow, flow_type=CUSTOMER_QUEUE)
    assert pick(flow, "WAIT_ON_VOICE_OUTSIDE_INBOUND", flow_type=CUSTOMER_QUEUE).severity == "warning"


@pytest.mark.parametrize("kind", [CONTACT_FLOW, MODULE, ""])
def test_a_wait_in_an_inbound_flow_a_module_or_a_flow_of_unknown_type_is_sound(kind: str) -> None:
    assert find(make_native(*HOLD), flow_type=kind) == set()


def test_a_plain_wait_is_found_where_voice_certainly_comes_to_it() -> None:
    flow = make_flow(compare("Channel", "$.Channel", "End", VOICE="Wait"), PLAIN)
    assert find(flow) == {("WAIT_ON_VOICE_OUTSIDE_INBOUND", "Wait")}
    assert find(make_flow(PLAIN), channels=["voice"]) == {("WAIT_ON_VOICE_OUTSIDE_INBOUND", "Wait")}


def test_a_plain_wait_for_chat_is_sound() -> None:
    assert find(make_flow(compare("Channel", "$.Channel", "End", CHAT="Wait"), PLAIN)) == set()
    assert find(make_flow(PLAIN)) == set()


def test_a_wait_in_the_continue_branch_of_another_is_found() -> None:
    flow = make_native(
        say("Hold", "Inner"), wait("Inner", "End", playing="Later"), say("Later", "Turn"), loop("Turn", "Later", "End")
    )
    assert find(flow) == {("NESTED_WAIT_IN_CONTINUE", "Inner")}
    assert pick(flow, "NESTED_WAIT_IN_CONTINUE").severity == "error"


def test_a_continue_branch_that_leads_back_to_its_wait_is_nested_too() -> None:
    assert find(make_native(say("Hold", "Wait"))) == {("NESTED_WAIT_IN_CONTINUE", "Wait")}


def test_two_waits_one_after_the_other_are_not_nested() -> None:
    flow = make_flow(
        start("Ask", "Keep"),
        save("Keep", "First", RAW),
        wait("First", "Second", playing="Hold", late="End"),
        wait("Second", "End", playing="Hold"),
        *HOLD,
    )
    assert find(flow) == set()


def test_a_continue_branch_that_plays_once_and_hangs_up_is_found() -> None:
    flow = make_native(say("Hold", "End", PromptId="music"))
    assert find(flow) == {("CONTINUE_BRANCH_TERMINATES", "Wait")}


def test_a_continue_branch_that_hands_over_after_one_prompt_is_found() -> None:
    errors = [("QueueAtCapacity", "End"), ("NoMatchingError", "End")]
    transfer = Action.make("Transfer", "TransferContactToQueue", next_action="End", errors=errors)
    assert ("CONTINUE_BRANCH_TERMINATES", "Wait") in find(make_native(say("Hold", "Transfer"), transfer))


def test_a_continue_branch_that_lets_the_caller_leave_is_sound() -> None:
    assert find(make_native(ask("Hold", "End"))) == set()


def test_an_invocation_id_that_the_next_one_replaces_is_found() -> None:
    flow = make_flow(
        start("First", "Second"),
        start("Second", "Wait"),
        wait("Wait", "Load", playing="Hold", identifier=RAW),
        load("Load", "End", identifier=RAW),
        *HOLD,
    )
    assert find(flow) == {("INVOCATION_ID_NOT_SAVED", "First")}
    assert "Second" in pick(flow, "INVOCATION_ID_NOT_SAVED").message


def test_an_invocation_id_that_was_saved_in_between_is_sound() -> None:
    flow = make_flow(
        start("First", "Keep"),
        save("Keep", "Second", RAW),
        start("Second", "Wait"),
        wait("Wait", "Load", playing="Hold", identifier=RAW),
        load("Load", "Load first", identifier=RAW),
        load("Load first", "End"),
        *HOLD,
    )
    assert find(flow) == set()


def test_one_lambda_whose_id_is_read_at_once_is_sound() -> None:
    flow = make_flow(
        start("Ask", "Wait"),
        wait("Wait", "Load", playing="Hold", identifier=RAW),
        load("Load", "End", identifier=RAW),
        *HOLD,
    )
    assert find(flow) == set()


def test_lambdas_whose_results_nobody_wants_are_sound() -> None:
    assert find(make_flow(start("Log", "Notify"), start("Notify", "End"))) == set()


def test_an_invocation_id_that_is_awaited_but_never_saved_is_found() -> None:
    flow = make_flow(start("Ask", "Wait"), wait("Wait", "Load", playing="Hold"), load("Load", "End"), *HOLD)
    assert find(flow) == {("INVOCATION_ID_NOT_SAVED", "Wait"), ("INVOCATION_ID_NOT_SAVED", "Load")}


def test_an_invocation_id_that_another_flow_may_have_saved_is_sound() -> None:
    kept = "$.Attributes.invocation"
    flow = make_flow(wait("Wait", "Load", playing="Hold", identifier=kept), load("Load", "End", identifier=kept), *HOLD)
    assert find(flow) == set()
