"""What the tests of the local stack share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from local.bedrock.pace import INSTANT
from local.bedrock.server import start_server
from tests.local.bedrock_caller import Caller, make_client


@pytest.fixture
def bedrock() -> Iterator[Caller]:
    """A Bedrock-shaped server that answers at once, and a client that never retries."""
    with start_server(pace=INSTANT) as server:
        client = make_client(server.url)
        yield Caller(server, client)
        client.close()
