"""What every figure is made of: samples, their percentiles, and how a figure is kept and shown."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

RESULTS = Path(__file__).parent / "results" / "call.json"
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured number beside a peer's of the same run; the peer may be missing.

    `bound` is a promise like "ratio <= 0.1" or "ours <= 2.5"; "" when nothing is promised. `samples` are those of one side.
    """

    ours: float
    peer: float | None
    unit: str
    samples: int
    note: str = ""
    bound: str = ""

    @property
    def ratio(self) -> float | None:
        """Ours in multiples of the peer's."""
        return self.ours / self.peer if self.peer else None

    @property
    def is_kept(self) -> bool:
        """Whether the bound holds; without a bound it does."""
        if not self.bound:
            return True
        name, _, limit = self.bound.partition(" <= ")
        value = self.ours if name == "ours" else self.ratio
        return value is not None and value <= float(limit)

    def to_dict(self) -> dict[str, object]:
        """Plain JSON values, rounded to four digits."""
        plain = {name: value for name, value in asdict(self).items() if value != ""}
        return {
            **plain,
            "ours": round_figure(self.ours),
            "peer": None if self.peer is None else round_figure(self.peer),
            "ratio": None if self.ratio is None else round_figure(self.ratio),
        }

    @classmethod
    def from_dict(cls, plain: Mapping[str, object]) -> Figure:
        """The figure in `to_dict`'s form; the ratio is computed anew."""
        return cls(**{name: plain[name] for name in cls.__slots__ if name in plain})  # type: ignore[arg-type]


Figures = dict[str, Figure]


def round_figure(value: float) -> float:
    """Four digits that matter: more would pretend a precision that no run has."""
    return float(f"{value:.4g}") if math.isfinite(value) else value


def percentile(samples: Iterable[float], share: float) -> float:
    """The smallest sample that at least `share` (0 to 1) of all samples do not exceed; ValueError without samples."""
    ordered = sorted(samples)
    if not ordered:
        raise ValueError("no samples")
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def mean(samples: Sequence[float]) -> float:
    """The arithmetic mean."""
    return math.fsum(samples) / len(samples)


def time_ms(work: Callable[[], object]) -> float:
    """How many milliseconds the work took."""
    began = time.perf_counter()
    work()
    return (time.perf_counter() - began) * 1000


def interleave(count: int, **sides: Callable[[], float]) -> dict[str, list[float]]:
    """`count` samples of each side, taken in turns so that the machine's moods meet all alike; who begins changes each turn."""
    samples: dict[str, list[float]] = {name: [] for name in sides}
    order = list(sides)
    for _ in range(count):
        for name in order:
            samples[name].append(sides[name]())
        order = order[1:] + order[:1]
    return samples


def save_figures(figures: Figures, *, path: Path = RESULTS) -> None:
    """Writes the figures as JSON, in their order."""
    path.parent.mkdir(exist_ok=True)
    plain = {name: figure.to_dict() for name, figure in figures.items()}
    path.write_text(json.dumps(plain, indent=2) + "\n")


def load_figures(*, path: Path = RESULTS) -> Figures:
    """The figures that were saved; none when there is no file."""
    if not path.exists():
        return {}
    return {name: Figure.from_dict(plain) for name, plain in json.loads(path.read_text()).items()}
