"""The Bedrock-shaped server as boto3 sees it: replies, streams, limits, validation, caching, embeddings, control."""

from __future__ import annotations

import json
import math
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from local.bedrock.pace import INSTANT, REALISTIC, Pace
from local.bedrock.prompt import Prompt
from local.bedrock.prompt_cache import PromptCache
from local.bedrock.server import start_server
from tests.local.bedrock_caller import MODEL, Caller, control, make_client, make_request, text_in, text_of

ROOT = Path(__file__).resolve().parents[2]
SHOP = "The shop opens at nine. The cellar is full of old wooden boats. Parking is free for two hours."
LONG = " ".join(f"Room {n} holds {n + 3} chairs and a table of colour {n % 7}." for n in range(400))


def test_a_reply_has_text_a_stop_reason_usage_and_metrics(bedrock: Caller) -> None:
    reply = bedrock.client.converse(**make_request("When does the shop open?", SHOP))
    assert text_of(reply) == "The shop opens at nine."
    assert reply["stopReason"] == "end_turn"
    usage = reply["usage"]
    assert usage["totalTokens"] == usage["inputTokens"] + usage["outputTokens"]
    assert 20 < usage["inputTokens"] < 100
    assert usage["outputTokens"] == math.ceil(5 * 1.3)
    assert reply["metrics"]["latencyMs"] >= 0


def test_a_stream_says_the_same_in_bedrocks_order_of_events(bedrock: Caller) -> None:
    events = bedrock.stream("When does the shop open?", SHOP)
    kinds = [next(iter(event)) for event in events]
    assert kinds[0] == "messageStart"
    assert kinds[-3:] == ["contentBlockStop", "messageStop", "metadata"]
    assert set(kinds[1:-3]) == {"contentBlockDelta"}
    assert text_in(events) == "The shop opens at nine."
    assert events[-2]["messageStop"]["stopReason"] == "end_turn"
    assert events[-1]["metadata"]["usage"]["outputTokens"] == math.ceil(5 * 1.3)


def test_events_arrive_as_they_are_spoken_and_not_at_the_end(bedrock: Caller) -> None:
    bedrock.server.set_pace(Pace(first_token_seconds=0.2, tokens_per_second=10, tokens_per_event=2))
    stream = bedrock.client.converse_stream(**make_request("When does the shop open?", SHOP))["stream"]
    arrived = [time.monotonic() for _ in stream]
    # 5 words, two tokens (1.5 words, so 2) an event: the deltas are spread over more than half a second
    assert arrived[-1] - arrived[0] > 0.4
    assert sum(b - a > 0.1 for a, b in pairwise(arrived)) >= 3


def test_the_first_token_of_a_long_prompt_takes_longer() -> None:
    assert REALISTIC.first_token_after(13_000) > REALISTIC.first_token_after(1_500)


def test_the_default_pace_gives_a_long_summary_12_to_25_seconds_and_a_short_answer_5_to_8() -> None:
    for words in (220, 275):  # the summary's shortest and longest
        tokens = words * 1.3
        assert 12 <= REALISTIC.token_after(tokens, of=tokens, input_tokens=13_500) <= 25
    for words in (14, 45):
        tokens = words * 1.3
        assert 5 <= REALISTIC.token_after(tokens, of=tokens, input_tokens=1_500) <= 8


def test_a_fixed_duration_holds_for_any_text() -> None:
    pace = Pace(total_seconds=5)
    for tokens in (3, 3_000):
        assert pace.token_after(tokens, of=tokens, input_tokens=9_000) == pytest.approx(5)
    assert pace.first_token_after(9_000) < 2


def test_a_reply_that_is_not_streamed_takes_as_long(bedrock: Caller) -> None:
    bedrock.server.set_pace(Pace(first_token_seconds=0.3, tokens_per_second=20))
    started = time.monotonic()
    reply = bedrock.client.converse(**make_request("When does the shop open?", SHOP))
    assert time.monotonic() - started > 0.3 + 5 / 20
    assert reply["metrics"]["latencyMs"] >= 550


