"""Talks to the Bedrock-shaped server as the product does: through boto3."""

from __future__ import annotations

import html
import json
import urllib.request
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.config import Config

from local.bedrock.server import BedrockServer

MODEL = "local.extractive-v1"


def make_client(url: str, *, read_seconds: float = 30, attempts: int = 1, is_checked: bool = True) -> Any:
    """A boto3 client of the server; `is_checked=False` lets requests through that botocore itself would refuse."""
    retries: Any = {"mode": "standard", "total_max_attempts": attempts}
    config = Config(
        read_timeout=read_seconds, retries=retries, parameter_validation=is_checked, max_pool_connections=50
    )
    return boto3.client(
        "bedrock-runtime",
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=config,
    )


@dataclass(frozen=True)
class Caller:
    """A server and a client of it."""

    server: BedrockServer
    client: Any

    def ask(self, question: str, *documents: str, **more: Any) -> str:
        """What the model says to a question about the documents."""
        return text_of(self.client.converse(**make_request(question, *documents, **more)))

    def stream(self, question: str, *documents: str, **more: Any) -> list[dict[str, Any]]:
        """The events of the streamed reply."""
        return list(self.client.converse_stream(**make_request(question, *documents, **more))["stream"])


def make_request(question: str, *documents: str, model: str = MODEL, **more: Any) -> dict[str, Any]:
    """The arguments of `converse`."""
    tags = [f'<document title="Text {n}">\n{html.escape(d)}\n</document>' for n, d in enumerate(documents, start=1)]
    system = [{"text": text} for text in ["You answer callers on the telephone.", *tags]]
    content = [{"text": f"<question>{html.escape(question)}</question>"}]
    return {"modelId": model, "system": system, "messages": [{"role": "user", "content": content}], **more}


def text_of(reply: dict[str, Any]) -> str:
    """The words of a Converse reply."""
    return "".join(block["text"] for block in reply["output"]["message"]["content"])


def text_in(events: list[dict[str, Any]]) -> str:
    """The words of a streamed reply."""
    return "".join(e["contentBlockDelta"]["delta"]["text"] for e in events if "contentBlockDelta" in e)


def control(server: BedrockServer, method: str, path: str, body: Any = None) -> Any:
    """A request to the control API; raises HTTPError when it is refused."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{server.url}{path}", data=data, method=method)
    with urllib.request.urlopen(request, timeout=30) as reply:
        return json.loads(reply.read())
