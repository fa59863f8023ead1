"""The linter over files: findings as text and as JSON, and an exit status for continuous integration."""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from flows.finding import SEVERITIES, Finding, Severity
from flows.flow_error import FlowError
from flows.language import parse_flow
from flows.linter import lint

# A flow has at most 256,000 characters; indented and with \u escapes it still is far below
MAX_BYTES: Final = 16 * 2**20


@dataclass(frozen=True, slots=True)
class FileFinding:
    """A finding in a file."""

    file: str
    finding: Finding


def lint_source(source: bytes | str) -> list[Finding]:
    """All findings in what may be an exported flow; what is no flow is a finding too. Raises nothing."""
    try:
        return lint(parse_flow(source))
    except FlowError as error:
        return [Finding(error.rule, error.action, "error", str(error), error.advice)]


def lint_file(path: str | Path) -> list[FileFinding]:
    """All findings in a file, or that it cannot be read."""
    try:
        with Path(path).open("rb") as file:
            source = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        return [_unreadable(path, f"The file cannot be read: {reason}.", "Give the path of an exported flow.")]
    if len(source) > MAX_BYTES:
        return [_unreadable(path, "The file has over 16 MiB.", "Give one flow at a time: no flow is as large.")]
    return [FileFinding(str(path), finding) for finding in lint_source(source)]


def _unreadable(path: str | Path, message: str, fix: str) -> FileFinding:
    return FileFinding(str(path), Finding("UNREADABLE_FILE", "", "error", message, fix))


def lint_files(paths: Iterable[str | Path], *, strict: bool = False) -> tuple[list[FileFinding], int]:
    """All findings in some files, and the exit status: 1 for an error, or with `strict` a warning, else 0."""
    findings = [finding for path in paths for finding in lint_file(path)]
    failing: set[Severity] = {"error", "warning"} if strict else {"error"}
    return findings, int(any(found.finding.severity in failing for found in findings))


def render_json(findings: Sequence[FileFinding]) -> str:
    """A JSON list of {file, rule, action, severity, message, fix}, in ASCII."""
    rows = [
        {
            "file": found.file,
            "rule": found.finding.rule,
            "action": found.finding.action,
            "severity": found.finding.severity,
            "message": found.finding.message,
            "fix": found.finding.fix,
        }
        for found in findings
    ]
    return json.dumps(rows, indent=2)


def render_text(findings: Sequence[FileFinding], *, files: int) -> str:
    """The findings for people, file by file, and one line that counts them."""
    by_file: dict[str, list[Finding]] = {}
    for each in findings:
        by_file.setdefault(each.file, []).append(each.finding)
    lines: list[str] = []
    for file, found_in in by_file.items():
        lines.append(file)
        for found in found_in:
            where = f" at {found.action}" if found.action else ""
            lines += [f"  {found.severity}: {found.rule}{where}", f"    {found.message}"]
            lines += [f"    {found.fix}"] if found.fix else []
    counts = Counter(found.finding.severity for found in findings)
    summary = ", ".join(_count(counts[severity], severity) for severity in SEVERITIES)
    return "\n".join(map(_clean, [*lines, f"{_count(files, 'file')}: {summary}."]))


def fit_encoding(text: str, encoding: str | None) -> str:
    """The text with what the terminal's encoding cannot show escaped, so that it can be written."""
    known = encoding or "utf-8"
    return text.encode(known, "backslashreplace").decode(known)


def main(arguments: Sequence[str] | None = None) -> int:
    """`python -m flows.report FILE... [--json] [--strict]`: the linter without Django; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m flows.report", description="Check exported Amazon Connect flows.")
    add_arguments(parser)
    options = parser.parse_args(arguments)
    findings, status = lint_files(options.files, strict=options.strict)
    text = render_json(findings) if options.json else render_text(findings, files=len(options.files))
    sys.stdout.write(fit_encoding(text, sys.stdout.encoding) + "\n")
    return status


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments, the same here and in manage.py."""
    parser.add_argument("files", nargs="+", metavar="FILE", help="an exported flow or module, in any of its shapes")
    parser.add_argument("--json", action="store_true", help="write the findings as a JSON list")
    parser.add_argument("--strict", action="store_true", help="end with status 1 for a warning too")


def _count(number: int, word: str) -> str:
    plural = word if number == 1 or word == "info" else f"{word}s"
    return f"{number} {plural}"


def _clean(line: str) -> str:
    """The line without anything that would steer a terminal: names in a customer's file are data."""
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in line)


if __name__ == "__main__":
    sys.exit(main())
