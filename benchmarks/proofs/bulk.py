"""`make bulk`: a topic with very many answers is withdrawn by one write, effective at the next ask and the next poll.

Beside it the design that is usually met, one update for each answer, measured on a sample and extrapolated.
"""

from __future__ import annotations

import random
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.capacity_meter import CapacityMeter
from benchmarks.proofs.racer import make_event
from benchmarks.proofs.tables import Say, make_say, show, to_table
from connectgenai.wire.answering import AnswerDesk
from connectgenai.wire.items import GENERATED, READY, AnswerItem, TopicItem, answer_pk, to_attributes
from connectgenai.wire.question import AskedQuestion, identify_question
from connectgenai.wire.request import GenerationRequest
from connectgenai.wire.store import AnswerStore
from connectgenai.wire.waiting import WaitPolicy, policies_to_json
from local.emulator import start_emulator
from local.provision import create_table, local_client

TOPIC = "bulk"
ANSWERS, CHECKED, SAMPLE = 100_000, 500, 500
BATCH = 25  # DynamoDB developer guide: BatchWriteItem takes at most 25 items
CHUNKS = ("This was true yesterday.", "All of it was.")
PINNED = 0  # the number of the one answer that a supervisor has pinned


@dataclass(frozen=True, slots=True)
class Cost:
    """Writes, their units, and milliseconds on the emulator."""

    writes: int
    units: float
    ms: float


@dataclass(frozen=True, slots=True)
class Bulk:
    """What one write did to many answers; `heard` counts the callers who were given the old text."""

    answers: int
    fill_seconds: float
    one_write: Cost
    callers: int
    heard_before: int
    heard_by_their_next_polls: int
    heard_by_new_asks: int
    pinned_heard: int
    sampled: Cost

    @property
    def extrapolated(self) -> Cost:
        """The sample's cost for all answers: not measured."""
        times = self.answers / self.sampled.writes
        return Cost(self.answers, self.sampled.units * times, self.sampled.ms * times)


@dataclass
class Caller:
    """Asks one question and listens to its answer in two parts."""

    desk: AnswerDesk
    number: int
    last: dict[str, str] = field(default_factory=dict)

    def hears_at_ask(self) -> bool:
        """Whether an ask is met with the old text."""
        event = make_event(f"c{self.number}", topic=TOPIC, question=_question(self.number))
        self.last = self.desk.ask(event).to_map()
        return self.last["text"] == CHUNKS[0]

    def hears_at_poll(self) -> bool:
        """Whether the next poll gives the old text's second part."""
        known = {"ticket": self.last["ticket"], "cursor": self.last["cursor"], "budget": "0"}
        event = {"Details": {"ContactData": {"ContactId": f"c{self.number}"}, "Parameters": known}}
        return self.desk.poll(event).text == CHUNKS[1]


def try_bulk(endpoint_url: str, *, table: str, answers: int, callers: int, sample: int, say: Say = print) -> Bulk:
    """Fills a topic, lets callers listen, withdraws all at once, and looks who still hears the old text."""
    client = local_client("dynamodb", endpoint_url)
    store = AnswerStore(client, table=table)
    policies = policies_to_json({"en-US": WaitPolicy(hold=0.0)})
    item = TopicItem(name=TOPIC, sharing="everyone", policies=policies)
    topic = store.publish_topic(item, now_ms=_now_ms(), is_stale=True)
    began = time.monotonic()
    fill(client, table=table, count=answers, revision=topic.revision)
    fill_seconds = round(time.monotonic() - began, 1)
    say(f"{answers:,} answers written in {fill_seconds:g} s; {callers} callers begin to listen")
    numbers = random.Random(7).sample(range(PINNED + 1, answers), k=callers)
    listening = [_dial(store, number) for number in numbers]
    heard_before = sum(caller.hears_at_ask() for caller in listening)
    with CapacityMeter(endpoint_url) as meter:
        metered = AnswerStore(local_client("dynamodb", meter.url), table=table)
        metered.read_topic(TOPIC)  # opens the connection, which is not what is measured
        one_write = _measure(meter, lambda: metered.raise_revision(TOPIC, now_ms=_now_ms()), writes=1)
        by_polls = sum(caller.hears_at_poll() for caller in listening)
        by_asks = sum(_dial(store, number).hears_at_ask() for number in numbers)
        pinned = int(_dial(store, PINNED).hears_at_ask())
        say(f"now {sample} of them one by one")
        others = range(PINNED + 1, PINNED + 1 + sample)
        sampled = _measure(meter, lambda: _invalidate_each(metered, others), writes=sample)
    return Bulk(answers, fill_seconds, one_write, callers, heard_before, by_polls, by_asks, pinned, sampled)


