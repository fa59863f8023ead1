"""The flows in virtual time: how long the line is silent, when a part that is ready is heard, and what a call costs to run.

Needs neither an emulator nor a network: the Lambdas' code, the answer protocol and the flows are the real ones, over
DynamoDB in memory. The naive design is heard over the same poll flow: its Consumer looks once and sleeps for 7 s.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from statistics import median
from typing import Any, Final

from benchmarks.measure import Figure, Figures, Say, time_ms
from benchmarks.naive.reply import PROMPTS, make_reply
from benchmarks.random_calls import is_stuck, place_random_call
from connectgenai.wire.store import AnswerStore
from connectgenai.wire.waiting import WaitPolicy, WaitPrompt
from flows.generate import MODES, NATIVE, POLL, QUEUE
from flows.language import Action, Flow, parse_flow
from flows.linter import lint
from flows.rehearsal import Rehearsed, make_rehearsed_flow, rehearse
from flows.runner.clock import Clock
from flows.runner.contact import Caller
from flows.runner.engine import run_flow
from flows.runner.instance import Instance
from flows.runner.lambdas import Functions
from flows.runner.transcript import Transcript
from flows.runner.virtual_clock import VirtualClock
from flows.scenarios import Scenario, ScenarioFile
from flows.stage import CONSUMER, PRODUCER, Model
from local.memory_dynamodb import MemoryDynamoDB

COMFORT_SECONDS = 1.2
POLICY: Final = WaitPolicy(
    interval=7.0,
    comfort_audio="s3://bench/comfort.wav",
    comfort_seconds=COMFORT_SECONDS,
    prompts=tuple(WaitPrompt(text=text) for text in PROMPTS),
)
QUEUE_MUSIC: Final = "arn:aws:connect:us-east-1:111122223333:instance/bench/prompt/QueueMusic"
CHUNKS = ("On Sundays we open at eleven.", "We close at four in the afternoon.", "On holidays we are closed.")
NAIVE_SLEEP_SECONDS = 7.0
LATENCY_SECONDS = 0.05  # of a warm Lambda; the first chunk's time counts from the Producer's reply
LONG_SECONDS = 20.0
# When the first part is ready, every 0.37 s: it falls into every prompt, pause, hold and poll
MOMENTS = tuple(round(1.0 + 0.37 * number, 2) for number in range(66))
RUNS, RANDOM_CALLS, LINTED_ACTIONS = 50, 1_000, 1_000


def measure(say: Say) -> Figures:
    """`longest_silence_*`, `first_part_after_ready_*`, `call_20s_*`, `random_calls_stuck` and `lint_1000_actions`."""
    figures: Figures = {}
    for mode in MODES:
        say(f"flows: {mode}")
        figures |= _measure_silence(mode) | _measure_readiness(mode) | _measure_run(mode)
    say(f"flows: {RANDOM_CALLS} calls by chance")
    stuck = sum(is_stuck(place_random_call(seed)) for seed in range(RANDOM_CALLS))
    figures["random_calls_stuck"] = Figure(stuck, None, "calls", RANDOM_CALLS, bound="ours <= 0")
    say(f"flows: a flow of {LINTED_ACTIONS} actions")
    return figures | _measure_linter()


def _measure_silence(mode: str) -> Figures:
    ours = wait_for_answer(mode, LONG_SECONDS).transcript.longest_silence
    naive = wait_naively(LONG_SECONDS).longest_silence
    bound = {POLL: "ours <= 2.5", NATIVE: "ours <= 1"}.get(mode, "")
    return {f"longest_silence_{mode}": Figure(ours, naive, "s", 1, bound=bound)}


def _measure_readiness(mode: str) -> Figures:
    calls = [(moment + LATENCY_SECONDS, wait_for_answer(mode, moment).transcript) for moment in MOMENTS]
    worst = max(find_delay(found, ready=ready) for ready, found in calls)
    unheard = median((found.find_heard(CHUNKS[0]) or 0.0) - ready for ready, found in calls)
    naive = median((wait_naively(moment).find_heard(CHUNKS[0]) or 0.0) - moment for moment in MOMENTS)
    peer, note = (None, "; Loop prompts is interrupted every 21 s") if mode == QUEUE else (naive, "")
    return {
        f"first_part_after_ready_{mode}": Figure(
            worst, None, "s", len(calls), note="the worst, after the prompt that was playing", bound="ours <= 1"
        ),
        f"first_part_unheard_{mode}": Figure(
            unheard, peer, "s", len(calls), note=f"median, the prompt that was playing included{note}"
        ),
    }


def _measure_run(mode: str) -> Figures:
    wait_for_answer(mode, LONG_SECONDS)
    samples = [time_ms(lambda: wait_for_answer(mode, LONG_SECONDS)) for _ in range(RUNS)]
    return {f"call_20s_{mode}": Figure(median(samples), None, "ms", RUNS, note="median", bound="ours <= 50")}


def _measure_linter() -> Figures:
    content = multiply(_find_flow(POLL)[1], LINTED_ACTIONS).to_json().encode()
    samples = [time_ms(lambda: lint(parse_flow(content))) / 1000 for _ in range(5)]
    return {"lint_1000_actions": Figure(median(samples), None, "s", 5, note="read and checked", bound="ours <= 1")}


# -- calls


def _find_flow(mode: str) -> tuple[ScenarioFile, Flow]:
    music = {"hold_prompt_arn": QUEUE_MUSIC} if mode == QUEUE else {}
    file = ScenarioFile((), policy=POLICY, flow={"mode": mode, **music})
    return file, make_rehearsed_flow(file)


_FLOWS: Final = {mode: _find_flow(mode) for mode in MODES}


def wait_for_answer(mode: str, first_chunk: float) -> Rehearsed:
    """A call whose answer begins so many seconds after it is asked for."""
    file, flow = _FLOWS[mode]
    model = Model(chunks=CHUNKS, first_chunk=first_chunk)
    store = AnswerStore(MemoryDynamoDB(), table="calls")
    return rehearse(Scenario("a call", models=(model,)), flow, file=file, store=store)


def find_delay(found: Transcript, *, ready: float) -> float:
    """Seconds from when a part is ready, or the prompt or recording that is heard then has ended, until it is heard."""
    heard = found.find_heard(CHUNKS[0])
    if heard is None:
        return float("inf")
    playing = {event.action for event in found.heard if event.at <= ready < event.at + event.seconds}
    # a block is left when its prompt has ended, and Loop prompts when it is interrupted; what a Wait cuts is only cut
    ends = (e.at for e in found.events if e.at >= ready and e.kind in ("step", "cut") and e.action in playing)
    return heard - max(ready, next(ends, ready))


def wait_naively(ready: float) -> Transcript:
    """A call with the naive Lambdas, whose whole answer is there after so many seconds."""
    with VirtualClock() as clock:
        return run_flow(
            _FLOWS[POLL][1],
            caller=Caller(attributes={"question": "When do you open?"}),
            invoke=Functions(_make_naive(clock, ready)),
            clock=clock,
            instance=Instance(audio_seconds=lambda _: COMFORT_SECONDS),
        )


def _make_naive(clock: Clock, ready: float) -> Mapping[str, Callable[[dict[str, Any]], Any]]:
    began, polls = clock.now(), 0

    def ask(_: dict[str, Any]) -> dict[str, str]:
        clock.sleep(LATENCY_SECONDS)
        return make_reply("202", ticket="t")

    def poll(_: dict[str, Any]) -> dict[str, str]:
        nonlocal polls
        clock.sleep(LATENCY_SECONDS)
        if clock.now() - began >= ready:
            return make_reply("200", ticket="t", text=" ".join(CHUNKS))
        clock.sleep(NAIVE_SLEEP_SECONDS)
        polls += 1
        return make_reply("202", ticket="t", cursor=str(polls), text=PROMPTS[polls % len(PROMPTS)])

    return {PRODUCER: ask, CONSUMER: poll}


# -- a large flow


def multiply(flow: Flow, count: int) -> Flow:
    """A flow of at least so many actions: copies of one, each going on in the next where it would disconnect."""
    copies = -(-count // (len(flow.actions) - 1))
    actions = [
        _copy(action, number, copies)
        for number in range(copies)
        for action in flow.actions
        if action.identifier != "Goodbye" or number + 1 == copies
    ]
    return Flow.make(actions, start=f"0 {flow.start}", metadata={"name": "large", "type": "contactFlow"})


def _copy(action: Action, number: int, copies: int) -> Action:
    def rename(target: str) -> str:
        following = number + 1 if target == "Goodbye" and number + 1 < copies else number
        return f"{following} {'Logging' if following > number else target}"

    ways = action.transitions
    return Action.make(
        f"{number} {action.identifier}",
        action.type,
        parameters=action.parameters,
        next_action=rename(action.next) if action.next else "",
        conditions=[(way.operator, way.operand, rename(way.target)) for way in ways if way.kind == "condition"],
        errors=[(way.error, rename(way.target)) for way in ways if way.kind == "error"],
    )
