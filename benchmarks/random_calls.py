"""Calls by chance: hang-ups, keys, slow and failing Lambdas, lost requests, dying workers, blocks that fail. Every one must end."""

from __future__ import annotations

from functools import cache
from random import Random

from connectgenai.wire.store import AnswerStore
from connectgenai.wire.waiting import WaitPolicy, WaitPrompt
from flows.coverage import END, find_branches
from flows.generate import MODES
from flows.language import Flow
from flows.rehearsal import Rehearsed, make_rehearsed_flow, rehearse
from flows.runner.outcome import PROPER_ENDS
from flows.scenarios import Scenario, ScenarioFile
from flows.stage import CONSUMER, PRODUCER, Model, Step
from local.memory_dynamodb import MemoryDynamoDB

PROMPTS = (WaitPrompt(text="One moment please, I am looking that up."), WaitPrompt(text="I am still checking."))
POLICIES = (
    WaitPolicy(prompts=PROMPTS, comfort_audio="s3://sounds/comfort.wav", comfort_seconds=1.2, max_wait=60.0),
    WaitPolicy(prompts=PROMPTS, interval=4.0, max_wait=30.0, hold=1.0),
    WaitPolicy(max_wait=20.0),
)
CHUNKS = ("On Sundays we open at eleven.", "We close at four in the afternoon.", "On holidays we are closed.")
LONGEST_CALL_SECONDS = 600.0


@cache
def open_file(mode: str, number: int, is_module: bool) -> tuple[ScenarioFile, Flow]:
    """The flow of a mode with one of the policies, and what its calls share."""
    file = ScenarioFile((), policy=POLICIES[number], flow={"mode": mode, "module": is_module})
    return file, make_rehearsed_flow(file)


def place_random_call(seed: int) -> Rehearsed:
    """The call of this seed, always the same, in virtual time."""
    chance = Random(seed)
    file, flow = open_file(chance.choice(MODES), chance.randrange(len(POLICIES)), chance.random() < 0.2)
    store = AnswerStore(MemoryDynamoDB(), table="calls")
    return rehearse(_draw_scenario(chance, flow, name=f"call {seed}"), flow, file=file, store=store)


def is_stuck(done: Rehearsed) -> bool:
    """Whether the call did not end as a call should, in its time."""
    found = done.transcript
    return found.end not in PROPER_ENDS or found.seconds > LONGEST_CALL_SECONDS


def _draw_scenario(chance: Random, flow: Flow, *, name: str) -> Scenario:
    question = chance.choice(("When do you open on Sunday?",) * 9 + ("  ",))
    return Scenario(
        name,
        question=question,
        channel=chance.choice(("VOICE", "VOICE", "CHAT")),
        caller=chance.choice(("+15550123", "+15550100", "")),
        hang_up_after=chance.uniform(0, 80) if chance.random() < 0.3 else None,
        keys=tuple((chance.uniform(0, 40), chance.choice("0123456789*#")) for _ in range(chance.choice((0, 0, 3)))),
        known=CHUNKS[: chance.randint(1, 3)] if question.strip() and chance.random() < 0.15 else (),
        models=tuple(_draw_model(chance) for _ in range(chance.randint(1, 3))),
        lambdas={name: tuple(_draw_step(chance) for _ in range(chance.randint(1, 6)))
                 for name in (PRODUCER, CONSUMER) if chance.random() < 0.3},
        faults={action: tuple(ways) for action, ways in _draw_faults(chance, flow)},
        queue_full=chance.random() < 0.1,
        agent_after=chance.uniform(0, 90) if chance.random() < 0.1 else None,
    )  # fmt: skip


def _draw_model(chance: Random) -> Model:
    return Model(
        chunks=CHUNKS[: chance.randint(1, 3)],
        first_chunk=chance.choice((0.3, 2.0, 8.0, 20.0, 45.0, 200.0)) * chance.uniform(0.5, 1.5),
        every=chance.uniform(0.1, 15.0),
        fails=chance.choice(("", "", "", "", "blocked", "model_error")),
        stops_after=chance.choice((None, None, None, 0, 1)),
        is_lost=chance.random() < 0.1,
    )


def _draw_step(chance: Random) -> Step:
    seconds, times = chance.choice((0.0, 0.2, 3.0, 7.0, 9.0, 70.0)), chance.randint(1, 4)
    if chance.random() < 0.5:
        return Step(seconds, error="down", times=times)
    if chance.random() < 0.2:
        return Step(seconds, reply=chance.choice(("nonsense", {"statusCode": 202}, {}, None)), times=times)
    return Step(seconds, times=times)


def _draw_faults(chance: Random, flow: Flow) -> list[tuple[str, list[str]]]:
    """Some blocks leave by one of their branches whatever happens, the first times that they are come to."""
    drawn = []
    for action in chance.sample(flow.actions, k=chance.choice((0, 0, 1, 2, 4))):
        ways = [
            way.rpartition(" ")[2] for _, way in find_branches(action) if way not in (END, "next", "Equals Continue")
        ]
        if ways:
            drawn.append((action.identifier, [chance.choice(("", *ways)) for _ in range(chance.randint(1, 4))]))
    return drawn
