"""One connection: Bedrock-Runtime's routes, a health check, and the control API for faults, pace and calls."""

from __future__ import annotations

import json
import math
import re
import select
import socket
import time
import urllib.parse
import uuid
from collections.abc import Mapping
from dataclasses import asdict
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any

from local.bedrock.calls import Call
from local.bedrock.converse import close_stream, converse_reply, open_stream
from local.bedrock.embedding import embed_request
from local.bedrock.errors import BedrockError, invalid
from local.bedrock.faults import CUTS, Fault, FaultError, parse_faults, refuse, refuse_cut
from local.bedrock.generation import Generation, generate
from local.bedrock.pace import PaceError, pace_from
from local.bedrock.prompt import read_prompt
from local.bedrock.prompt_cache import count_prompt_tokens
from local.bedrock.state import State
from local.bedrock.tokens import count_tokens
from local.bedrock.validation import check_conversation, check_length, check_model_id, is_embedding_model, read_counted

if TYPE_CHECKING:
    from local.bedrock.server import HttpServer

ROUTE = re.compile(r"/model/(.+)/(converse|converse-stream|invoke|count-tokens)")
MAX_BODY_BYTES = 25_000_000  # about Bedrock's own limit
GLANCE_SECONDS = 0.25  # between looks at whether a waiting client is still there


class ClientLeftError(Exception):
    """The client, or this server, ended the connection before the reply was complete."""


