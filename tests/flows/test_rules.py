"""The rules are documented, all of them, as the code has them; and each is found by some check."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from flows.finding import Finding
from flows.rules import RULES

ROOT = Path(__file__).resolve().parents[2]
SOURCE = "\n".join(path.read_text() for path in sorted((ROOT / "flows").rglob("*.py")) if path.name != "rules.py")
TESTS = "\n".join(path.read_text() for path in sorted((ROOT / "tests" / "flows").glob("test_*.py")))


def test_the_page_lists_exactly_the_rules_of_the_code() -> None:
    page = (ROOT / "docs" / "flow-linter.md").read_text()
    rows = re.findall(r"^\| `([A-Z0-9_]+)` \| ([a-z, ]+) \| (.+) \|$", page, re.MULTILINE)
    assert rows == [(name, ", ".join(rule.severities), rule.finds) for name, rule in RULES.items()]


@pytest.mark.parametrize("name", RULES)
def test_each_rule_is_found_by_the_code_and_proven_by_a_test(name: str) -> None:
    assert f'"{name}"' in SOURCE
    assert f'"{name}"' in TESTS


def test_a_finding_has_a_rule_and_one_of_its_severities() -> None:
    with pytest.raises(KeyError):
        Finding("NO_SUCH_RULE", "", "error", "", "")
    with pytest.raises(ValueError, match="never info"):
        Finding("VERSION", "", "info", "", "")
