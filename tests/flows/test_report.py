"""The linter over files: what it prints, and the exit status that continuous integration sees."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from flows.report import MAX_BYTES, lint_file, lint_files, lint_source, main, render_json, render_text
from tests.flows.building import call, make_flow, say

SOUND = make_flow(say("Hello", "End"))
RISKY = make_flow(call("Look up", "End", seconds="3"))
BROKEN = make_flow(call("Look up", "Gone"))
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a sound, a risky and a broken flow, and two files that are none."""
    for name, flow in {"sound": SOUND, "risky": RISKY, "broken": BROKEN}.items():
        (tmp_path / f"{name}.json").write_text(flow.to_json())
    (tmp_path / "notes.txt").write_text("call Bob")
    (tmp_path / "legacy.json").write_text('{"modules": [], "version": "1"}')
    return tmp_path


@pytest.mark.parametrize(
    ("names", "strict", "status"),
    [
        (["sound.json"], False, 0),
        (["sound.json"], True, 0),
        (["risky.json"], False, 0),
        (["risky.json"], True, 1),
        (["sound.json", "broken.json"], False, 1),
        (["notes.txt"], False, 1),
        (["legacy.json"], False, 1),
        (["absent.json"], False, 1),
        (["."], False, 1),
    ],
)
def test_the_exit_status_is_1_for_an_error_and_if_strict_for_a_warning(
    folder: Path, names: list[str], strict: bool, status: int
) -> None:
    assert lint_files([folder / name for name in names], strict=strict)[1] == status


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("notes.txt", "NOT_JSON"),
        ("legacy.json", "LEGACY_EXPORT"),
        ("absent.json", "UNREADABLE_FILE"),
        (".", "UNREADABLE_FILE"),
        ("nul\0.json", "UNREADABLE_FILE"),
    ],
)
def test_what_is_no_flow_is_a_finding(folder: Path, name: str, rule: str) -> None:
    (found,) = lint_file(folder / name)
    assert (found.finding.rule, found.finding.severity, found.finding.action) == (rule, "error", "")
    assert found.finding.fix


def test_a_malformed_action_is_a_finding_at_the_action() -> None:
    (found,) = lint_source('{"StartAction": "A", "Actions": [{"Identifier": "A", "Type": "Loop", "Parameters": 1}]}')
    assert (found.rule, found.action) == ("MALFORMED_ACTION", "A")
    assert "Actions[0].Parameters" in found.message


def test_a_huge_file_is_not_read_whole(tmp_path: Path) -> None:
    huge = tmp_path / "huge.json"
    with huge.open("wb") as file:
        file.truncate(MAX_BYTES * 100)
    assert [found.finding.rule for found in lint_file(huge)] == ["UNREADABLE_FILE"]


def test_json_has_exactly_the_agreed_keys(folder: Path) -> None:
    findings, _ = lint_files([folder / "broken.json", folder / "notes.txt"])
    rows = json.loads(render_json(findings))
    assert [sorted(row) for row in rows] == [["action", "file", "fix", "message", "rule", "severity"]] * len(rows)
    assert {"file": str(folder / "broken.json"), "rule": "DANGLING_TARGET", "action": "Look up"}.items() <= rows[
        0
    ].items()


def test_json_of_no_findings_is_an_empty_list() -> None:
    assert json.loads(render_json([])) == []


def test_text_names_file_rule_action_reason_and_remedy(folder: Path) -> None:
    findings, _ = lint_files([folder / "sound.json", folder / "risky.json"])
    text = render_text(findings, files=2)
    for part in (
        str(folder / "risky.json"),
        "warning: LAMBDA_TIMEOUT_DEFAULT_3S at Look up",
        "cold start",
        "up to 8 s",
    ):
        assert part in text
    assert "sound.json" not in text
    assert text.endswith("2 files: 0 errors, 1 warning, 0 info.")


def test_names_in_a_flow_cannot_steer_the_terminal(tmp_path: Path) -> None:
    path = tmp_path / "flow.json"
    path.write_text(make_flow(say("a\x1b[2Jb\r\n", "Gone\x07")).to_json())
    text = render_text(lint_file(path), files=1)
    assert not set(text) & {"\x1b", "\r", "\x07"}


def test_main_prints_and_returns_the_status(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(folder / "broken.json"), "--json"]) == 1
    assert json.loads(capsys.readouterr().out)[0]["rule"] == "DANGLING_TARGET"
    assert main([str(folder / "risky.json")]) == 0
    assert main([str(folder / "risky.json"), "--strict"]) == 1


def test_a_terminal_without_the_letters_gets_them_escaped(tmp_path: Path) -> None:
    path = tmp_path / "flow.json"
    path.write_text(make_flow(call("質問", "End", seconds="3")).to_json(), encoding="utf-8")
    command = [sys.executable, "-m", "flows.report", str(path)]
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert "\\u8cea" in done.stdout
