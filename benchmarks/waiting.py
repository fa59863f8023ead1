"""The wait: how long an answer that is ready goes unheard, and what a wait costs, for callers of both designs at once."""

from __future__ import annotations

import random
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from benchmarks.measure import Figure, Figures, Say, mean, percentile
from benchmarks.naive.reply import PROMPTS
from benchmarks.naive.worker import store_answer
from benchmarks.sides import INTERVAL_SECONDS, Account, Side, open_naive, open_ours
from connectgenai.wire.flow import LAST_PART
from connectgenai.wire.items import TopicItem
from connectgenai.wire.store import AnswerStore, Usage
from connectgenai.wire.waiting import WaitPolicy, WaitPrompt, policies_to_json
from flows.caller import CONSUMER, PRODUCER, Dialled, place_call
from local.emulator import start_emulator
from local.provision import local_client

CALLS, AT_ONCE = 60, 20
EARLIEST_SECONDS, LATEST_SECONDS = 5.0, 25.0
COMFORT_SECONDS = 1.2
TOPIC = "bench"
ANSWER = "The store in Main Street is open from nine to six on weekdays, and from ten to four on Saturdays."
POLICY = WaitPolicy(
    hold=2.0,
    interval=INTERVAL_SECONDS,
    comfort_audio="s3://bench/comfort.wav",
    comfort_seconds=COMFORT_SECONDS,
    prompts=tuple(WaitPrompt(text=text) for text in PROMPTS),
)
Finish = Callable[[], None]


@dataclass(frozen=True, slots=True)
class Wait:
    """One call: seconds from the ask to the reply with the answer, and from the answer's readiness to that reply."""

    waited: float
    unheard: float


def measure(say: Say) -> Figures:
    """`ready_to_heard*`, and what 20 s of waiting cost in invocations, GB-seconds, read and write units."""
    with tempfile.TemporaryDirectory(prefix="bench-") as name, ExitStack() as stack:
        home = Path(name)
        emulator = stack.enter_context(start_emulator(state_dir=None, log=home / "emulator.log"))
        ours = stack.enter_context(open_ours(emulator.url, home=home))
        naive = stack.enter_context(open_naive(emulator.url, home=home))
        publish_topic(ours)
        workers: dict[str, Worker] = {"ours": OurWorker(ours), "naive": NaiveScript(naive)}
        say(f"waiting: starting Lambdas for {AT_ONCE} callers a side")
        for side in (ours, naive):
            warm_up(side, workers[side.name], callers=AT_ONCE)
        before = {side.name: side.read_account() for side in (ours, naive)}
        waits = place_calls(ours, naive, workers, say=say)
        used = {side.name: side.read_account().since(before[side.name]) for side in (ours, naive)}
    return {**describe_delays(waits), **describe_costs(waits, used)}


