"""Each fault as boto3 sees it."""

from __future__ import annotations

import time
from contextlib import closing
from typing import Any

import pytest
import urllib3
from botocore.exceptions import ClientError, ConnectionClosedError, EventStreamError, ReadTimeoutError

from local.bedrock.faults import parse_faults
from local.bedrock.pace import Pace
from tests.local.bedrock_caller import MODEL, Caller, make_client, make_request, text_in, text_of

TEXT = "The shop opens at nine in the morning on every day but Sunday, and it closes at six in the evening."
ASKED = "When does the shop open?"


@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [
        ("throttle", 429, "ThrottlingException"),
        ("service_unavailable", 503, "ServiceUnavailableException"),
        ("internal", 500, "InternalServerException"),
        ("model_timeout", 408, "ModelTimeoutException"),
        ("model_not_ready", 429, "ModelNotReadyException"),
        ("validation", 400, "ValidationException"),
        ("access_denied", 403, "AccessDeniedException"),
    ],
)
def test_a_refusal_has_bedrocks_status_and_code(bedrock: Caller, kind: str, status: int, code: str) -> None:
    bedrock.server.set_faults({"kind": kind})
    for call in (bedrock.client.converse, bedrock.client.converse_stream):
        with pytest.raises(ClientError) as caught:
            call(**make_request(ASKED, TEXT))
        assert caught.value.response["Error"]["Code"] == code
        assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == status
        assert caught.value.response["Error"]["Message"]


@pytest.mark.parametrize(("kind", "calls"), [("throttle", 3), ("model_not_ready", 3), ("model_timeout", 1)])
def test_botocore_retries_what_it_retries_with_the_real_bedrock(bedrock: Caller, kind: str, calls: int) -> None:
    bedrock.server.set_faults({"kind": kind})
    client = make_client(bedrock.server.url, attempts=3)
    with pytest.raises(ClientError):
        client.converse(**make_request(ASKED, TEXT))
    assert len(bedrock.server.read_calls()) == calls
    client.close()


def test_a_hanging_model_runs_into_the_read_timeout(bedrock: Caller) -> None:
    bedrock.server.set_faults({"kind": "hang"})
    client = make_client(bedrock.server.url, read_seconds=0.5)
    for call in (client.converse, client.converse_stream):
        with pytest.raises(ReadTimeoutError):
            call(**make_request(ASKED, TEXT))
    client.close()


def test_a_slow_start_delays_and_then_answers(bedrock: Caller) -> None:
    bedrock.server.set_faults({"kind": "slow_start", "seconds": 0.5})
    started = time.monotonic()
    assert text_in(bedrock.stream(ASKED, TEXT)) == TEXT
    assert 0.5 <= time.monotonic() - started < 15
    assert text_of(bedrock.client.converse(**make_request(ASKED, TEXT))) == TEXT


@pytest.mark.parametrize(
    ("kind", "stop"),
    [
        ("max_tokens", "max_tokens"),
        ("guardrail", "guardrail_intervened"),
        ("content_filtered", "content_filtered"),
        ("empty", "end_turn"),
    ],
)
def test_what_is_no_answer_looks_like_a_success_but_for_its_stop_reason(bedrock: Caller, kind: str, stop: str) -> None:
    bedrock.server.set_faults({"kind": kind})
    events = bedrock.stream(ASKED, TEXT)
    assert [e["messageStop"]["stopReason"] for e in events if "messageStop" in e] == [stop]
    assert text_in(events) != TEXT
    reply = bedrock.client.converse(**make_request(ASKED, TEXT))
    assert (reply["stopReason"], text_of(reply)) == (stop, text_in(events))
    assert (text_in(events) == "") == (kind in ("empty", "content_filtered"))


def read_until_it_breaks(bedrock: Caller, **more: Any) -> tuple[list[dict[str, Any]], Exception | None]:
    """The events that arrived, and what ended them."""
    arrived: list[dict[str, Any]] = []
    try:
        with closing(bedrock.client.converse_stream(**make_request(ASKED, TEXT, **more))["stream"]) as events:
            arrived.extend(events)
    except Exception as error:  # noqa: BLE001 - which one it is, is the question
        return arrived, error
    return arrived, None


def test_a_clean_cut_raises_nothing_and_has_no_message_stop(bedrock: Caller) -> None:
    bedrock.server.set_faults({"kind": "clean_cut"})
    arrived, error = read_until_it_breaks(bedrock)
    assert error is None
    assert TEXT.startswith(text_in(arrived))
    assert 0 < len(text_in(arrived)) < len(TEXT)
    assert not [e for e in arrived if "messageStop" in e or "metadata" in e]