class Handler(BaseHTTPRequestHandler):
    """Answers the requests of one connection."""

    server: HttpServer
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # each event leaves when it is due

    @property
    def state(self) -> State:
        """What all connections share."""
        return self.server.state

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is http.server's
        """Logs nothing: questions are the callers' own."""

    def do_GET(self) -> None:
        """Health, calls and pace."""
        if self.path == "/healthz":
            self._reply({"status": "ok"})
        elif self.path == "/_control/calls":
            self._reply({"calls": self.state.calls.read()})
        elif self.path == "/_control/pace":
            self._reply(asdict(self.state.pace))
        else:
            self._refuse(_no_route(self.path))

    def do_DELETE(self) -> None:
        """Forgets the calls."""
        if self.path == "/_control/calls":
            self.state.calls.clear()
            self._reply({"calls": []})
        else:
            self._refuse(_no_route(self.path))

    def do_PUT(self) -> None:
        """Changes faults or pace."""
        try:
            self._control(self._read_json())
            self._reply({"status": "ok"})
        except (FaultError, PaceError) as error:
            self._refuse(invalid(str(error)))
        except BedrockError as error:
            self._refuse(error)

    def _control(self, body: Any) -> None:
        if self.path == "/_control/faults":
            self.state.faults.replace(parse_faults(body))
        elif self.path == "/_control/pace":
            self.state.pace = pace_from(body)
        else:
            raise _no_route(self.path)

    def do_POST(self) -> None:
        """Bedrock's operations, each remembered with its outcome."""
        started = time.monotonic()
        route = ROUTE.fullmatch(urllib.parse.unquote(self.path))
        if route is None:
            self._refuse(_no_route(self.path))
            return
        call = self.state.calls.open(route[2], model=route[1])
        try:
            self._operate(call, started=started)
            call.outcome = "done"
        except BedrockError as error:
            call.outcome = error.code
            self._refuse(error)
        except (ClientLeftError, OSError):
            call.outcome, self.close_connection = "left", True
        finally:
            call.seconds = round(time.monotonic() - started, 3)

    def _operate(self, call: Call, *, started: float) -> None:
        body = self._read_json()
        if not isinstance(body, dict):
            raise invalid("The request body must be an object.")
        if call.operation == "invoke":
            self._invoke(body, call)
        elif call.operation == "count-tokens":
            self._count(body, call)
        else:
            self._converse(body, call, started=started)

    def _invoke(self, body: Mapping[str, Any], call: Call) -> None:
        check_model_id(call.model)
        if not is_embedding_model(call.model):
            raise invalid("Only embedding models are invoked here. For text, use Converse or ConverseStream.")
        self._strike(call, question=str(body.get("inputText", "")))
        reply = embed_request(body, model=call.model)
        call.input_tokens = reply["inputTextTokenCount"]
        self._reply(reply, {"X-Amzn-Bedrock-Input-Token-Count": str(call.input_tokens)})

    def _count(self, body: Mapping[str, Any], call: Call) -> None:
        check_model_id(call.model)
        counted = read_counted(body, model=call.model)
        self._strike(call, question="")
        call.input_tokens = count_tokens(counted) if isinstance(counted, str) else count_prompt_tokens(counted)
        self._reply({"inputTokens": call.input_tokens})

    def _converse(self, body: Mapping[str, Any], call: Call, *, started: float) -> None:
        check_conversation(body, model=call.model)
        check_length(count_prompt_tokens(body))
        prompt = read_prompt(body)
        call.question = prompt.question
        fault = self._strike(call, question=prompt.question)
        cache = self.state.cache.measure(body, model=call.model, now_seconds=time.monotonic())
        config = body.get("inferenceConfig") or {}
        generation = generate(prompt, config=config, model=self.state.model, cache=cache, fault=fault)
        call.input_tokens, call.output_tokens = cache.total, count_tokens(generation.text)
        speak = self._speak if call.operation == "converse-stream" else self._say
        speak(generation, fault=fault, started=started)

    def _strike(self, call: Call, *, question: str) -> Fault | None:
        """The fault that hits this request, if any; those that refuse it or never answer do so here."""
        fault = self.state.faults.pick(operation=call.operation, question=question)
        call.fault = fault.kind if fault else ""
        refuse(fault)
        if fault and fault.kind == "hang":
            self._wait_until(math.inf)
        if fault and fault.kind == "slow_start":
            self._wait_until(time.monotonic() + fault.seconds)
        return fault

    def _say(self, generation: Generation, *, fault: Fault | None, started: float) -> None:
        """The whole reply at once, when its last token would be out."""
        tokens = count_tokens(generation.text)
        due = self.state.pace.token_after(tokens, of=tokens, input_tokens=generation.cache.total)
        self._wait_until(started + due + _delay(fault))
        if fault is None or fault.kind not in CUTS:
            self._reply(converse_reply(generation, latency_ms=_milliseconds(started)))
            return
        refuse_cut(fault)
        if fault.kind == "stall":
            self._wait_until(math.inf)
        body = json.dumps(converse_reply(generation, latency_ms=_milliseconds(started))).encode()
        self._begin(200, {"Content-Type": "application/json", "Content-Length": str(len(body))})
        self.wfile.write(body[: len(body) // 2])
        raise ClientLeftError

    def _speak(self, generation: Generation, *, fault: Fault | None, started: float) -> None:
        """The reply as a stream of events, each sent when it is due."""
        began = False
        for due in open_stream(generation, pace=self.state.pace, fault=fault):
            self._wait_until(started + due.after_seconds + _delay(fault))
            if not began:  # Bedrock's headers, too, come with the first event only
                self._begin(200, {"Content-Type": "application/vnd.amazon.eventstream", "Transfer-Encoding": "chunked"})
                began = True
            self._send_chunk(due.message)
        if fault and fault.kind == "stall":
            self._wait_until(math.inf)
        if fault and fault.kind == "broken_frame":
            raise ClientLeftError
        if fault is None or fault.kind not in CUTS:
            for message in close_stream(generation, latency_ms=_milliseconds(started)):
                self._send_chunk(message)
        self._send_chunk(b"")

    def _wait_until(self, deadline: float) -> None:
        """Waits on the monotonic clock; ClientLeftError as soon as nobody waits for the reply any more."""
        while (left := deadline - time.monotonic()) > 0:
            if self.state.closing.is_set() or self._has_left(min(left, GLANCE_SECONDS)):
                raise ClientLeftError

    def _has_left(self, seconds: float) -> bool:
        """Whether the client closes the connection within these seconds."""
        poll = select.poll()
        poll.register(self.connection, select.POLLIN)
        if not poll.poll(math.ceil(seconds * 1_000)):
            return False
        if not self.connection.recv(1, socket.MSG_PEEK):
            return True
        time.sleep(seconds)  # it sent its next request already
        return False

    def _read_json(self) -> Any:
        length = self.headers.get("Content-Length", "")
        if not length.isdigit() or int(length) > MAX_BODY_BYTES:
            self.close_connection = True  # what was not read must not be taken for the next request
            raise BedrockError("ValidationException", "The request is too large or has no Content-Length.", status=413)
        try:
            return json.loads(self.rfile.read(int(length)))
        except (ValueError, RecursionError):
            raise BedrockError("SerializationException", "The request body is not valid JSON.", status=400) from None

    def _reply(self, body: Mapping[str, Any], headers: Mapping[str, str] | None = None, *, status: int = 200) -> None:
        payload = json.dumps(body).encode()
        self._begin(
            status, {"Content-Type": "application/json", "Content-Length": str(len(payload)), **(headers or {})}
        )
        self.wfile.write(payload)

    def _refuse(self, error: BedrockError) -> None:
        kind = f"{error.code}:http://internal.amazon.com/coral/com.amazon.bedrock/"
        self._reply({"message": error.message}, {"x-amzn-ErrorType": kind}, status=error.status)

    def _begin(self, status: int, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in {"x-amzn-RequestId": str(uuid.uuid4()), **headers}.items():
            self.send_header(name, value)
        self.end_headers()

    def _send_chunk(self, data: bytes) -> None:
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))


def _no_route(path: str) -> BedrockError:
    return BedrockError("UnknownOperationException", f"There is nothing at {path[:200]}.", status=404)


def _delay(fault: Fault | None) -> float:
    """Seconds by which a slow start shifts the whole reply."""
    return fault.seconds if fault and fault.kind == "slow_start" else 0.0


def _milliseconds(started: float) -> int:
    return int((time.monotonic() - started) * 1_000)
