"""The linter's rule on Lambdas' results that another Lambda has replaced."""

from __future__ import annotations

from flows.language import Action, Flow
from tests.flows.building import call, compare, find, load, loop, make_flow, pick, save, say, start, wait

RULE = "EXTERNAL_OVERWRITTEN_BEFORE_READ"


def tell(name: str, then: str, *keys: str) -> Action:
    """A prompt that speaks some keys of the latest result."""
    return say(name, then, Text=" ".join(f"$.External.{key}" for key in keys))


def test_a_result_that_is_read_again_after_another_lambda_is_found() -> None:
    flow = make_flow(
        call("Customer", "Greet"),
        tell("Greet", "Balance", "firstName"),
        call("Balance", "Tell"),
        tell("Tell", "End", "firstName", "balance"),
    )
    assert find(flow) == {(RULE, "Tell")}
    found = pick(flow, RULE)
    assert found.severity == "warning"
    assert "$.External.firstName" in found.message
    assert "Save the value right after Customer" in found.fix


def test_a_result_that_was_saved_before_is_sound() -> None:
    flow = make_flow(
        call("Customer", "Greet"),
        tell("Greet", "Keep", "firstName"),
        save("Keep", "Balance", "$.External.firstName"),
        call("Balance", "Tell"),
        say("Tell", "End", Text="$.FlowAttributes.kept $.External.balance"),
    )
    assert find(flow) == set()


def test_a_lambda_that_by_its_name_only_stores_replaces_a_result_nobody_has_read() -> None:
    flow = make_flow(call("Customer", "log-call"), call("log-call", "Tell"), tell("Tell", "End", "firstName"))
    assert find(flow) == {(RULE, "Tell")}


def test_the_result_of_the_latest_lambda_is_sound() -> None:
    flow = make_flow(call("log-call", "Customer"), call("Customer", "Tell"), tell("Tell", "End", "firstName"))
    assert find(flow) == set()


def test_a_lambda_on_one_of_two_ways_is_found_where_they_meet() -> None:
    flow = make_flow(
        call("Customer", "Which"),
        compare("Which", "$.External.tier", "Tell", gold="Offers"),
        call("Offers", "Offer", failing="End"),
        tell("Offer", "Tell", "discount"),
        tell("Tell", "End", "tier"),
    )
    assert find(flow) == {(RULE, "Tell")}


def test_lambdas_that_share_a_key_answer_in_one_format() -> None:
    flow = make_flow(
        call("Customer", "Found"),
        compare("Found", "$.External.statusCode", "End", **{"200": "Greet"}),
        tell("Greet", "Balance", "firstName"),
        call("Balance", "Known"),
        compare("Known", "$.External.statusCode", "End", **{"200": "Tell"}),
        tell("Tell", "End", "firstName"),
    )
    assert find(flow) == set()


def test_keys_that_any_function_may_have_are_each_ones_own() -> None:
    flow = make_flow(
        call("Customer", "Greet"),
        tell("Greet", "Balance", "message"),
        call("Balance", "Tell"),
        tell("Tell", "End", "message"),
    )
    assert find(flow) == set()


def test_a_comparison_right_after_a_lambda_is_of_its_own_result() -> None:
    flow = make_flow(
        call("Customer", "Which"),
        compare("Which", "$.External.isOpen", "Hours", yes="End"),
        call("Hours", "Open"),
        compare("Open", "$.External.isOpen", "End", yes="End"),
    )
    assert find(flow) == set()


def test_a_lambda_that_fails_replaces_nothing() -> None:
    flow = make_flow(
        call("Customer", "Greet"),
        tell("Greet", "log-call", "firstName"),
        call("log-call", "End", failing="Sorry"),
        tell("Sorry", "End", "firstName"),
    )
    assert find(flow) == set()


def test_a_module_in_between_makes_the_rule_silent() -> None:
    module = Action.make(
        "Module",
        "InvokeFlowModule",
        parameters={"FlowModuleId": "m"},
        next_action="Tell",
        errors=[("NoMatchingError", "End")],
    )
    flow = make_flow(
        call("Customer", "Greet"),
        tell("Greet", "log-call", "firstName"),
        call("log-call", "Module"),
        module,
        tell("Tell", "End", "firstName"),
    )
    assert find(flow) == set()


def make_ours() -> Flow:
    """Both of this product's functions, by polling: every reply has every key."""
    answers = {"200": "Answer", "206": "Answer", "202": "Hold"}
    return make_flow(
        call("Producer", "Status"),
        compare("Status", "$.External.statusCode", "End", **answers),
        save("Hold", "Comfort", "$.External.ticket"),
        tell("Comfort", "Backstop", "ssml"),
        loop("Backstop", "Consumer", "End"),
        call("Consumer", "Status again", LambdaInvocationAttributes={"ticket": "$.FlowAttributes.kept"}),
        compare("Status again", "$.External.statusCode", "End", **answers),
        tell("Answer", "End", "ssml", "reason"),
    )


def test_functions_whose_replies_have_the_same_keys_are_sound() -> None:
    assert find(make_ours()) == set()


def test_a_loaded_result_counts_as_its_lambdas() -> None:
    flow = make_flow(
        call("Customer", "Greet"),
        tell("Greet", "Ask", "firstName"),
        start("Ask", "Keep"),
        save("Keep", "Wait", "$.LambdaInvocation.InvocationId"),
        wait("Wait", "Load", playing="Hold"),
        say("Hold", "Turn"),
        loop("Turn", "Hold", "End"),
        load("Load", "Tell"),
        tell("Tell", "End", "firstName"),
    )
    assert find(flow) == {(RULE, "Tell")}