def fill(client: Any, *, table: str, count: int, revision: int) -> None:
    """Writes READY answers as the worker and the mirror leave them; the first is pinned."""
    for start in range(0, count, BATCH):
        answers = [_make_answer(number, revision=revision) for number in range(start, min(start + BATCH, count))]
        puts = [{"PutRequest": {"Item": {"pk": {"S": answer_pk(a.key)}, **to_attributes(a)}}} for a in answers]
        left = client.batch_write_item(RequestItems={table: puts})["UnprocessedItems"]
        assert not left, "the emulator takes whole batches"


def _make_answer(number: int, *, revision: int) -> AnswerItem:
    asked = _identify(number)
    known = {name: getattr(asked, name) for name in AskedQuestion.__slots__}
    return AnswerItem(
        **known, state=READY, epoch=1, version=4, token="run000000001", chunks=CHUNKS, complete=True, text_epoch=1,
        revision=revision, source=GENERATED, pinned=number == PINNED, expires_at=_now_ms() // 1000 + 86_400,
    )  # fmt: skip


def _question(number: int) -> str:
    # in letters: five digits in a row would be taken for something personal, and not be shared
    letters = "".join(chr(ord("a") + int(digit)) for digit in f"{number:06d}")
    return f"What does article {letters} cost?"


def _identify(number: int) -> AskedQuestion:
    return identify_question(
        _question(number), topic=TOPIC, language="en-US", sharing="everyone", caller="", contact_id=""
    )


def _dial(store: AnswerStore, number: int) -> Caller:
    """A caller at a desk of its own: nothing is remembered from call to call."""
    sent: list[GenerationRequest] = []
    return Caller(AnswerDesk(store, sent.append, (("k", b"0" * 16),)), number)


def _measure(meter: CapacityMeter, act: Callable[[], object], *, writes: int) -> Cost:
    """What the act costs; AssertionError unless it is this many writes."""
    _, units, requests = meter.read()
    began = time.perf_counter()
    act()
    ms = (time.perf_counter() - began) * 1000
    _, units_after, requests_after = meter.read()
    assert (requests_after - requests)["UpdateItem"] == writes, requests_after - requests
    return Cost(writes, units_after - units, round(ms, 1))


def _invalidate_each(store: AnswerStore, numbers: range) -> None:
    for number in numbers:
        store.invalidate(_identify(number).key, reason="", now_ms=_now_ms())


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def run(say: Say) -> Bulk:
    """The whole proof on an emulator of its own."""
    with (
        tempfile.TemporaryDirectory(prefix="bulk-") as name,
        start_emulator(state_dir=None, log=Path(name) / "emulator.log") as emulator,
    ):
        create_table(local_client("dynamodb", emulator.url), name=TOPIC)
        return try_bulk(emulator.url, table=TOPIC, answers=ANSWERS, callers=CHECKED, sample=SAMPLE, say=say)


def main() -> int:
    """Withdraws and shows; 1 when anybody heard the old text after it."""
    found = run(make_say())
    ours, naive = found.one_write, found.extrapolated
    costs = to_table(
        ("design", "writes", "write units", "ms"),
        [
            ("the topic's revision: one write", ours.writes, f"{ours.units:g}", f"{ours.ms:g}"),
            (f"one update an answer (measured on {found.sampled.writes}, extrapolated)", f"{naive.writes:,}",
             f"{naive.units:,.0f}", f"{naive.ms:,.0f}"),
        ],
    )  # fmt: skip
    heard = to_table(
        ("who is given the old text", "of", "callers"),
        [
            ("before, at their ask", found.callers, found.heard_before),
            ("after, at their next poll", found.callers, found.heard_by_their_next_polls),
            ("after, at a new ask", found.callers, found.heard_by_new_asks),
            ("after, of the one pinned answer", 1, found.pinned_heard),
        ],
    )
    show("bulk", {**asdict(found), "one_by_one_extrapolated": asdict(naive)}, costs, heard)
    is_kept = found.heard_by_their_next_polls == found.heard_by_new_asks == 0 and found.heard_before == found.callers
    return 0 if is_kept and found.pinned_heard == 1 else 1


if __name__ == "__main__":
    sys.exit(main())