def test_a_connection_cut_in_a_frame_is_urllib3s_error(bedrock: Caller) -> None:
    bedrock.server.set_faults({"kind": "broken_frame"})
    arrived, error = read_until_it_breaks(bedrock)
    assert isinstance(error, urllib3.exceptions.ProtocolError)
    assert 0 < len(text_in(arrived)) < len(TEXT)


@pytest.mark.parametrize(
    ("kind", "code"),
    [("exception_event", "modelStreamErrorException"), ("throttle_event", "throttlingException")],
)
def test_an_exception_in_the_stream_comes_after_part_of_the_text(bedrock: Caller, kind: str, code: str) -> None:
    bedrock.server.set_faults({"kind": kind})
    arrived, error = read_until_it_breaks(bedrock)
    assert isinstance(error, EventStreamError)
    assert error.response["Error"]["Code"] == code
    assert 0 < len(text_in(arrived)) < len(TEXT)


def test_a_stalled_stream_runs_into_the_read_timeout_after_part_of_the_text(bedrock: Caller) -> None:
    bedrock.server.set_faults({"kind": "stall"})
    impatient = Caller(bedrock.server, make_client(bedrock.server.url, read_seconds=0.5))
    arrived, error = read_until_it_breaks(impatient)
    assert "timed out" in str(error).lower()
    assert 0 < len(text_in(arrived)) < len(TEXT)
    impatient.client.close()


@pytest.mark.parametrize(
    ("kind", "kinds"),
    [
        ("exception_event", ClientError),
        ("throttle_event", ClientError),
        ("clean_cut", ConnectionClosedError),
        ("broken_frame", ConnectionClosedError),
    ],
)
def test_faults_of_a_stream_break_a_plain_reply_too(bedrock: Caller, kind: str, kinds: Any) -> None:
    bedrock.server.set_faults({"kind": kind})
    with pytest.raises(kinds):
        bedrock.client.converse(**make_request(ASKED, TEXT))


def test_a_fault_strikes_as_often_as_it_says(bedrock: Caller) -> None:
    bedrock.server.set_faults({"kind": "empty", "times": 2})
    assert [bedrock.ask(ASKED, TEXT) for _ in range(3)] == ["", "", TEXT]


def test_a_fault_strikes_only_the_questions_it_matches(bedrock: Caller) -> None:
    bedrock.server.set_faults({"kind": "empty", "match": "SHOP open"})
    assert bedrock.ask(ASKED, TEXT) == ""
    assert bedrock.ask("Does it close at six?", TEXT) == TEXT


def test_a_seeded_rate_gives_the_same_faults_again(bedrock: Caller) -> None:
    def run() -> list[bool]:
        bedrock.server.set_faults({"kind": "empty", "rate": 0.4, "seed": 7})
        return [bedrock.ask(ASKED, TEXT) == "" for _ in range(30)]

    first = run()
    assert first == run()
    assert 5 <= sum(first) <= 20


def test_of_several_faults_the_first_that_fits_strikes(bedrock: Caller) -> None:
    bedrock.server.set_faults({"kind": "empty", "match": "close"}, {"kind": "guardrail"}, {"kind": "internal"})
    assert bedrock.ask("Does it close at six?", TEXT) == ""
    assert "cannot answer" in bedrock.ask(ASKED, TEXT)


def test_other_operations_fail_only_where_the_fault_names_them(bedrock: Caller) -> None:
    def count() -> int:
        given = {"converse": {"messages": [{"role": "user", "content": [{"text": ASKED}]}]}}
        return int(bedrock.client.count_tokens(modelId=MODEL, input=given)["inputTokens"])

    bedrock.server.set_faults({"kind": "throttle"})
    assert count() == 7
    bedrock.server.set_faults({"kind": "throttle", "operations": ["count-tokens"]})
    assert bedrock.ask(ASKED, TEXT) == TEXT
    with pytest.raises(ClientError):
        count()


def test_no_faults_means_no_faults(bedrock: Caller) -> None:
    bedrock.server.set_faults({"kind": "internal"})
    bedrock.server.set_faults()
    assert bedrock.ask(ASKED, TEXT) == TEXT
    assert parse_faults([]) == []


def test_a_cut_comes_at_the_streams_own_pace(bedrock: Caller) -> None:
    bedrock.server.set_faults({"kind": "clean_cut"})
    bedrock.server.set_pace(Pace(first_token_seconds=0.2, tokens_per_second=40))
    started = time.monotonic()
    read_until_it_breaks(bedrock)
    assert time.monotonic() - started > 0.4
