"""Asking and polling, against a real DynamoDB API, on a clock that the test turns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from connectgenai.wire.answering import AnswerDesk
from connectgenai.wire.capacity import ModelCapacity, take
from connectgenai.wire.flow import Reply
from connectgenai.wire.items import PENDING, AnswerItem, TopicItem
from connectgenai.wire.question import DRAFT
from connectgenai.wire.queue import QueueUnavailableError
from connectgenai.wire.request import GenerationRequest
from connectgenai.wire.store import LEASE_MS, AnswerStore, Usage
from connectgenai.wire.waiting import policies_to_json
from tests.wire.conftest import NOW, POLICY, asked

QUESTION = "Are you open on Sunday?"


@dataclass
class Clock:
    """Time that passes only while somebody sleeps; `at` runs something when its moment comes."""

    now: int = NOW
    plans: list[tuple[int, Callable[[], object]]] = field(default_factory=list)

    def sleep(self, seconds: float) -> None:
        self.now += round(seconds * 1000)
        due, self.plans = [p for p in self.plans if p[0] <= self.now], [p for p in self.plans if p[0] > self.now]
        for _, act in due:
            act()

    def at(self, ms: int, act: Callable[[], object]) -> None:
        self.plans.append((NOW + ms, act))


@dataclass
class Line:
    """A phone line: asks and polls through one desk, keeping ticket and cursor as a flow does."""

    desk: AnswerDesk
    clock: Clock
    sent: list[GenerationRequest]
    store: AnswerStore
    contact: str = "c1"
    caller: str | None = "+15550100"
    last: dict[str, str] = field(default_factory=dict)

    def event(self, **parameters: str) -> dict[str, Any]:
        endpoint = {"Address": self.caller, "Type": "TELEPHONE_NUMBER"} if self.caller else None
        contact = {"ContactId": self.contact, "Channel": "VOICE", "LanguageCode": "en-US", "CustomerEndpoint": endpoint}
        return {"Details": {"ContactData": contact, "Parameters": parameters}}

    def keep(self, reply: Reply) -> dict[str, str]:
        self.last = reply.to_map()
        return self.last

    def ask(self, question: str = QUESTION, **parameters: str) -> dict[str, str]:
        return self.keep(self.desk.ask(self.event(**{"topic": "faq", "question": question, **parameters})))

    def poll(self, **parameters: str) -> dict[str, str]:
        known = {"ticket": self.last["ticket"], "cursor": self.last["cursor"]}
        return self.keep(self.desk.poll(self.event(**{**known, **parameters})))

    def item(self) -> AnswerItem:
        found = self.store.read_answer(self.last["ticket"].rpartition(":")[0], consistent=True)
        assert found is not None
        return found

    def start(self, token: str = "run000000001") -> None:
        item = self.item()
        started = self.store.start(
            item.key, epoch=item.epoch, token=token, revision=item.revision, now_ms=self.clock.now
        )
        assert started is not None

    def append(self, chunk: str, index: int, token: str = "run000000001") -> None:
        item = self.item()
        self.store.append(item.key, epoch=item.epoch, token=token, chunk=chunk, index=index, now_ms=self.clock.now)

    def finish(self, *chunks: str, token: str = "run000000001") -> None:
        item = self.item()
        done = {"revision": item.revision, "ttl_seconds": 3_600, "usage": Usage(), "now_ms": self.clock.now}
        self.store.finish(item.key, epoch=item.epoch, token=token, chunks=chunks, **done)  # type: ignore[arg-type]

    def answer(self, *chunks: str) -> None:
        self.ask()
        self.start()
        self.finish(*chunks)


@pytest.fixture
def dial(store: AnswerStore, topic: TopicItem) -> Callable[..., Line]:
    clock = Clock()

    def make(**changes: Any) -> Line:
        sent: list[GenerationRequest] = []
        desk = AnswerDesk(
            store=changes.pop("store", store),
            send=changes.pop("send", sent.append),
            caller_keys=(("k1", b"0123456789abcdef"),),
            now_ms=lambda: clock.now,
            sleep=clock.sleep,
        )
        return Line(desk, clock, sent, store, **changes)

    return make


@pytest.fixture
def line(dial: Callable[..., Line]) -> Line:
    return dial()


def test_a_question_never_asked_is_queued_once_and_waits(line: Line) -> None:
    reply = line.ask()
    assert (reply["statusCode"], reply["play"], line.item().state) == ("202", "nothing", PENDING)
    assert [(r.key, r.epoch) for r in line.sent] == [(line.item().key, 1)]
    assert line.sent[0].question == ""  # no caller's words travel on the queue
    assert line.sent[0].deadline == NOW + 60_000


def test_an_ask_that_connect_repeats_sends_nothing_more(line: Line) -> None:
    tickets = {line.ask()["ticket"] for _ in range(4)}
    assert (len(tickets), len(line.sent)) == (1, 1)


def test_the_wait_sounds_as_the_policy_says(line: Line) -> None:
    line.ask()
    heard = [(line.poll(), line.clock.now - NOW)[::-1] for _ in range(4)]
    assert [(ms, r["play"], r["text"] or r["audio"]) for ms, r in heard] == [
        (2_000, "audio", "s3://bucket/comfort.wav"),
        (3_000, "ssml", "One moment, please."),
        (5_000, "audio", "s3://bucket/comfort.wav"),
        (7_000, "audio", "s3://bucket/comfort.wav"),
    ]


def test_a_part_is_given_within_a_tenth_of_a_second_of_being_there(line: Line) -> None:
    line.ask()
    line.start()
    line.clock.at(1_230, lambda: line.append("Yes.", 0))
    reply = line.poll()
    assert (reply["statusCode"], reply["text"], reply["ssml"]) == ("206", "Yes.", "<speak>Yes.</speak>")
    assert line.clock.now - NOW <= 1_330


def test_parts_come_one_by_one_and_the_last_says_so(line: Line) -> None:
    line.ask()
    line.start()
    line.append("One.", 0)
    line.append("Two.", 1)
    assert [line.poll()["text"], line.poll()["text"]] == ["One.", "Two."]
    line.clock.at(500, lambda: line.finish("One.", "Two.", "Three."))
    assert (line.poll()["statusCode"], line.last["text"], line.last["source"]) == ("200", "Three.", "generated")


def test_an_end_without_further_words_says_that_there_is_nothing_to_play(line: Line) -> None:
    line.ask()
    line.start()
    line.append("One.", 0)
    line.poll()
    line.finish("One.")
    assert (line.poll()["statusCode"], line.last["play"], line.last["text"]) == ("200", "nothing", "")


def test_the_same_cursor_always_gets_the_same_part(line: Line) -> None:
    line.answer("One.", "Two.", "Three.")
    first = line.ask()
    repeated = [line.poll(cursor=first["cursor"])["text"] for _ in range(3)]
    assert (first["text"], repeated) == ("One.", ["Two."] * 3)


def test_an_answer_that_is_there_is_heard_at_once_and_costs_no_message(dial: Callable[..., Line]) -> None:
    dial().answer("Yes.", "Until five.")
    second = dial(contact="c2")
    reply = second.ask("um, are you open on sunday please")
    assert (reply["statusCode"], reply["text"], reply["source"], second.sent) == ("206", "Yes.", "hit", [])
    assert (second.poll()["statusCode"], second.last["text"], second.last["source"]) == ("200", "Until five.", "hit")


def test_a_second_caller_joins_the_generation_already_running(dial: Callable[..., Line]) -> None:
    first, second = dial(), dial(contact="c2")
    first.ask()
    assert (second.ask()["statusCode"], second.sent, second.last["ticket"]) == ("202", [], first.last["ticket"])
    first.start()
    first.finish("Yes.")
    assert (first.poll()["source"], second.poll()["source"]) == ("generated", "joined")


def test_a_caller_who_hangs_up_and_calls_again_goes_on_waiting_for_the_same_answer(dial: Callable[..., Line]) -> None:
    first = dial()
    first.ask()
    again = dial(contact="c2")
    assert again.ask()["ticket"] == first.last["ticket"]


def test_one_callers_private_answer_is_not_anothers(dial: Callable[..., Line]) -> None:
    mine, others = dial(), dial(contact="c2", caller="+15550199")
    assert mine.ask("What is my balance?")["ticket"] != others.ask("What is my balance?")["ticket"]


def test_patience_ends_in_a_hand_over_with_its_reason(line: Line) -> None:
    line.ask()
    line.clock.now += 60_000
    reply = line.poll()
    assert (reply["statusCode"], reply["reason"], reply["play"]) == ("408", "patience", "ssml")


def test_a_failure_is_an_apology_with_its_reason_and_remembered_for_the_next(dial: Callable[..., Line]) -> None:
    line = dial()
    line.ask()
    line.start()
    line.store.fail(line.item().key, epoch=1, token="run000000001", reason="guardrail", remember_seconds=60, now_ms=NOW)
    assert (line.poll()["statusCode"], line.last["reason"]) == ("500", "guardrail")
    assert dial(contact="c2").ask()["reason"] == "guardrail"


def test_a_lost_send_is_repaired_by_the_callers_own_polls(dial: Callable[..., Line]) -> None:
    sent: list[GenerationRequest] = []

    def fail_first(request: GenerationRequest) -> None:
        sent.append(request)
        if len(sent) == 1:
            raise QueueUnavailableError

    line = dial(send=fail_first)
    assert line.ask()["statusCode"] == "202"
    while line.clock.now < NOW + 5_500:
        line.poll()
    assert [(r.key, r.epoch) for r in sent] == [(line.item().key, 1)] * 2


def test_an_answer_withdrawn_while_waiting_is_asked_again_under_a_new_ticket(line: Line) -> None:
    old = line.ask()["ticket"]
    line.start()
    line.store.invalidate(line.item().key, reason="", now_ms=NOW)
    reply = line.poll()
    assert reply["ticket"] != old
    assert [r.epoch for r in line.sent] == [1, 3]


def test_a_bulk_invalidation_is_effective_at_the_next_poll(line: Line) -> None:
    line.answer("Old one.", "Old two.")
    line.ask()
    line.store.raise_revision("faq", now_ms=NOW)
    assert (line.poll()["statusCode"], line.item().state) == ("202", PENDING)


def test_a_restarted_generation_starts_over_and_says_so(line: Line) -> None:
    line.ask()
    line.start()
    line.append("The old beginning.", 0)
    assert line.poll()["text"] == "The old beginning."
    line.clock.now += LEASE_MS + 1
    line.start(token="run000000002")
    line.append("A new beginning.", 0, token="run000000002")
    assert line.poll()["text"] == "Sorry, let me start again. A new beginning."


def test_an_edit_while_a_caller_listens_starts_over_with_the_persons_text(line: Line, topic: TopicItem) -> None:
    line.answer("Wrong one.", "Wrong two.")
    line.ask()
    item = line.item()
    line.store.publish(asked(), chunks=["Right."], seen_version=item.version, revision=1, ttl_seconds=60, now_ms=NOW)
    assert (line.poll()["text"], line.last["source"]) == ("Sorry, let me start again. Right.", "curated")


def test_an_incident_answer_is_heard_at_the_next_poll_and_by_the_next_caller(dial: Callable[..., Line]) -> None:
    line = dial()
    line.ask()
    line.store.set_incident("faq", incident_id="7", chunks=["We are closed."], until_ms=NOW + 60_000, now_ms=NOW)
    assert (line.poll()["statusCode"], line.last["text"], line.last["source"]) == ("200", "We are closed.", "incident")
    other = dial(contact="c2")
    assert (other.ask("Anything else?")["source"], other.sent) == ("incident", [])


def test_an_incident_answer_is_heard_within_a_second_by_whoever_is_held(line: Line) -> None:
    line.ask()
    began = line.clock.now
    switch: dict[str, Any] = {"incident_id": "7", "chunks": ["We are closed."], "until_ms": NOW + 60_000, "now_ms": NOW}
    line.clock.at(5_000, lambda: line.store.set_incident("faq", **switch))
    assert line.poll(budget="55")["text"] == "We are closed."
    assert 5_000 <= line.clock.now - began <= 6_000


def test_an_incident_for_some_questions_reaches_those_whose_answer_is_their_own(dial: Callable[..., Line]) -> None:
    line = dial()
    needs_approval(line.store)
    line.ask()
    keys = [asked().key]
    line.store.set_incident("faq", incident_id="7", chunks=["Closed."], until_ms=NOW + 60_000, keys=keys, now_ms=NOW)
    assert (line.poll()["text"], line.last["source"]) == ("Closed.", "incident")
    assert dial(contact="c2").ask("Anything else?")["statusCode"] == "202"


def needs_approval(store: AnswerStore) -> TopicItem:
    known = store.read_topic("faq")
    assert known is not None
    return store.publish_topic(replace(known, needs_approval=True), now_ms=NOW, is_stale=False)


def test_without_approval_an_answer_stays_the_callers_who_asked(dial: Callable[..., Line]) -> None:
    line = dial()
    needs_approval(line.store)
    line.answer("I made this up.")
    assert line.poll()["text"] == "I made this up."
    assert line.item().scope.startswith("caller:")
    assert dial(contact="c2").ask()["text"] == "I made this up."
    other = dial(contact="c3", caller="+442079460999")
    assert (other.ask()["statusCode"], len(other.sent)) == ("202", 1)


def test_an_approved_text_is_heard_by_all_and_by_the_one_who_has_an_own(dial: Callable[..., Line]) -> None:
    line = dial()
    needs_approval(line.store)
    line.answer("I made this up.")
    line.store.publish(asked(), chunks=["Right."], seen_version=0, revision=1, ttl_seconds=60, now_ms=NOW)
    for other in (dial(contact="c2"), dial(contact="c3", caller="+442079460999"), dial(contact="c4", caller="")):
        assert (other.ask()["text"], other.last["source"], other.sent) == ("Right.", "curated", [])


def test_what_a_model_wrote_for_all_is_not_heard_once_approval_is_needed(dial: Callable[..., Line]) -> None:
    line = dial()
    line.answer("I made this up.")
    assert dial(contact="c2").ask()["source"] == "hit"
    needs_approval(line.store)
    assert dial(contact="c3").ask()["statusCode"] == "202"


def test_who_waits_for_all_when_approval_comes_to_be_needed_goes_on_waiting_alone(dial: Callable[..., Line]) -> None:
    line, other = dial(), dial(contact="c2", caller="+442079460999")
    line.ask(), other.ask()
    line.start()
    needs_approval(line.store)
    line.finish("I made this up.")
    for caller in (line, other):
        assert (caller.poll()["statusCode"], caller.item().scope[:7]) == ("202", "caller:")
    assert line.item().key != other.item().key


def test_a_draft_is_heard_by_nobody(dial: Callable[..., Line]) -> None:
    line = dial()
    topic, draft = needs_approval(line.store), asked(sharing=DRAFT)
    line.store.ask(draft, topic=topic, seen=None, now_ms=NOW)
    line.store.start(draft.key, epoch=1, token="run", revision=1, now_ms=NOW)
    line.store.finish(
        draft.key, epoch=1, token="run", chunks=["A draft."], revision=1, ttl_seconds=60, usage=Usage(), now_ms=NOW
    )
    assert (line.ask()["statusCode"], dial(contact="c2", caller="").ask()["statusCode"]) == ("202", "202")


def test_a_draft_takes_an_answers_place_without_pretending_to_be_a_persons(line: Line, topic: TopicItem) -> None:
    line.answer("Old.")
    draft = replace(line.item(), model="m-1", output_tokens=7, purge_at=NOW)
    renewed = line.store.publish(
        asked(), chunks=["New."], seen_version=draft.version, revision=1, ttl_seconds=60, draft=draft, now_ms=NOW
    )
    assert (renewed.source, renewed.model, renewed.output_tokens, renewed.purge_at) == ("generated", "m-1", 7, NOW)
    assert (line.ask()["text"], line.last["source"]) == ("New.", "hit")


def test_an_expired_answer_is_asked_anew(line: Line) -> None:
    line.answer("Yes.")
    line.clock.now += 3_601_000
    assert (line.ask()["statusCode"], line.item().epoch) == ("202", 2)


def test_an_asynchronous_poll_holds_through_prompts_until_the_answer(line: Line) -> None:
    line.ask()
    line.start()
    line.clock.at(20_000, lambda: line.finish("Yes."))
    reply = line.poll(budget="55")
    assert (reply["statusCode"], reply["text"]) == ("200", "Yes.")
    assert 20_000 <= line.clock.now - NOW <= 20_200


def test_an_asynchronous_poll_that_finds_nothing_plays_nothing(line: Line) -> None:
    line.ask()
    assert (line.poll(budget="30")["statusCode"], line.last["play"]) == ("202", "nothing")
    assert line.clock.now - NOW == 30_000


def test_a_hold_ends_before_the_lambda_does(line: Line) -> None:
    line.ask()
    event = line.event(ticket=line.last["ticket"], cursor=line.last["cursor"])
    line.desk.poll(event, deadline_ms=NOW + 700)
    assert line.clock.now - NOW == 700


def test_the_first_prompt_alone_says_how_long_it_usually_takes(
    dial: Callable[..., Line], store: AnswerStore, topic: TopicItem
) -> None:
    telling = policies_to_json({"en-US": replace(POLICY, say_estimate=True)})
    store.publish_topic(replace(topic, policies=telling), now_ms=NOW, is_stale=False)
    store.set_estimate("faq", seconds=20, now_ms=NOW)
    line = dial()
    assert line.ask()["estimate"] == "20"
    spoken = [r["text"] for r in (line.poll() for _ in range(12)) if r["text"]]
    assert spoken[0] == "One moment, please. This usually takes about 20 seconds."
    assert spoken[1] == "Still looking."


@pytest.mark.parametrize(
    ("parameters", "reason"),
    [
        ({"question": ""}, "question_missing"),
        ({"question": "x" * 100_000}, "question_too_long"),
        ({"question": "\x00\x01\ufffd\ufffd"}, "question_unreadable"),
        ({"language": "tlh"}, "language_unknown"),
        ({"topic": "nope"}, "topic_unknown"),
        ({"topic": "../etc"}, "topic_unknown"),
        ({"topic": ""}, "topic_missing"),
    ],
)
def test_bad_input_is_a_spoken_apology_with_a_stable_reason(
    line: Line, parameters: dict[str, str], reason: str
) -> None:
    reply = line.ask(**parameters)
    assert (reply["statusCode"], reply["reason"], reply["play"], line.sent) == ("400", reason, "ssml", [])


@pytest.mark.parametrize(
    "ticket", ["", "nonsense", "faq.0:x", "faq.0:", ":1", "FAQ.0:1", "faq.0:\u0661", "faq." + "0" * 99 + ":1"]
)
def test_a_malformed_ticket_is_a_bad_request(line: Line, ticket: str) -> None:
    reply = line.keep(line.desk.poll(line.event(ticket=ticket)))
    assert (reply["statusCode"], reply["reason"], reply["play"]) == ("400", "ticket_malformed", "ssml")


def test_a_ticket_whose_item_is_gone_is_handed_over(line: Line) -> None:
    reply = line.keep(line.desk.poll(line.event(ticket="faq." + "0" * 32 + ":3")))
    assert (reply["statusCode"], reply["reason"]) == ("500", "lost")


class BrokenClient:
    """DynamoDB when nobody answers."""

    def __getattr__(self, name: str) -> Callable[..., object]:
        def refuse(**_: object) -> object:
            raise EndpointConnectionError(endpoint_url="http://127.0.0.1:1")

        return refuse


def test_when_dynamodb_is_down_a_waiting_caller_hears_prompts_and_a_new_one_an_apology(
    dial: Callable[..., Line], store: AnswerStore
) -> None:
    line = dial()
    line.ask()
    line.poll()
    line.desk.store = AnswerStore(BrokenClient(), table="gone")
    assert [line.poll()["statusCode"] for _ in range(3)] == ["202"] * 3
    assert (line.ask()["statusCode"], line.last["reason"], line.last["play"]) == ("500", "unavailable", "ssml")


def test_a_process_that_never_saw_the_topic_has_words_of_its_own_when_dynamodb_is_down(
    dial: Callable[..., Line],
) -> None:
    line = dial()
    line.ask()
    blind = dial(store=AnswerStore(BrokenClient(), table="gone"))
    blind.last = line.last
    began = blind.clock.now
    heard = [(blind.poll()["text"], blind.clock.now - began) for _ in range(4)]
    assert heard[0] == ("One moment please, I am looking that up.", 0)
    assert [text for text, ms in heard[1:] if ms >= 5_000] == [heard[0][0]]


def test_when_a_look_fails_no_write_keeps_the_caller_waiting(
    dial: Callable[..., Line], monkeypatch: pytest.MonkeyPatch
) -> None:
    line = dial()
    line.ask()
    line.desk.store = AnswerStore(BrokenClient(), table="gone")
    written: list[object] = []
    monkeypatch.setattr(AnswerStore, "record_call", lambda *given, **_: written.append(given))
    assert line.poll()["statusCode"] == "202"
    assert written == []


def test_a_calls_record_tells_what_was_heard_and_how_it_ended(line: Line) -> None:
    line.ask()
    line.start()
    line.clock.at(4_000, lambda: line.finish("Yes."))
    while line.last["statusCode"] == "202":
        line.poll()
    call = line.store.read_call("c1", line.item().key)
    assert call is not None
    assert (call.outcome, call.source, call.epoch, call.prompts, call.parts) == ("answered", "generated", 1, 1, 1)
    assert [e.split("|")[1] for e in call.events] == ["comfort", "prompt", "part"]
    assert call.first_words_at - call.asked_at == pytest.approx(4_000, abs=150)
    assert call.caller.startswith("k1:")
    assert "5550100" not in str(call)


def test_a_prompt_is_on_record_although_the_clock_goes_on_before_it_is_written(line: Line) -> None:
    line.ask()
    line.poll()
    line.clock.now += 5_000
    ticking = iter(range(10**6))
    line.desk.now_ms = lambda: line.clock.now + next(ticking)
    line.poll()
    call = line.store.read_call("c1", line.item().key)
    assert call is not None
    assert [e.split("|")[1] for e in call.events] == ["comfort", "prompt"]


def test_a_repeated_hit_is_recorded_once_for_each_call_beside_its_read(dial: Callable[..., Line]) -> None:
    line = dial()
    line.answer("Yes.")
    for contact in ("c2", "c3", "c4"):
        line.contact = contact
        line.ask()
        call = line.store.read_call(contact, line.item().key)
        assert call is not None
        assert (call.outcome, call.source, call.parts, call.polls) == ("answered", "hit", 1, 1)


def test_a_hit_that_turns_out_to_be_none_is_recorded_as_what_it_was(dial: Callable[..., Line]) -> None:
    line = dial()
    line.answer("Yes.")
    line.ask()
    line.store.raise_revision("faq", now_ms=NOW)
    line.contact = "c9"
    assert line.ask()["statusCode"] == "202"
    call = line.store.read_call("c9", line.item().key)
    assert call is not None
    assert call.outcome == "waiting"


def test_a_remembered_hit_is_read_again_as_soon_as_anything_of_it_has_changed(
    dial: Callable[..., Line], topic: TopicItem
) -> None:
    line = dial()
    line.answer("Yes.")
    assert [line.ask()["text"] for _ in range(3)] == ["Yes."] * 3
    item = line.item()
    line.store.publish(asked(), chunks=["No."], seen_version=item.version, revision=1, ttl_seconds=60, now_ms=NOW)
    assert (line.ask()["text"], line.last["source"]) == ("No.", "curated")
    line.store.set_incident("faq", incident_id="1", chunks=["Closed."], until_ms=NOW + 9_000, now_ms=NOW)
    assert line.ask()["text"] == "Closed."
    line.clock.now += 10_000
    assert line.ask()["text"] == "No."
    line.store.invalidate(item.key, reason="", now_ms=NOW)
    assert line.ask()["statusCode"] == "202"


def test_a_remembered_hit_still_expires(line: Line) -> None:
    line.answer("Yes.")
    line.ask()
    line.clock.now += 3_600_000
    assert line.ask()["statusCode"] == "202"


# -- back-pressure


def limit(line: Line, **changes: Any) -> None:
    topic = line.store.read_topic("faq")
    assert topic is not None
    line.store.publish_topic(replace(topic, **changes), now_ms=NOW, is_stale=False)


def test_a_caller_who_asks_too_much_is_handed_over_and_known_answers_still_are_given(line: Line) -> None:
    line.answer("We are.")
    limit(line, asks_per_caller=2)
    assert [line.ask(f"Question number {n}?")["statusCode"] for n in range(4)] == ["202", "202", "429", "429"]
    assert (line.last["reason"], line.last["text"][:10]) == ("caller_limit", "I am sorry")
    assert line.ask()["statusCode"] == "200"
    line.caller = "+15550999"
    assert line.ask("Question number 3?")["statusCode"] == "202"


def test_who_has_no_number_is_limited_by_the_topic_alone(line: Line) -> None:
    limit(line, asks_per_caller=1, asks_per_minute=3)
    line.caller = None
    replies = [line.ask(f"Question number {n}?") for n in range(4)]
    assert [reply["statusCode"] for reply in replies] == ["202", "202", "202", "429"]
    assert replies[-1]["reason"] == "topic_limit"
    line.clock.sleep(60)
    assert line.ask("Question number 9?")["statusCode"] == "202"


def test_joining_a_question_that_is_being_answered_is_not_counted(line: Line) -> None:
    limit(line, asks_per_minute=1)
    assert [line.ask()["statusCode"] for _ in range(3)] == ["202"] * 3
    assert len(line.sent) == 1


def test_when_the_quota_is_spent_for_longer_than_the_caller_would_wait_he_is_told_at_once(line: Line) -> None:
    limit(line, model_id="slow", max_tokens=100)
    line.store.limits.publish_limits(ModelCapacity("slow", requests_per_minute=6))
    seen = line.store.limits.read_capacity("slow")
    line.store.limits.change_capacity(seen, lambda found: take(found, tokens=0, requests=8, now_ms=NOW))
    reply = line.ask()
    assert (reply["statusCode"], reply["reason"], line.sent) == ("429", "busy", [])
    assert "person" in reply["text"]
    assert line.store.read_answer(reply["ticket"].rpartition(":")[0]) is None  # nothing was claimed
    line.clock.sleep(45)
    assert line.ask()["statusCode"] == "202"


def test_a_fallback_model_with_room_takes_the_question(line: Line) -> None:
    limit(line, model_id="down", fallback_model_id="spare")
    for name in ("down", "spare"):
        seen = line.store.limits.read_capacity(name)
        line.store.limits.change_capacity(
            seen, lambda found: replace(found, queue_ms=0, open_until=NOW + (70_000 if found.model_id == "down" else 0))
        )
    assert line.ask()["statusCode"] == "202"
    limit(line, fallback_model_id="")
    assert line.ask("Another question?")["reason"] == "busy"


def test_a_policy_has_its_own_words_for_a_busy_hour(line: Line) -> None:
    policies = policies_to_json({"en-US": replace(POLICY, busy_text="Too many calls today.")})
    limit(line, policies=policies, asks_per_minute=1)
    line.ask()
    assert line.ask("Another question?")["text"] == "Too many calls today."


def test_a_generation_that_found_no_room_hands_the_waiting_caller_over_as_busy(line: Line) -> None:
    line.ask()
    line.start()
    item = line.item()
    line.store.fail(
        item.key, epoch=item.epoch, token=item.token, reason="busy", remember_seconds=5, now_ms=line.clock.now
    )
    reply = line.poll()
    assert (reply["statusCode"], reply["reason"]) == ("429", "busy")
