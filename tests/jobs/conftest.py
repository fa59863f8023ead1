"""Queues of its own for each module, and a worker on them."""

from __future__ import annotations

import pytest

from local.emulator import Emulator
from tests.aws import Aws, make_aws


@pytest.fixture(scope="module")
def corner(emulator: Emulator) -> Aws:
    """A table, queues and a bucket for all tests of a module, which share a worker."""
    return make_aws(emulator.url)