def test_max_tokens_cuts_the_answer_and_says_so(bedrock: Caller) -> None:
    reply = bedrock.client.converse(**make_request("When does the shop open?", SHOP, inferenceConfig={"maxTokens": 4}))
    assert reply["stopReason"] == "max_tokens"
    assert text_of(reply) == "The shop opens"
    assert reply["usage"]["outputTokens"] <= 4


def test_a_stop_sequence_ends_the_answer_before_it(bedrock: Caller) -> None:
    config = {"stopSequences": ["never", " at nine"]}
    reply = bedrock.client.converse(**make_request("When does the shop open?", SHOP, inferenceConfig=config))
    assert (text_of(reply), reply["stopReason"]) == ("The shop opens", "stop_sequence")


def test_fifty_streams_run_side_by_side(bedrock: Caller) -> None:
    bedrock.server.set_pace(Pace(total_seconds=1.0))
    client = make_client(bedrock.server.url)
    texts: list[str] = []

    def ask() -> None:
        texts.append(text_in(list(client.converse_stream(**make_request("When does the shop open?", SHOP))["stream"])))

    threads = [threading.Thread(target=ask) for _ in range(50)]
    started = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    client.close()
    assert len(texts) == 50
    assert set(texts) == {"The shop opens at nine."}
    assert time.monotonic() - started < 25  # one after the other would take 50 seconds


@pytest.mark.parametrize(
    "model",
    [
        MODEL,
        "anthropic.claude-3-haiku-20240307-v1:0",
        "us.anthropic.claude-sonnet-4-20250514-v1:0",
        "global.amazon.nova-2-lite-v1:0",
        "arn:aws:bedrock:us-east-1:111122223333:application-inference-profile/a1b2c3d4e5f6",
        "arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-lite-v1:0",
    ],
)
def test_any_well_formed_model_id_is_accepted(bedrock: Caller, model: str) -> None:
    assert bedrock.ask("When does the shop open?", SHOP, model=model) == "The shop opens at nine."


USER = {"role": "user", "content": [{"text": "Hello?"}]}
ASSISTANT = {"role": "assistant", "content": [{"text": "Hello."}]}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"modelId": "no-such-model"}, "model identifier is invalid"),
        ({"modelId": "Anthropic.Claude"}, "model identifier is invalid"),
        ({"modelId": "amazon.titan-embed-text-v2:0"}, "doesn't support the model"),
        ({"messages": []}, "must start with a user message"),
        ({"messages": [ASSISTANT, USER]}, "must start with a user message"),
        ({"messages": [USER, USER]}, "must alternate"),
        ({"messages": [USER, ASSISTANT]}, "must end with a user message"),
        ({"messages": [{"role": "user", "content": []}]}, "content field in the Message object at messages.0 is empty"),
        (
            {"messages": [{"role": "user", "content": [{"text": " "}]}]},
            "text field in the ContentBlock object at messages.0.content.0 is blank",
        ),
        ({"messages": [{"role": "user", "content": [{"cachePoint": {"type": "default"}}]}]}, "nothing before"),
        ({"messages": [{"role": "user", "content": [{"image": {"format": "png"}}]}]}, "support the image content"),
        ({"system": [{"text": ""}]}, "text field in the SystemContentBlock object at system.0 is blank"),
        ({"inferenceConfig": {"maxTokens": 0}}, "'inferenceConfig.maxTokens' failed to satisfy constraint"),
        ({"inferenceConfig": {"maxTokens": -5}}, "greater than or equal to 1"),
        ({"inferenceConfig": {"temperature": 1.5}}, "'inferenceConfig.temperature'"),
        ({"inferenceConfig": {"stopSequences": [""]}}, "stopSequences"),
        ({"system": [{"text": "word " * 200_000}]}, "too long"),
    ],
)
def test_what_bedrock_refuses_is_refused(bedrock: Caller, change: dict[str, Any], message: str) -> None:
    client = make_client(bedrock.server.url, is_checked=False)
    request = {"modelId": MODEL, "messages": [USER], **change}
    for call in (client.converse, client.converse_stream):
        with pytest.raises(client.exceptions.ValidationException, match=message) as caught:
            call(**request)
        assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    client.close()


