"""Hypothesis as a source of bad input, outside of a test: try something with many values, and count what became of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

_LEAVES = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=30)
)
ANY_JSON: st.SearchStrategy[Any] = st.recursive(
    _LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4), max_leaves=12
)  # fmt: skip
NASTY_TEXTS = (
    "", " ", "\x00\x01\x7f", "\ud800 half a character", "\u202eright to left", "\U0001f468\u200d\U0001f469\u200d\U0001f467", "x" * 20_000,
    "<speak><audio src='http://x'/></speak>", "'; DROP TABLE t; --", "${jndi:ldap://x}", "{{7*7}}", "../../etc/passwd", "1e400", "-1",
    "NaN",
)  # fmt: skip
TEXTS = st.text(max_size=60) | st.sampled_from(NASTY_TEXTS)


@dataclass
class Tally:
    """How many values were tried, what became of them, and the first few that broke something."""

    tried: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    broken: list[str] = field(default_factory=list)

    def count(self, outcome: str) -> None:
        """One more that ended so."""
        self.tried += 1
        self.outcomes[outcome] += 1

    def count_broken(self, what: str) -> None:
        """One more that broke something."""
        self.count("broken")
        self.broken = [*self.broken, what][:5]


def try_many(values: st.SearchStrategy[Any], act: Callable[[Any], None], *, examples: int) -> None:
    """Acts on this many values, the same ones in every run."""

    @settings(
        max_examples=examples, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],
    )  # fmt: skip
    @given(values)
    def attempt(value: Any) -> None:
        act(value)

    attempt()


def change_bytes(seed: bytes) -> st.SearchStrategy[bytes]:
    """The file with some of its bytes changed, missing, doubled or new; sometimes just noise."""
    edits = st.lists(st.tuples(st.integers(0, len(seed)), st.integers(0, 40), st.binary(max_size=12)), max_size=4)

    def apply(edits: list[tuple[int, int, bytes]]) -> bytes:
        content = seed
        for at, length, new in edits:
            content = content[:at] + new + content[at + length :]
        return content

    return edits.map(apply) | st.integers(0, len(seed)).map(lambda end: seed[:end]) | st.binary(max_size=200)


def change_json(seed: Any) -> st.SearchStrategy[Any]:
    """The value with one of its parts, however deep, replaced by any other."""
    paths = list(_paths(seed))
    return st.tuples(st.sampled_from(paths), ANY_JSON | TEXTS).map(lambda pick: _replace(seed, pick[0], pick[1]))


def _paths(value: Any) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [(), *((key, *rest) for key, part in inner for rest in _paths(part))]


def _replace(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    if not path:
        return new
    copied = value.copy()
    copied[path[0]] = _replace(value[path[0]], path[1:], new)
    return copied
