"""Clients of Bedrock's stand-ins, and one that answers with whatever bytes a test wants."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import boto3
from botocore.config import Config

from local.bedrock.eventstream import encode_event

PROMPT: dict[str, Any] = {
    "modelId": "local.extractive-v1",
    "messages": [{"role": "user", "content": [{"text": "<question>When do you open?</question>"}]}],
    "inferenceConfig": {"maxTokens": 600, "temperature": 0.0},
}


def bedrock_client(url: str, *, silence_seconds: float = 20.0, **credentials: str) -> Any:
    """A client with the worker's own retries (none) and a time-out for silences."""
    config = Config(
        connect_timeout=3, read_timeout=silence_seconds, retries={"total_max_attempts": 1}, max_pool_connections=30
    )
    keys = credentials or {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
    session: Any = boto3.Session(region_name="us-east-1")
    return session.client("bedrock-runtime", endpoint_url=url, config=config, **keys)


@contextmanager
def serving(body: bytes, *, status: int = 200, error: str = "", kind: str = "application/json") -> Iterator[str]:
    """The URL of a server that gives this reply to every request."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(status)
            for name, value in {
                "Content-Type": kind,
                "Content-Length": str(len(body)),
                "x-amzn-ErrorType": error,
            }.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Logs nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def encode_stream(*events: tuple[str, dict[str, Any]]) -> bytes:
    """A whole reply of ConverseStream."""
    return b"".join(encode_event(kind, body) for kind, body in events)


def text_event(text: str) -> tuple[str, dict[str, Any]]:
    """One piece of text."""
    return "contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": text}}
