"""The linter: every rule over one flow."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Final

from flows.finding import SEVERITIES, Finding
from flows.language import Flow
from flows.lint.branches import check_branches, check_conditions
from flows.lint.channels import check_channels
from flows.lint.cycles import check_instant_cycles, check_polling
from flows.lint.document import check_document, check_identifiers, check_targets, check_types
from flows.lint.external import check_external
from flows.lint.parameters import check_parameters
from flows.lint.speech import check_prompts, check_s3_prompts
from flows.lint.timing import check_silence, check_time_limits
from flows.lint.view import FlowView
from flows.lint.waiting import check_continue_branches, check_invocation_ids, check_kept_ids, check_waits

__all__ = ["Finding", "lint"]

CHECKS: Final[tuple[Callable[[FlowView], Iterator[Finding]], ...]] = (
    check_document,
    check_identifiers,
    check_targets,
    check_types,
    check_branches,
    check_conditions,
    check_parameters,
    check_time_limits,
    check_silence,
    check_polling,
    check_instant_cycles,
    check_external,
    check_waits,
    check_continue_branches,
    check_invocation_ids,
    check_kept_ids,
    check_channels,
    check_prompts,
    check_s3_prompts,
)


def lint(flow: Flow, *, flow_type: str = "", channels: Iterable[str] = ()) -> list[Finding]:
    """All findings in a flow, the gravest first, then in the order of its actions.

    `flow_type` (flows.flow_types) and `channels` ("VOICE", "CHAT", ...) say what the file does not; rules that need
    what nobody says stay silent.
    """
    view = FlowView(
        flow=flow,
        type=flow_type or flow.type,
        is_type_sure=bool(flow_type or flow.declared_type),
        channels=frozenset(channel.upper() for channel in channels),
    )
    places = {action.identifier: index for index, action in enumerate(flow.actions)}
    findings = dict.fromkeys(finding for check in CHECKS for finding in check(view))
    return sorted(findings, key=lambda found: (SEVERITIES.index(found.severity), places.get(found.action, -1)))