def test_a_request_that_is_not_json_is_an_error_and_the_server_lives_on(bedrock: Caller) -> None:
    for body in (b"{", b"[" * 100_000, b"\xff", b"[]"):
        answer = send_raw(bedrock.server.port, body)
        assert answer.startswith(b"HTTP/1.1 400 ")
    assert bedrock.ask("When does the shop open?", SHOP) == "The shop opens at nine."


def send_raw(port: int, body: bytes) -> bytes:
    head = (
        f"POST /model/{MODEL}/converse HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.sendall(head.encode() + body)
        received = b""
        while piece := connection.recv(65_536):
            received += piece
        return received


def test_a_second_identical_prefix_is_read_from_the_cache(bedrock: Caller) -> None:
    request = make_request("How many chairs are in room 7?", LONG)
    request["system"].append({"cachePoint": {"type": "default"}})
    first, second = (bedrock.client.converse(**request)["usage"] for _ in range(2))
    assert first["cacheWriteInputTokens"] > 4_000
    assert first["cacheReadInputTokens"] == 0
    assert (second["cacheReadInputTokens"], second["cacheWriteInputTokens"]) == (first["cacheWriteInputTokens"], 0)
    assert first["inputTokens"] == second["inputTokens"] < 20
    assert first["totalTokens"] == second["totalTokens"]


def test_another_question_reads_the_cache_and_another_document_does_not(bedrock: Caller) -> None:
    def use(question: str, text: str) -> int:
        request = make_request(question, text)
        request["system"].append({"cachePoint": {"type": "default"}})
        return int(bedrock.client.converse(**request)["usage"]["cacheReadInputTokens"])

    assert use("How many chairs are in room 7?", LONG) == 0
    assert use("And in room 8?", LONG) > 4_000
    assert use("And in room 8?", LONG + " A new sentence.") == 0


def test_a_prefix_is_forgotten_five_minutes_after_its_last_use_and_a_short_one_never_kept() -> None:
    def measure(text: str, now_seconds: float) -> tuple[int, int]:
        request = {"system": [{"text": text}, {"cachePoint": {"type": "default"}}], "messages": [USER]}
        use = cache.measure(request, model=MODEL, now_seconds=now_seconds)
        return use.read, use.written

    cache = PromptCache()
    assert measure(LONG, 0)[1] > 4_000
    assert measure(LONG, 299)[0] > 4_000
    assert measure(LONG, 598)[0] > 4_000
    assert measure(LONG, 899)[0] == 0
    assert measure("Too short to keep.", 900) == measure("Too short to keep.", 901) == (0, 0)


def test_tokens_are_counted_as_the_model_counts_them(bedrock: Caller) -> None:
    request = make_request("When does the shop open?", SHOP)
    counted = bedrock.client.count_tokens(
        modelId=MODEL, input={"converse": {"system": request["system"], "messages": request["messages"]}}
    )
    assert counted["inputTokens"] == bedrock.client.converse(**request)["usage"]["inputTokens"]
    raw = bedrock.client.count_tokens(modelId=MODEL, input={"invokeModel": {"body": b"ten words " * 5}})
    assert raw["inputTokens"] == 13


def embed(bedrock: Caller, text: str, *, model: str = "amazon.titan-embed-text-v2:0", **more: Any) -> dict[str, Any]:
    reply = bedrock.client.invoke_model(modelId=model, body=json.dumps({"inputText": text, **more}))
    body: dict[str, Any] = json.loads(reply["body"].read())
    return body


def test_an_embedding_has_titans_shape(bedrock: Caller) -> None:
    for size in (256, 512, 1024):
        body = embed(bedrock, "Where can I park my car?", dimensions=size, normalize=True)
        assert len(body["embedding"]) == size
        assert body["embeddingsByType"]["float"] == body["embedding"]
        assert math.hypot(*body["embedding"]) == pytest.approx(1)
        assert body["inputTextTokenCount"] == 8
    assert len(embed(bedrock, "Where can I park?", model="amazon.titan-embed-text-v1")["embedding"]) == 1536


def test_alike_questions_lie_nearer_than_others(bedrock: Caller) -> None:
    def cosine(one: str, other: str) -> float:
        vectors = [embed(bedrock, text)["embedding"] for text in (one, other)]
        return math.fsum(a * b for a, b in zip(*vectors, strict=True))

    asked = "What are your opening hours?"
    assert cosine(asked, asked) == pytest.approx(1)
    assert cosine(asked, "At which hours are you open?") > 2 * cosine(asked, "My parcel was damaged.")


@pytest.mark.parametrize(
    ("body", "model"),
    [
        ({"inputText": ""}, "amazon.titan-embed-text-v2:0"),
        ({}, "amazon.titan-embed-text-v2:0"),
        ({"inputText": "x", "dimensions": 300}, "amazon.titan-embed-text-v2:0"),
        ({"inputText": "word " * 9_000}, "amazon.titan-embed-text-v2:0"),
        ({"inputText": "x"}, "amazon.nova-lite-v1:0"),
        ({"inputText": "x"}, "nonsense"),
    ],
)
def test_a_wrong_embedding_request_is_refused(bedrock: Caller, body: dict[str, Any], model: str) -> None:
    with pytest.raises(bedrock.client.exceptions.ValidationException):
        bedrock.client.invoke_model(modelId=model, body=json.dumps(body))


def test_it_tells_that_it_is_well(bedrock: Caller) -> None:
    assert control(bedrock.server, "GET", "/healthz") == {"status": "ok"}


def test_calls_are_remembered_with_question_fault_and_outcome_until_they_are_cleared(bedrock: Caller) -> None:
    control(bedrock.server, "PUT", "/_control/faults", {"faults": [{"kind": "throttle", "times": 1}]})
    with pytest.raises(ClientError):
        bedrock.ask("Is parking free?", SHOP)
    bedrock.stream("Is parking free?", SHOP)
    first, second = control(bedrock.server, "GET", "/_control/calls")["calls"]
    assert (first["operation"], first["fault"], first["outcome"]) == ("converse", "throttle", "ThrottlingException")
    assert (second["operation"], second["fault"], second["outcome"]) == ("converse-stream", "", "done")
    assert first["question"] == second["question"] == "Is parking free?"
    assert second["output_tokens"] == math.ceil(6 * 1.3)
    control(bedrock.server, "DELETE", "/_control/calls")
    assert bedrock.server.read_calls() == []


def test_the_pace_is_changed_while_it_runs(bedrock: Caller) -> None:
    control(bedrock.server, "PUT", "/_control/pace", {"first_token_seconds": 0.3, "tokens_per_second": 1000})
    assert control(bedrock.server, "GET", "/_control/pace")["first_token_seconds"] == 0.3
    started = time.monotonic()
    bedrock.ask("Is parking free?", SHOP)
    assert time.monotonic() - started >= 0.3


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/_control/pace", {"first_token_seconds": -1}),
        ("/_control/pace", {"tokens_per_second": 0}),
        ("/_control/pace", {"speed": 3}),
        ("/_control/pace", {"total_seconds": "soon"}),
        ("/_control/pace", ["fast"]),
        ("/_control/faults", [{"kind": "earthquake"}]),
        ("/_control/faults", [{"kind": ["hang"]}]),
        ("/_control/faults", [{"rate": 1}]),
        ("/_control/pace", {"tokens_per_second": math.nan}),
        ("/_control/faults", [{"kind": "hang", "rate": 2}]),
        ("/_control/faults", [{"kind": "hang", "rate": True}]),
        ("/_control/faults", [{"kind": "hang", "times": -1}]),
        ("/_control/faults", [{"kind": "hang", "match": 5}]),
        ("/_control/faults", [{"kind": "hang", "often": 5}]),
        ("/_control/faults", [{"kind": "hang", "operations": ["dance"]}]),
        ("/_control/faults", "hang"),
    ],
)
def test_a_wrong_control_request_is_refused_and_changes_nothing(bedrock: Caller, path: str, body: Any) -> None:
    with pytest.raises(urllib.error.HTTPError) as caught:
        control(bedrock.server, "PUT", path, body)
    assert caught.value.code == 400
    assert len(json.loads(caught.value.read())["message"]) > 20
    caught.value.close()
    assert bedrock.ask("When does the shop open?", SHOP) == "The shop opens at nine."
    assert bedrock.server.state.pace == INSTANT


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "POST"])
def test_an_unknown_path_is_not_found(bedrock: Caller, method: str) -> None:
    with pytest.raises(urllib.error.HTTPError) as caught:
        control(bedrock.server, method, "/nowhere", {} if method in ("PUT", "POST") else None)
    assert caught.value.code == 404
    caught.value.close()


