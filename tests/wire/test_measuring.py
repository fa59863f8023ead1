"""One line for each reply: what an ask came to, and how long callers waited for the first words."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Any

import pytest

from connectgenai.wire.flow import FlowCall, Reply
from connectgenai.wire.items import AnswerItem, TopicItem
from connectgenai.wire.log import Event
from connectgenai.wire.measuring import OUTCOMES, log_refusal, log_reply
from connectgenai.wire.replies import WaitingCall
from connectgenai.wire.waiting import Cursor, WaitPolicy

ASKED_AT = 1_000_000
KEY = "faq.0a1b"
ITEM = AnswerItem(key=KEY, topic="faq", language="en-US", scope="", question="why is the quokka yellow")


def make_waiting(*, source: str = "", given: int = 0, ticket: str = "") -> WaitingCall:
    call = FlowCall("c1", "c1", "VOICE", "en-US", "+15550187264", {"ticket": ticket, "question": "why, quokka"})
    cursor = Cursor(asked_at=ASKED_AT, source=source, given=given)
    return WaitingCall(call, TopicItem(name="faq"), WaitPolicy(), "en-US", KEY, 3, cursor)


@pytest.fixture
def read(caplog: pytest.LogCaptureFixture) -> Any:
    """The one event that was logged."""
    caplog.set_level(logging.INFO, logger="connectgenai")

    def read_event() -> tuple[str, dict[str, Any]]:
        (event,) = [record.msg for record in caplog.records if isinstance(record.msg, Event)]
        return event.name, dict(event.fields)

    return read_event


@pytest.mark.parametrize(
    ("reply", "source", "outcome"),
    [
        (Reply("200", text="x", source="hit"), "hit", "hit"),
        (Reply("206", text="x", source="curated"), "hit", "hit"),
        (Reply("202"), "joined", "join"),
        (Reply("202"), "", "miss"),
        (Reply("200", text="x", source="incident"), "", "incident"),
        (Reply("429", reason="busy"), "", "busy"),
        (Reply("500", reason="guardrail"), "", "refused"),
    ],
)
def test_an_ask_is_told_by_what_it_came_to(read: Any, reply: Reply, source: str, outcome: str) -> None:
    log_reply(make_waiting(source=source), reply, None, now_ms=ASKED_AT)
    name, fields = read()
    assert (name, fields["outcome"], outcome in OUTCOMES) == ("asked", outcome, True)
    assert fields.items() >= {"contact_id": "c1", "key": KEY, "epoch": 3, "topic": "faq"}.items()
    assert "quokka" not in str(fields)
    assert "5550187264" not in str(fields)


@pytest.mark.parametrize(
    ("status", "reason", "expected"),
    [("400", "question_missing", ("asked", "invalid")), ("500", "unavailable", ("asked", "unavailable")),
     ("400", "ticket_malformed", ("polled", None))],
)  # fmt: skip
def test_a_refusal_is_a_reply_too(read: Any, status: str, reason: str, expected: tuple[str, str | None]) -> None:
    log_refusal(make_waiting().call, status, reason)
    name, fields = read()
    assert (name, fields.get("outcome")) == expected


def test_the_first_words_of_a_poll_are_measured_from_the_question_and_from_their_being_written(read: Any) -> None:
    item = replace(ITEM, first_chunk_at=ASKED_AT + 4_000, finished_at=ASKED_AT + 9_000)
    log_reply(make_waiting(given=1, ticket=f"{KEY}:3"), Reply("206", text="x"), item, now_ms=ASKED_AT + 5_500)
    name, fields = read()
    assert (name, fields["ms_to_words"], fields["ms_ready"]) == ("polled", 5_500, 1_500)
    assert "outcome" not in fields


def test_an_answer_that_was_stored_as_a_whole_was_ready_at_its_end(read: Any) -> None:
    item = replace(ITEM, finished_at=ASKED_AT + 5_000)
    log_reply(make_waiting(given=1, ticket=f"{KEY}:3"), Reply("200", text="x"), item, now_ms=ASKED_AT + 5_500)
    assert read()[1]["ms_ready"] == 500


@pytest.mark.parametrize(("given", "status"), [(2, "206"), (1, "202"), (0, "202")])
def test_only_the_first_words_are_measured(read: Any, given: int, status: str) -> None:
    log_reply(make_waiting(given=given, ticket=f"{KEY}:3"), Reply(status), ITEM, now_ms=ASKED_AT + 5_500)
    assert not {"ms_to_words", "ms_ready"} & set(read()[1])


def test_a_clock_that_was_set_back_makes_no_negative_delay(read: Any) -> None:
    item = replace(ITEM, first_chunk_at=ASKED_AT + 9_000)
    log_reply(make_waiting(given=1, ticket=f"{KEY}:3"), Reply("206", text="x"), item, now_ms=ASKED_AT - 50)
    assert (read()[1]["ms_to_words"], read()[1]["ms_ready"]) == (0, 0)
