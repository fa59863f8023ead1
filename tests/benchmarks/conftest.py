"""What several families measure on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from local.stack import Stack


@pytest.fixture(scope="package")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The whole product: half a minute to start and stop on a slow machine, so once for all who need it."""
    with Stack(home=tmp_path_factory.mktemp("product"), say=lambda _: None) as stack:
        yield stack
