"""Rehearses files of scenarios and says what came of them, as text and as JSON: `manage.py test_flow`."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from connectgenai.wire.store import AnswerStore
from flows.coverage import Coverage
from flows.flow_error import FlowError
from flows.language import Flow, parse_flow
from flows.linter import lint
from flows.rehearsal import Rehearsed, make_rehearsed_flow, rehearse_all
from flows.scenarios import ScenarioError, ScenarioFile, read_scenarios

MAX_BYTES = 4 * 1024 * 1024


class RehearsalError(ValueError):
    """Nothing can be rehearsed: the message names the file, the place in it, and what to do."""


@dataclass(frozen=True, slots=True)
class FileRehearsed:
    """A file of scenarios, the flow that they were called in, what came of each, and which branches they took together."""

    file: str
    flow: Flow
    done: tuple[Rehearsed, ...]
    coverage: Coverage
    errors: tuple[str, ...]  # what the linter calls an error in a flow that is not ours

    @property
    def failed(self) -> tuple[Rehearsed, ...]:
        """The scenarios in which something was not as it must be."""
        return tuple(one for one in self.done if one.faults)


def rehearse_file(
    path: Path,
    *,
    make_store: Callable[[], AnswerStore],
    flow_path: Path | None = None,
    modules: Mapping[str, Path] | None = None,
) -> FileRehearsed:
    """Every scenario of a file, in the flow at `flow_path`, or the one that the file names; RehearsalError."""
    try:
        file = read_scenarios(_read(path).decode("utf-8-sig"))
        if not file.scenarios:
            raise ScenarioError("there is no scenario in it")
        own = flow_path or _find_own(file, path)
        flow = read_flow(own) if own else make_rehearsed_flow(file)
        read = {name: read_flow(module) for name, module in {**_find_modules(file, path), **(modules or {})}.items()}
        done, coverage = rehearse_all(file, flow, make_store=make_store, modules=read)
    except (ScenarioError, UnicodeDecodeError) as error:
        raise RehearsalError(f"{path}: {error}") from error
    errors = tuple(
        f"{found.rule} at {found.action}: {found.message}" for found in lint(flow) if found.severity == "error"
    )
    return FileRehearsed(str(path), flow, tuple(done), coverage, errors)


def _find_own(file: ScenarioFile, path: Path) -> Path | None:
    return path.parent / str(file.flow["path"]) if "path" in file.flow else None


def _find_modules(file: ScenarioFile, path: Path) -> dict[str, Path]:
    named = file.flow.get("modules", {})
    if not isinstance(named, dict):
        raise ScenarioError("flow, modules: a map of names to files was expected")
    return {str(name): path.parent / str(found) for name, found in named.items()}


def read_flow(path: Path) -> Flow:
    """The flow in a file, in any of the shapes of exports; RehearsalError says why there is none, and what to do."""
    try:
        return parse_flow(_read(path))
    except FlowError as error:
        raise RehearsalError(f"{path}: {error}{f' {error.advice}' if error.advice else ''}") from error


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise RehearsalError(f"{path}: this is far larger than any flow, or file of scenarios")
        return path.read_bytes()
    except OSError as error:
        raise RehearsalError(f"{path}: {error.strerror}") from error


# -- what came of it


def render_text(files: Sequence[FileRehearsed], *, is_detailed: bool = False) -> str:
    """Each scenario in a line, what was wrong with it and its call below, and the branches; detailed: every call."""
    lines: list[str] = []
    for file in files:
        lines += [f"{file.file}: {file.flow.name or 'a flow without a name'}, {len(file.flow.actions)} actions"]
        lines += [f"  the linter says: {error}" for error in file.errors]
        for one in file.done:
            lines += _describe(one, is_detailed=is_detailed)
        lines += [f"  {line}" for line in file.coverage.describe().splitlines()] + [""]
    done, failed = sum(len(file.done) for file in files), sum(len(file.failed) for file in files)
    return "\n".join(map(_clean, [*lines, f"{done} scenarios, {failed} failed."]))


def _clean(line: str) -> str:
    """The line without anything that would steer a terminal: names in a customer's file are data."""
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in line)


def _describe(one: Rehearsed, *, is_detailed: bool) -> list[str]:
    found = one.transcript
    facts = f"{found.seconds:.1f} s, longest silence {found.longest_silence:.1f} s, {found.lambda_calls} Lambda calls"
    lines = [f"  {'FAILED' if one.faults else 'ok':6}  {one.scenario.name}  ({found.end}; {facts})"]
    lines += [f"            {fault}" for fault in one.faults]
    return lines + ([f"            {line}" for line in found.describe()] if one.faults or is_detailed else [])


def render_json(files: Sequence[FileRehearsed]) -> str:
    """A JSON list with an object for each file, in ASCII."""
    return json.dumps([_to_dict(file) for file in files], indent=2)


def _to_dict(file: FileRehearsed) -> dict[str, Any]:
    missed = [{"action": action, "way": way} for action, way in file.coverage.missed]
    return {
        "file": file.file,
        "flow": file.flow.name,
        "branches": len(file.coverage.branches),
        "branches_taken": len(file.coverage.branches) - len(missed),
        "missed": missed,
        "linter_errors": list(file.errors),
        "scenarios": [_scenario_to_dict(one) for one in file.done],
    }


def _scenario_to_dict(one: Rehearsed) -> dict[str, Any]:
    found = one.transcript
    return {
        "name": one.scenario.name,
        "passed": not one.faults,
        "faults": list(one.faults),
        "end": found.end,
        "why": found.why,
        "seconds": found.seconds,
        "longest_silence": found.longest_silence,
        "total_silence": found.total_silence,
        "lambda_calls": found.lambda_calls,
        "lambda_seconds": found.lambda_seconds,
        "attributes": dict(found.attributes),
        "events": [event.to_dict() for event in found.events],
    }
