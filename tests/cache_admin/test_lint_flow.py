"""`manage.py lint_flow` is the linter's report, with its exit status."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from tests.flows.building import call, make_flow, say


def run(*arguments: str) -> tuple[str, object]:
    """What the command prints, and its exit status."""
    out = StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("lint_flow", *arguments, stdout=out)
    return out.getvalue(), ended.value.code


@pytest.fixture
def risky(tmp_path: Path) -> str:
    """A file with a flow that has one warning."""
    path = tmp_path / "risky.json"
    path.write_text(make_flow(say("Hello", "Look up"), call("Look up", "End", seconds="3")).to_json())
    return str(path)


def test_it_prints_text_and_ends_with_0_for_a_warning(risky: str) -> None:
    text, status = run(risky)
    assert "LAMBDA_TIMEOUT_DEFAULT_3S at Look up" in text
    assert status == 0


def test_strict_ends_with_1_for_a_warning(risky: str) -> None:
    assert run(risky, "--strict")[1] == 1


def test_it_prints_json_of_several_files(risky: str) -> None:
    text, status = run("--json", risky, "/nowhere/flow.json")
    assert [row["rule"] for row in json.loads(text)] == ["LAMBDA_TIMEOUT_DEFAULT_3S", "UNREADABLE_FILE"]
    assert status == 1


def test_it_asks_for_a_file() -> None:
    with pytest.raises(CommandError, match="FILE"):
        call_command("lint_flow")
