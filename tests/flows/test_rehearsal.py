"""Files of scenarios are read with clear words for what is wrong in them, and calls are judged by what was expected."""

from __future__ import annotations

import pytest

from connectgenai.wire.store import AnswerStore
from flows.rehearsal import find_faults, make_rehearsed_flow, rehearse, rehearse_all
from flows.runner.transcript import Event, Transcript
from flows.scenarios import Expected, Heard, ScenarioError, read_scenarios
from local.memory_dynamodb import MemoryDynamoDB
from tests.flows.building import call, make_flow, say

FILE = """
flow: {mode: poll}
defaults: {models: [{first_chunk: 3}]}
scenarios:
  - name: it is answered
    expect: {end: disconnected, heard: [That is the answer]}
"""


def make_store() -> AnswerStore:
    return AnswerStore(MemoryDynamoDB(), table="t")


def test_a_file_is_read_and_rehearsed() -> None:
    file = read_scenarios(FILE)
    done, coverage = rehearse_all(file, make_rehearsed_flow(file), make_store=make_store)
    assert [(one.scenario.name, one.faults) for one in done] == [("it is answered", ())]
    assert 0 < len(coverage.taken) < len(coverage.branches)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "this is not YAML"),
        ("", "the file: a map was expected, not nothing"),
        ("- a", "the file: a map was expected, not a list"),
        ("flow: {}", "the file: 'scenarios' is missing"),
        ("scenarios: [{}]", "scenarios 1: 'name' is missing"),
        ("scenarios: [1]", "scenarios 1: a map was expected, not 1"),
        ("scenarios: [{name: a}, {name: a}]", "two scenarios are called 'a'"),
        ("scenarios: [{name: a, hangup: 3}]", "scenario 'a': 'hangup' is not known here; known are name, question,"),
        (
            "scenarios: [{name: a, hang_up_after: soon}]",
            "scenario 'a', hang_up_after: a number, 0 or more, was expected",
        ),
        (
            "scenarios: [{name: a, expect: {heard: [{words: b}]}}]",
            "scenario 'a', expect, heard 1: 'words' is not known",
        ),
        ("scenarios: [{name: a, keys: [1]}]", "scenario 'a', keys 1: 2 values were expected, such as"),
        ("scenarios: [{name: a, models: [{first_chunk: x}]}]", "scenario 'a', models 1, first_chunk: a number"),
        (
            "scenarios: [{name: a, lambdas: {f: [{reply: {}, wait: 3}]}}]",
            "scenario 'a', lambdas, f 1: 'wait' is not known here; known are seconds, error, reply, times",
        ),
        ("scenarios: [{name: a, lambdas: [f]}]", "scenario 'a', lambdas: a map was expected, not a list"),
        ("scenarios: [{name: a, lambdas: {f: [{seconds: long}]}}]", "scenario 'a', lambdas, f 1, seconds: a number"),
        (
            "scenarios: [{name: a, lambdas: {f: [{error: x, times: many}]}}]",
            "scenario 'a', lambdas, f 1, times: a whole number",
        ),
        ("scenarios: [{name: a, hours: [1]}]", "scenario 'a', hours: a map was expected"),
        ("scenarios: [{name: a, queue_full: maybe}]", "scenario 'a', queue_full: true or false"),
        ("scenarios: [{name: a, says: [{intent: Buy, seconds: x}]}]", "scenario 'a', says 1, seconds: a number"),
        ("scenarios: [{name: a, models: [{stops_after: x}]}]", "scenario 'a', models 1, stops_after: a whole number"),
        ("scenarios: [{name: a}]\ndefaults: [b]", "defaults: a map was expected"),
        ("scenarios: [{name: [a]}]", "scenarios 1, name: a text was expected"),
        ("scenarios: [{name: a, channel: PHONE}]", "scenario 'a', channel: one of VOICE, CHAT"),
        ("scenarios: [{name: a, question: {b: c}}]", "scenario 'a', question: a text was expected"),
        ("scenarios: [{name: a, metrics: {m: many}}]", "scenario 'a', metrics, m: a number"),
        ("scenarios: [{name: a, expect: {end: hangup}}]", "scenario 'a', expect, end: one of"),
        ("policy: {hold: soon}\nscenarios: []", "policy, hold: a number"),
        ("policy: {prompts: 3}\nscenarios: []", "policy, prompts 1: a map was expected, not 3"),
        ("policy: {holds: 3}\nscenarios: []", "policy: 'holds' is not known here; known are hold,"),
        ("policy: {prompts: [{words: a}]}\nscenarios: []", "policy, prompts"),
        ("flow: [poll]\nscenarios: []", "flow: a map was expected"),
        ("topic: [x]\nscenarios: []", "topic: a text was expected"),
    ],
)
def test_what_is_wrong_in_a_file_is_said_with_its_place(text: str, said: str) -> None:
    with pytest.raises(ScenarioError, match=said):
        read_scenarios(text)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ("{mode: push}", "flow: there is no mode 'push'"),
        ("{mod: poll}", "flow: 'mod' is not known here; known are mode, module"),
        ('{question: "Why?"}', "flow: the question is a reference"),
    ],
)
def test_settings_that_make_no_flow_are_said_too(settings: str, said: str) -> None:
    with pytest.raises(ScenarioError, match=said):
        make_rehearsed_flow(read_scenarios(f"flow: {settings}\nscenarios: []"))