def publish_topic(ours: Side) -> None:
    """A topic with the policy that both sides play."""
    store = AnswerStore(local_client("dynamodb", ours.made.environment["AWS_ENDPOINT_URL"]), table=ours.made.table)
    policies = policies_to_json({"en-US": POLICY})
    topic = TopicItem(name=TOPIC, sharing="everyone", policies=policies)
    store.publish_topic(topic, now_ms=time.time_ns() // 1_000_000, is_stale=True)


class OurWorker:
    """Plays our worker by a script: becomes the answer's producer at once, and finishes when it is told to."""

    def __init__(self, side: Side) -> None:
        client = local_client("dynamodb", side.made.environment["AWS_ENDPOINT_URL"])
        self._store = AnswerStore(client, table=side.made.table)

    def start(self, ticket: str) -> Finish:
        """Takes the ticket; the answer is ready when what this returns is called."""
        key, _, epoch = ticket.rpartition(":")
        token, now = uuid.uuid4().hex, time.time_ns() // 1_000_000
        self._store.start(key, epoch=int(epoch), token=token, revision=1, now_ms=now, lease_ms=60_000)
        return lambda: self._finish(key, int(epoch), token)

    def _finish(self, key: str, epoch: int, token: str) -> None:
        now = time.time_ns() // 1_000_000
        facts = {"epoch": epoch, "token": token, "revision": 1, "now_ms": now}
        self._store.finish(key, chunks=[ANSWER], ttl_seconds=3_600, usage=Usage(), **facts)  # type: ignore[arg-type]


class NaiveScript:
    """Plays the naive worker by a script."""

    def __init__(self, side: Side) -> None:
        self._client = local_client("dynamodb", side.made.environment["AWS_ENDPOINT_URL"])
        self._table = side.made.table

    def start(self, ticket: str) -> Finish:
        """The answer is ready when what this returns is called."""
        return lambda: store_answer(self._client, table=self._table, ticket=ticket, text=ANSWER)


Worker = OurWorker | NaiveScript


def warm_up(side: Side, worker: Worker, *, callers: int) -> None:
    """Starts as many sandboxes as there will be callers, for no caller of a busy contact centre meets a cold start."""
    asked = side.phone.invoke(PRODUCER, Dialled(TOPIC, "Warm?", "warm").event(topic=TOPIC, question="Warm?"))
    worker.start(asked["ticket"])()
    side.warm_up(PRODUCER, {"topic": TOPIC, "question": "Warm?"}, count=callers // 2)
    side.warm_up(CONSUMER, {"ticket": asked["ticket"], "cursor": ""}, count=callers)


def choose_moments(count: int, *, seed: int) -> list[float]:
    """Uniformly random seconds between the earliest and the latest, one in each of `count` equal parts, in random order.

    One in each part, since a few dozen free draws would leave whole seconds out and make each run another.
    """
    chance = random.Random(seed)
    width = (LATEST_SECONDS - EARLIEST_SECONDS) / count
    moments = [EARLIEST_SECONDS + (part + chance.random()) * width for part in range(count)]
    chance.shuffle(moments)
    return moments


def place_calls(ours: Side, naive: Side, workers: dict[str, Worker], *, say: Say) -> dict[str, list[Wait]]:
    """Rounds of calls in real time: for each caller of ours there is one of the naive side whose answer takes as long."""
    waits: dict[str, list[Wait]] = {"ours": [], "naive": []}
    for first in range(0, CALLS, AT_ONCE):
        moments = choose_moments(AT_ONCE, seed=first)
        say(f"waiting: calls {first + 1} to {first + AT_ONCE} of {CALLS} a side, answers ready after 5 to 25 s")
        with ThreadPoolExecutor(2 * AT_ONCE) as pool:
            placed = {
                side.name: [pool.submit(wait_once, side, workers[side.name], seconds) for seconds in moments]
                for side in (ours, naive)
            }
            for name, futures in placed.items():
                waits[name] += [future.result() for future in futures]
    return waits


def wait_once(side: Side, worker: Worker, ready_after: float) -> Wait:
    """One call in real time, whose answer becomes ready so many seconds after the ask."""
    time.sleep(random.uniform(0, 3))  # callers do not come at the same moment
    question = f"What about case {uuid.uuid4().hex}?"
    dialled = Dialled(topic=TOPIC, question=question, contact_id=str(uuid.uuid4()))
    events = place_call(dialled, invoke=side.phone.invoke, audio_seconds=lambda _: COMFORT_SECONDS)
    ticket = next(events)["reply"]["ticket"]
    asked_at = time.monotonic()
    script = threading.Thread(target=_finish_at, args=(asked_at + ready_after, worker.start(ticket)))
    script.start()
    heard_at = _listen(events)
    script.join()
    return Wait(waited=heard_at - asked_at, unheard=heard_at - asked_at - ready_after)


def _finish_at(moment: float, finish: Finish) -> None:
    time.sleep(max(0.0, moment - time.monotonic()))
    finish()


def _listen(events: Iterator[dict[str, object]]) -> float:
    """When the reply with the answer reached the flow; what follows is not listened to."""
    for event in events:
        reply = event.get("reply")
        if isinstance(reply, dict) and reply["statusCode"] == LAST_PART:
            return time.monotonic()
    raise RuntimeError("the call ended without its answer")


def describe_delays(waits: dict[str, list[Wait]]) -> Figures:
    """The delay from *ready* to *with the flow*; the write itself counts as delay, on both sides."""
    unheard = {name: [wait.unheard for wait in found] for name, found in waits.items()}
    count = len(unheard["ours"])
    half, tail = ({name: percentile(samples, share) for name, samples in unheard.items()} for share in (0.5, 0.9))
    averages = {name: mean(samples) for name, samples in unheard.items()}
    return {
        "ready_to_heard": Figure(half["ours"], half["naive"], "s", count, bound="ratio <= 0.1", note="median"),
        "ready_to_heard_mean": Figure(averages["ours"], averages["naive"], "s", count),
        "ready_to_heard_p90": Figure(tail["ours"], tail["naive"], "s", count),
    }


def describe_costs(waits: dict[str, list[Wait]], used: dict[str, Account]) -> Figures:
    """What the Lambdas consumed, for each 20 s that their callers waited."""
    parts = {name: sum(wait.waited for wait in found) / 20 for name, found in waits.items()}
    units = {"invocations": "calls", "gb_seconds": "GB-s", "read_units": "RRU", "write_units": "WRU"}
    count = len(waits["ours"])

    def per_part(name: str, side: str) -> float:
        consumed: float = getattr(used[side], name)
        return consumed / parts[side]

    return {
        f"{name}_per_20s": Figure(per_part(name, "ours"), per_part(name, "naive"), unit, count)
        for name, unit in units.items()
    }
