"""The server: started in a process of its own or inside a test, on loopback unless told otherwise."""

from __future__ import annotations

import sys
import threading
from collections.abc import Mapping
from http.server import ThreadingHTTPServer
from typing import Any

from local.bedrock.extractive import answer
from local.bedrock.faults import parse_faults
from local.bedrock.generation import TextModel
from local.bedrock.handler import Handler
from local.bedrock.pace import REALISTIC, Pace
from local.bedrock.state import State


class HttpServer(ThreadingHTTPServer):
    """One thread for each connection."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 1_024  # hundreds of worker slots may connect at once
    state: State

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Reports our own mistakes; that a client went away is none."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class BedrockServer:
    """A running server at `url`; close it, or use it in a `with` statement."""

    def __init__(self, *, host: str, port: int, pace: Pace, model: TextModel) -> None:
        self.state = State(model, pace)
        self._http = HttpServer((host, port), Handler)
        self._http.state = self.state
        self.port: int = self._http.server_address[1]
        self.url = f"http://{host}:{self.port}"
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.05,), name="bedrock", daemon=True)
        self._thread.start()

    def set_faults(self, *specs: Mapping[str, Any]) -> None:
        """Switches on these faults and no others: `{"kind": "throttle", "rate": 0.2}` and the like. Raises FaultError."""
        self.state.faults.replace(parse_faults(list(specs)))

    def set_pace(self, pace: Pace) -> None:
        """Changes the pace of all replies that begin from now on."""
        self.state.pace = pace

    def read_calls(self) -> list[dict[str, Any]]:
        """The latest calls, the oldest first, as `GET /_control/calls` shows them."""
        return self.state.calls.read()

    def close(self) -> None:
        """Stops answering; replies under way are cut off."""
        self.state.closing.set()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    def __enter__(self) -> BedrockServer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def start_server(
    *, host: str = "127.0.0.1", port: int = 0, pace: Pace = REALISTIC, model: TextModel = answer
) -> BedrockServer:
    """Starts serving on loopback, on a free port if none is given. Raises OSError when the port is taken."""
    return BedrockServer(host=host, port=port, pace=pace, model=model)