def test_an_answer_that_is_known_needs_a_question() -> None:
    file = read_scenarios("scenarios: [{name: a, question: ' ', known: [b]}]")
    with pytest.raises(ScenarioError, match="scenario 'a': known: no question can be answered"):
        rehearse(file.scenarios[0], make_rehearsed_flow(file), file=file, store=make_store())


FOUND = Transcript(
    end="queue",
    queue="arn:aws:connect:us-east-1:1:instance/i/queue/Basic",
    seconds=12.0,
    longest_silence=3.0,
    lambda_calls=4,
    attributes={"status": "500"},
    events=(Event(2.0, "play", text="One  moment"), Event(9.0, "play", text="Sorry")),
)


@pytest.mark.parametrize(
    ("expected", "said"),
    [
        (Expected(), []),
        (Expected(end="queue", queue="Basic", max_seconds=12.0, max_silence=3.0, max_lambda_calls=4), []),
        (Expected(heard=(Heard("one moment", by=2.0), Heard("sorry", after=3.0))), []),
        (Expected(end="disconnected"), ["the call ended by 'queue', not by 'disconnected'"]),
        (Expected(queue="Other"), [f"the contact came to the queue {FOUND.queue!r}, not 'Other'"]),
        (Expected(heard=(Heard("goodbye"),)), ["'goodbye' was never heard"]),
        (Expected(heard=(Heard("one moment", after=3.0),)), ["'one moment' was never heard after 3 s"]),
        (Expected(heard=(Heard("sorry", by=8.0),)), ["'sorry' was heard after 9.00 s, not by 8 s"]),
        (Expected(not_heard=("sorry",)), ["'sorry' was heard, after 9.00 s"]),
        (Expected(max_silence=2.5), ["the longest silence was 3.00 s, more than 2.5 s"]),
        (Expected(max_seconds=10), ["the call took 12.00 s, more than 10 s"]),
        (Expected(max_lambda_calls=3), ["there were 4 Lambda calls, more than 3"]),
        (Expected(attributes={"status": "200"}), ["the attribute status is '500', not '200'"]),
        (Expected(passes=("Ask",)), ["the contact never came to Ask"]),
    ],
)
def test_what_was_not_as_expected_is_said_in_a_sentence(expected: Expected, said: list[str]) -> None:
    assert list(find_faults(expected, FOUND)) == said


def test_a_call_that_does_not_end_properly_is_always_a_fault() -> None:
    found = Transcript("stuck", why="the flow goes round without end")
    assert list(find_faults(Expected(), found)) == [
        "the call did not end properly: stuck: the flow goes round without end"
    ]


def test_a_customers_own_flow_is_rehearsed_with_scripted_lambdas_and_only_those() -> None:
    flow = make_flow(
        call("Lookup", "Speak", failing="Sorry"),
        say("Speak", "End", Text="$.External.name"),
        say("Sorry", "End", Text="Sorry."),
    )
    file = read_scenarios("""
scenarios:
  - name: it is found
    lambdas: {Lookup: [{reply: {name: Ann}}]}
    expect: {heard: [Ann]}
  - name: nobody is there
    expect: {heard: [Sorry], not_heard: [Ann]}
""")
    done, coverage = rehearse_all(file, flow, make_store=make_store)
    assert [one.faults for one in done] == [(), ()]
    assert coverage.missed == (("Speak", "NoMatchingError"), ("Sorry", "NoMatchingError"))
