"""`manage.py call`: the exported poll flow in real time, against Lambdas behind the Invoke API."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from connectgenai.wire.config import aws_client
from connectgenai.wire.store import AnswerStore
from connectgenai.wire.waiting import WaitPolicy, WaitPrompt
from flows.runner.clock import RealClock
from flows.stage import Model, Stage, make_topic
from local.memory_dynamodb import MemoryDynamoDB

POLICY = WaitPolicy(hold=0.3, first_prompt_after=0.3, prompts=(WaitPrompt(text="Hm."),))
QUESTION = ("--topic", "store-faq", "--question", "When do you open?")


class Invoke(BaseHTTPRequestHandler):
    """POST /2015-03-31/functions/<name>/invocations, served by `functions`."""

    functions: dict[str, Any]

    def do_POST(self) -> None:
        name = self.path.split("/")[3]
        event = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        body = json.dumps(self.functions[name](event)).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Nothing: the test says what it wants to know."""


@pytest.fixture
def point_at(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Points the Lambda client at a URL."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")

    def point(url: str) -> None:
        monkeypatch.setenv("AWS_ENDPOINT_URL_LAMBDA", url)
        aws_client.cache_clear()

    yield point
    aws_client.cache_clear()


@pytest.fixture
def lambdas(point_at: Any) -> Iterator[None]:
    """Our Lambdas over a store in memory, with a model that takes a second."""
    topic = make_topic(POLICY, name="store-faq")
    store = AnswerStore(MemoryDynamoDB(), table="calls")
    model = Model(chunks=("We open at nine.",), first_chunk=1.0)
    stage = Stage(store, clock=RealClock(), topic=topic, models=(model,))
    handler = type("Handler", (Invoke,), {"functions": stage.functions()})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    point_at(f"http://127.0.0.1:{server.server_port}")
    yield
    server.shutdown()
    server.server_close()


def call(*arguments: str) -> list[str]:
    out = StringIO()
    call_command("call", *QUESTION, *arguments, stdout=out)
    return out.getvalue().splitlines()


@pytest.mark.usefixtures("lambdas")
def test_it_prints_what_is_invoked_what_is_heard_and_how_it_ended() -> None:
    lines = call()
    assert lines[0].split()[2:4] == ["producer", "202"]
    assert any("wait prompt" in line and '"Hm."' in line for line in lines)
    assert any("answer" in line and '"We open at nine."' in line for line in lines)
    assert "answered: first words after" in lines[-1]


@pytest.mark.usefixtures("lambdas")
def test_with_json_each_line_is_an_event_and_the_last_one_the_end() -> None:
    *events, end = [json.loads(line) for line in call("--json")]
    assert {event["event"] for event in events} == {"invoke", "play"}
    assert (end["event"], end["outcome"], end["source"], end["answer"]) == (
        "end",
        "answered",
        "generated",
        "We open at nine.",
    )
    assert end["lambda_calls"] == sum(event["event"] == "invoke" for event in events)
    assert 1.0 <= end["seconds_to_first_word"] < 20.0


def test_lambdas_that_do_not_serve_are_an_error_after_what_was_heard(point_at: Any) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), Invoke) as server:
        free = server.server_port
    point_at(f"http://127.0.0.1:{free}")
    with pytest.raises(CommandError, match="The call broke off: LambdaError: connectgenai-producer: Could not connect"):
        call()
