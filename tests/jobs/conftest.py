"""Queues of its own for each module, and what a worker generates with."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

import pytest

from local.bedrock.server import BedrockServer, start_server
from local.emulator import Emulator
from tests.aws import Aws, make_aws
from tests.jobs.bedrock_wire import bedrock_client
from tests.jobs.stage import Stage, make_stage, recite


@pytest.fixture(scope="module")
def corner(emulator: Emulator) -> Aws:
    """A table, queues and a bucket for all tests of a module, which share a worker."""
    return make_aws(emulator.url)


@pytest.fixture(scope="session")
def bedrock_server() -> Iterator[BedrockServer]:
    """Bedrock's stand-in with a model that recites, for all tests."""
    with start_server(model=recite) as running:
        yield running


@pytest.fixture
def stage(corner: Aws, bedrock_server: BedrockServer) -> Stage:
    """A worker's workshop, with a topic of the test's own; a silence of 2 s is too long for it."""
    client = bedrock_client(bedrock_server.url, silence_seconds=2.0)
    return make_stage(corner, bedrock_server, client=client, topic=f"t{secrets.token_hex(6)}")
