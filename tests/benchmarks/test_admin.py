"""The benchmark of the admin's pages, over few rows: every page is found, opened and timed on both sides."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.admin import rows

ROOT = Path(__file__).resolve().parents[2]
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def test_rows_are_the_same_each_time_and_belong_together() -> None:
    first, again = (list(rows.make_answers(200, now=NOW)) for _ in range(2))
    assert first == again
    calls = list(rows.make_calls(6_000, answers=200, now=NOW))
    assert {call["key"] for call in calls} <= {answer["key"] for answer in first}
    assert sum((NOW - call["asked_at"]).total_seconds() <= 3_600 for call in calls) == rows.BUSY_HOUR
    assert [call["asked_at"] for call in calls] == sorted(call["asked_at"] for call in calls)


def test_every_page_is_opened_and_timed(tmp_path: Path) -> None:
    out = tmp_path / "figures.json"
    command = [sys.executable, "-m", "benchmarks.admin.process", str(out), "5500", "1"]
    environment = {
        "DATABASE_URL": f"sqlite:///{tmp_path / 'admin.sqlite3'}",
        "DJANGO_SETTINGS_MODULE": "tests.settings",
    }
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=170)
    assert done.returncode == 0, done.stderr[-2_000:]
    figures = json.loads(out.read_text())
    for page in (
        "home",
        "cachedanswer_list",
        "cachedanswer_change",
        "call_deep",
        "cachedanswer_search_common",
        "topic_rewarm",
    ):
        assert figures[f"{page}_p95_ms"] > 0
    assert figures["pages"] > 100
    assert figures["call_list_djangos_defaults_p50_ms"] > 0
