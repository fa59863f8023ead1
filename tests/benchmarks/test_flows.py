"""The flows' figures: measured in virtual time, kept in a file of their own, each within its bound."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks import __main__ as command
from benchmarks import flows
from benchmarks.measure import load_figures
from flows.generate import MODES

KEPT = command.OWN_FILES["flows"]
PROMISED = [
    *(
        f"{name}_{mode}"
        for mode in MODES
        for name in ("longest_silence", "first_part_after_ready", "first_part_unheard")
    ),
    *(f"call_20s_{mode}" for mode in MODES),
    *("random_calls_stuck", "lint_1000_actions"),
]


def test_every_promised_figure_is_kept_and_within_its_bound() -> None:
    figures = load_figures(path=KEPT)
    assert set(figures) == set(PROMISED)
    assert [name for name, figure in figures.items() if not figure.is_kept] == []


def test_the_promises_are_the_issues() -> None:
    bounds = {name: figure.bound for name, figure in load_figures(path=KEPT).items()}
    assert bounds["longest_silence_poll"] == "ours <= 2.5"
    assert bounds["longest_silence_native"] == "ours <= 1"
    assert bounds["first_part_after_ready_poll"] == bounds["first_part_after_ready_native"] == "ours <= 1"
    assert bounds["call_20s_poll"] == "ours <= 50"
    assert (bounds["random_calls_stuck"], bounds["lint_1000_actions"]) == ("ours <= 0", "ours <= 1")


def test_the_family_is_measured_into_its_own_file(monkeypatch: pytest.MonkeyPatch, capsys: Any, tmp_path: Path) -> None:
    for name, small in (("MOMENTS", (1.0, 8.0)), ("RUNS", 2), ("RANDOM_CALLS", 3), ("LINTED_ACTIONS", 60)):
        monkeypatch.setattr(flows, name, small)
    path = tmp_path / "benchmarks" / "results" / "flows.json"
    path.parent.mkdir(parents=True)
    monkeypatch.setattr(command, "OWN_FILES", {"flows": path})
    monkeypatch.setattr(sys, "argv", ["benchmarks", "flows"])
    assert command.main() == 0
    assert set(json.loads(path.read_text())) == set(PROMISED)
    assert "Written to benchmarks/results/flows.json" in capsys.readouterr().out
