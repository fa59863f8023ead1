"""The gateway: text as it comes, and every way in which there is none sorted into two kinds with a stable reason."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from connectgenai.wire.replies import BUSY_REASONS
from jobs import bedrock
from jobs.bedrock import REASONS, Finished, ModelError, PermanentModelError, RetryableModelError, TextModel
from jobs.runs import REMEMBER_SECONDS
from local.bedrock.pace import INSTANT, Pace
from local.bedrock.server import BedrockServer, start_server
from tests.jobs.bedrock_wire import PROMPT, bedrock_client, encode_stream, serving, text_event
from tests.jobs.workers import wait_until

TEXT = "We open at nine. " * 30
EVENT_STREAM = "application/vnd.amazon.eventstream"
SLOW = Pace(first_token_seconds=0.0, tokens_per_second=40.0)


@pytest.fixture(scope="module")
def shared_server() -> Iterator[BedrockServer]:
    with start_server(pace=INSTANT, model=lambda _: TEXT) as running:
        yield running


@pytest.fixture
def server(shared_server: BedrockServer) -> BedrockServer:
    shared_server.set_faults()
    shared_server.set_pace(INSTANT)
    shared_server.state.calls.clear()
    return shared_server


def read(
    url: str, *, prompt: dict[str, Any] = PROMPT, silence_seconds: float = 20.0, **model: Any
) -> tuple[str, Finished]:
    pieces = list(TextModel(bedrock_client(url, silence_seconds=silence_seconds), **model).stream(prompt))
    finished = pieces.pop()
    assert isinstance(finished, Finished)
    return "".join(piece for piece in pieces if isinstance(piece, str)), finished


def test_a_whole_answer_is_its_pieces_and_then_what_it_cost(server: BedrockServer) -> None:
    text, finished = read(server.url)
    assert text == TEXT
    wait_until(lambda: server.read_calls()[0]["outcome"] != "open")  # the server notes it after its last byte
    [call] = server.read_calls()
    assert (call["operation"], call["outcome"]) == ("converse-stream", "done")
    assert finished.usage.model == PROMPT["modelId"]
    assert (finished.usage.input_tokens, finished.usage.output_tokens) == (call["input_tokens"], call["output_tokens"])


def test_text_comes_as_the_model_writes_it(server: BedrockServer) -> None:
    server.set_pace(Pace(first_token_seconds=0.0, tokens_per_second=100.0))
    arrivals = [time.monotonic() for piece in TextModel(bedrock_client(server.url)).stream(PROMPT) if piece]
    assert len(arrivals) > 10
    assert arrivals[-1] - arrivals[0] > 0.5


FAULTS = [
    ("throttle", RetryableModelError, "throttled"),
    ("service_unavailable", RetryableModelError, "model_busy"),
    ("internal", RetryableModelError, "model_busy"),
    ("model_not_ready", RetryableModelError, "model_busy"),
    ("model_timeout", RetryableModelError, "model_timeout"),
    ("hang", RetryableModelError, "model_timeout"),
    ("stall", RetryableModelError, "model_timeout"),
    ("broken_frame", RetryableModelError, "network"),
    ("clean_cut", RetryableModelError, "cut_off"),
    ("exception_event", RetryableModelError, "cut_off"),
    ("throttle_event", RetryableModelError, "throttled"),
    ("validation", PermanentModelError, "model_refused"),
    ("access_denied", PermanentModelError, "access_denied"),
    ("max_tokens", PermanentModelError, "truncated"),
    ("guardrail", PermanentModelError, "guardrail"),
    ("content_filtered", PermanentModelError, "content_filter"),
    ("empty", PermanentModelError, "empty"),
]


@pytest.mark.parametrize(("fault", "kind", "reason"), FAULTS)
def test_every_fault_is_one_of_two_kinds_and_costs_one_call(
    server: BedrockServer, fault: str, kind: type[ModelError], reason: str
) -> None:
    server.set_faults({"kind": fault})
    with pytest.raises(kind) as caught:
        read(server.url, silence_seconds=1.0)
    assert caught.value.reason == reason
    assert [call["fault"] for call in server.read_calls()] == [fault]


STOP = "messageStop"
STREAMS = [
    ([text_event("Hm."), (STOP, {"stopReason": "tool_use"})], PermanentModelError, "unusable"),
    ([text_event("Hm."), (STOP, {"stopReason": "a_reason_of_2030"})], PermanentModelError, "unusable"),
    ([text_event("Hm."), (STOP, {"stopReason": "model_context_window_exceeded"})], PermanentModelError, "truncated"),
    ([text_event(" \n "), (STOP, {"stopReason": "end_turn"})], PermanentModelError, "empty"),
    ([(STOP, {"stopReason": "stop_sequence"})], PermanentModelError, "empty"),
    ([text_event("Hm.")], RetryableModelError, "cut_off"),
    ([], RetryableModelError, "cut_off"),
]


@pytest.mark.parametrize(("events", "kind", "reason"), STREAMS)
def test_only_a_text_that_the_model_ended_itself_is_an_answer(
    events: list[tuple[str, dict[str, Any]]], kind: type[ModelError], reason: str
) -> None:
    with serving(encode_stream(*events), kind=EVENT_STREAM) as url, pytest.raises(kind) as caught:
        read(url)
    assert caught.value.reason == reason


GARBLED = bytearray(encode_stream(text_event("Hm.")))
GARBLED[-8] ^= 0xFF
REPLIES = [
    ({"body": bytes(GARBLED), "kind": EVENT_STREAM}, RetryableModelError, "network"),
    ({"body": b"<html>Please log in to this network</html>", "kind": "text/html"}, RetryableModelError, "network"),
    ({"body": b"<html>Bad gateway</html>", "status": 502, "kind": "text/html"}, RetryableModelError, "model_busy"),
    ({"body": b"{}", "status": 429, "error": "SomethingNew"}, RetryableModelError, "model_busy"),
    ({"body": b"{}", "status": 424, "error": "ModelErrorException"}, RetryableModelError, "model_busy"),
    ({"body": b"{}", "status": 400, "error": "ServiceQuotaExceededException"}, RetryableModelError, "throttled"),
    ({"body": b"{}", "status": 403, "error": "UnrecognizedClientException"}, PermanentModelError, "access_denied"),
    ({"body": b"{}", "status": 404, "error": "ResourceNotFoundException"}, PermanentModelError, "model_refused"),
    ({"body": b"{}", "status": 413, "error": ""}, PermanentModelError, "model_refused"),
]


@pytest.mark.parametrize(("reply", "kind", "reason"), REPLIES)
def test_what_is_no_bedrock_at_all_is_sorted_too(reply: dict[str, Any], kind: type[ModelError], reason: str) -> None:
    with serving(**reply) as url, pytest.raises(kind) as caught:
        read(url)
    assert caught.value.reason == reason


def test_a_refused_connection_may_be_tried_again() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        with pytest.raises(RetryableModelError, match="network"):
            read(f"http://127.0.0.1:{taken.getsockname()[1]}")


def test_a_prompt_that_boto3_refuses_is_refused_for_good(server: BedrockServer) -> None:
    with pytest.raises(PermanentModelError, match="model_refused"):
        read(server.url, prompt={**PROMPT, "inferenceConfig": {"maxTokens": 0}})
    assert server.read_calls() == []


def test_a_worker_without_credentials_has_no_access(server: BedrockServer) -> None:
    client = bedrock_client(server.url, aws_access_key_id="test", aws_secret_access_key="test")
    client._request_signer._credentials = None
    with pytest.raises(PermanentModelError, match="access_denied"):
        list(TextModel(client).stream(PROMPT))


def test_an_answer_that_never_ends_is_given_up_within_its_budget(server: BedrockServer) -> None:
    server.set_pace(Pace(first_token_seconds=0.0, total_seconds=30.0))
    began = time.monotonic()
    with pytest.raises(RetryableModelError, match="model_timeout"):
        read(server.url, budget_seconds=1.0)
    assert time.monotonic() - began < 15


def test_a_text_longer_than_the_store_can_hold_is_given_up() -> None:
    events = [text_event("word " * 20) for _ in range(20)]
    stream = encode_stream(*events, (STOP, {"stopReason": "end_turn"}))
    with serving(stream, kind=EVENT_STREAM) as url, pytest.raises(PermanentModelError, match="truncated"):
        read(url, max_characters=1_000)


def test_closing_the_stream_hangs_up_on_the_model(server: BedrockServer) -> None:
    server.set_pace(SLOW)
    pieces = TextModel(bedrock_client(server.url)).stream(PROMPT)
    assert any(next(pieces) for _ in range(5))
    pieces.close()
    deadline = time.monotonic() + 10
    while (outcome := server.read_calls()[0]["outcome"]) == "open" and time.monotonic() < deadline:
        time.sleep(0.05)
    assert outcome == "left"


def test_thoughts_are_not_spoken() -> None:
    thought = "contentBlockDelta", {"contentBlockIndex": 0, "delta": {"reasoningContent": {"text": "Let me see."}}}
    with serving(
        encode_stream(thought, text_event("Nine."), (STOP, {"stopReason": "end_turn"})), kind=EVENT_STREAM
    ) as url:
        assert read(url)[0] == "Nine."


def test_what_the_model_read_from_its_cache_it_has_read() -> None:
    usage = {
        "inputTokens": 7,
        "outputTokens": 2,
        "totalTokens": 1_009,
        "cacheReadInputTokens": 600,
        "cacheWriteInputTokens": 400,
    }
    metadata = "metadata", {"usage": usage, "metrics": {"latencyMs": 1}}
    stream = encode_stream(text_event("Nine."), (STOP, {"stopReason": "end_turn"}), metadata)
    with serving(stream, kind=EVENT_STREAM) as url:
        used = read(url)[1].usage
    assert (used.input_tokens, used.output_tokens) == (1_007, 2)


def test_every_reason_is_explained_to_supervisors() -> None:
    tables = (bedrock._RETRYABLE_CODES, bedrock._PERMANENT_CODES, bedrock._NOT_ANSWERED)
    used = {reason for table in tables for reason in table.values()} | set(REMEMBER_SECONDS)
    assert used | {reason for _, _, reason in [*FAULTS, *STREAMS, *REPLIES]} <= set(REASONS)


def test_every_reason_is_in_the_contract() -> None:
    contract = (Path(__file__).parents[2] / "docs" / "wire-contract.md").read_text()
    status = {reason: "429" if reason in BUSY_REASONS else "500" for reason in REASONS}
    assert all(f"| `{reason}` | {status[reason]} | {meaning} |" in contract for reason, meaning in REASONS.items())
