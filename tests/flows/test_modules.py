"""Flow modules: our own in somebody else's flow, what they share with it, and how deep they may be nested."""

from __future__ import annotations

from typing import Any

import pytest

from connectgenai.wire.store import AnswerStore
from connectgenai.wire.waiting import WaitPolicy, WaitPrompt
from flows.flow_types import CUSTOMER_QUEUE
from flows.generate import MODES, NATIVE, QUEUE, build_flow
from flows.language import Action, Flow
from flows.rehearsal import EXAMPLE_ARNS
from flows.runner.contact import Caller
from flows.runner.engine import run_flow
from flows.runner.instance import Instance
from flows.runner.lambdas import Functions
from flows.runner.transcript import Transcript
from flows.runner.virtual_clock import VirtualClock
from flows.stage import Model, Stage, make_topic
from local.memory_dynamodb import MemoryDynamoDB
from tests.flows.building import make_flow, save, say
from tests.flows.running import heard, passed, reasons, run

POLICY = WaitPolicy(prompts=(WaitPrompt(text="One moment please."),), comfort_audio="s3://b/c.wav", comfort_seconds=1.2)
MODULE_ARN = "arn:aws:connect:us-east-1:111122223333:instance/i/flow-module/m1"


def enter(name: str, then: str, *, module: str = "m1") -> Action:
    parameters = {"FlowModuleId": module}
    return Action.make(
        name, "InvokeFlowModule", parameters=parameters, next_action=then, errors=[("NoMatchingError", "End")]
    )


def leave() -> Action:
    return Action.make("Return", "EndFlowModuleExecution")


def converse(mode: str, *, channel: str = "VOICE") -> Transcript:
    """A call in a flow that greets, lets our module answer, and says goodbye."""
    settings: dict[str, Any] = {**EXAMPLE_ARNS, "topic": "store-faq", "policy": POLICY, "is_module": True}
    module = build_flow(mode, **settings)
    outer = make_flow(say("Hello", "Answer", Text="Welcome."), enter("Answer", "Bye"),
                      say("Bye", "End", Text="$.Attributes.connectgenai_status and goodbye."))  # fmt: skip
    with VirtualClock() as clock:
        model = Model(chunks=("We open at nine.", "And we close at six."), first_chunk=20.0)
        topic = make_topic(POLICY, name="store-faq")
        stage = Stage(AnswerStore(MemoryDynamoDB(), table="t"), clock=clock, topic=topic, models=(model,))
        return run_flow(
            outer,
            caller=Caller(channel=channel, attributes={"question": "When do you open?"}),
            invoke=Functions(stage.functions()),
            clock=clock,
            instance=Instance(modules={"m1": module}, flow_type=CUSTOMER_QUEUE if mode == QUEUE else ""),
        )


@pytest.mark.parametrize("channel", ["VOICE", "CHAT"])
@pytest.mark.parametrize("mode", MODES)
def test_our_module_answers_in_somebody_elses_flow(mode: str, channel: str) -> None:
    found = converse(mode, channel=channel)
    said = heard(found)
    assert said[0] == "Welcome."
    assert said[-3:] == ["We open at nine.", "And we close at six.", "200 and goodbye."]
    assert found.end == "disconnected"
    assert found.longest_silence <= (1.0 if mode == NATIVE and channel == "VOICE" else 30.0)


@pytest.mark.parametrize("named", ["m1", MODULE_ARN, f"{MODULE_ARN}:$LATEST"])
def test_a_module_is_found_by_its_id_or_arn(named: str) -> None:
    flow = make_flow(enter("In", "Out", module=named), say("Out", "End", Text="Out."))
    module = make_flow(say("Inner", "Return", Text="In."), leave())
    assert heard(run(flow, modules={"m1": module})) == ["In.", "Out."]


def test_a_module_that_is_not_here_takes_the_error_branch() -> None:
    found = run(make_flow(enter("In", "Out"), say("Out", "End")))
    assert passed(found)[0] == ("In", "NoMatchingError")
    assert reasons(found)[0] == "the module m1 is not here"


def test_a_modules_flow_attributes_are_its_own_and_its_contact_attributes_are_not() -> None:
    note = Action.make("Note", "UpdateContactAttributes", parameters={"Attributes": {"seen": "yes"}}, next_action="Return",
                       errors=[("NoMatchingError", "Return")])  # fmt: skip
    module = make_flow(say("Look", "Set", Text="[$.FlowAttributes.kept]"), save("Set", "Note", "inner"), note, leave())
    words = "[$.FlowAttributes.kept] [$.Attributes.seen]"
    flow = make_flow(save("Keep", "In", "outer"), enter("In", "Out"), say("Out", "End", Text=words))
    assert heard(run(flow, modules={"m1": module})) == ["[]", "[outer] [yes]"]


def test_a_module_that_disconnects_ends_the_call() -> None:
    flow = make_flow(enter("In", "Out"), say("Out", "End"))
    found = run(flow, modules={"m1": make_flow(say("Bye", "End", Text="Bye."))})
    assert (heard(found), found.end) == (["Bye."], "disconnected")


def nest(depth: int) -> dict[str, Flow]:
    """Modules m1 to m<depth>, each calling the next."""
    inner: dict[str, Any] = {f"m{depth}": make_flow(say("Deep", "Return", Text="Deep."), leave())}
    for number in range(1, depth):
        inner[f"m{number}"] = make_flow(enter("In", "Return", module=f"m{number + 1}"), leave())
    return inner


@pytest.mark.parametrize(("depth", "said"), [(5, ["Deep."]), (6, [])])
def test_modules_nest_five_deep(depth: int, said: list[str]) -> None:
    assert heard(run(make_flow(enter("In", "End")), modules=nest(depth))) == said


def test_a_module_that_calls_itself_comes_to_an_end() -> None:
    found = run(make_flow(enter("In", "End")), modules={"m1": make_flow(enter("In", "Return"), leave())})
    assert found.end == "disconnected"
    assert "modules are nested more than five deep" in reasons(found)


def test_another_flow_goes_on_where_the_instance_has_it() -> None:
    move = Action.make("Move", "TransferToFlow", parameters={"ContactFlowId": "arn:aws:connect:r:1:instance/i/contact-flow/f2"},
                       next_action="End", errors=[("NoMatchingError", "End")])  # fmt: skip
    other = make_flow(say("Other", "End", Text="Other."))
    assert heard(run(make_flow(move), flows={"f2": other})) == ["Other."]
    found = run(make_flow(move))
    assert (found.end, found.is_proper) == ("transferred", True)