def test_it_notices_that_a_client_left(bedrock: Caller) -> None:
    bedrock.server.set_pace(Pace(first_token_seconds=0, tokens_per_second=1))
    reply = bedrock.client.converse_stream(**make_request("When does the shop open?", SHOP))
    next(iter(reply["stream"]))
    reply["stream"].close()
    bedrock.client.close()
    assert wait_for_outcome(bedrock) == "left"


def wait_for_outcome(bedrock: Caller) -> str:
    deadline = time.monotonic() + 20
    while (outcome := bedrock.server.read_calls()[-1]["outcome"]) == "open" and time.monotonic() < deadline:
        time.sleep(0.05)
    return str(outcome)


def test_another_model_can_stand_behind_it() -> None:
    def shout(prompt: Prompt) -> str:
        return f"{prompt.documents[0].title}: {prompt.question}".upper()

    with start_server(pace=INSTANT, model=shout) as server:
        client = make_client(server.url)
        assert text_of(client.converse(**make_request("why <not>?", "A & B"))) == "TEXT 1: WHY <NOT>?"
        client.close()


def test_after_closing_nothing_answers() -> None:
    server = start_server(pace=INSTANT)
    server.close()
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", server.port)) != 0


def test_as_a_process_it_names_its_port_and_ends_cleanly_on_sigterm() -> None:
    command = [sys.executable, "-m", "local.bedrock", "--port", "0", "--pace", '{"first_token_seconds": 60}']
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = process.stdout.readline().split()[4]
        client = make_client(url, read_seconds=60)
        asking = threading.Thread(target=ask_in_vain, args=(client,))
        asking.start()
        time.sleep(0.5)
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
        asking.join(20)
        client.close()


def ask_in_vain(client: Any) -> None:
    with pytest.raises(BotoCoreError):
        client.converse(**make_request("Hello?"))


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="reads /proc")
def test_it_listens_on_loopback_only(bedrock: Caller) -> None:
    rows = [row.split() for row in Path("/proc/self/net/tcp").read_text().splitlines()[1:]]
    port = f"{bedrock.server.port:04X}"
    assert [row[1] for row in rows if row[1].endswith(f":{port}") and row[3] == "0A"] == [f"0100007F:{port}"]


def test_a_wrong_pace_on_the_command_line_is_explained() -> None:
    command = [sys.executable, "-m", "local.bedrock", "--pace", "lightning"]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
    assert ended.returncode == 2
    assert "realistic, instant" in ended.stderr
