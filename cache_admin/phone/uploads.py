"""Reading what is uploaded as a flow: refused where no flow can be read, kept with its findings otherwise."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from django.utils.translation import gettext as _

from cache_admin.models import UploadedFlow
from cache_admin.phone.storable import make_storable
from flows.finding import Finding
from flows.flow_error import FlowError
from flows.language import Flow, parse_flow
from flows.linter import lint

# The largest flow that Connect takes has 256,000 characters; with \u escapes and indented it stays below
MAX_BYTES: Final = 4 * 2**20


class UploadError(ValueError):
    """No flow can be read from it; `findings` say where and what to do, as the linter's command does."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        super().__init__(findings[0].message)
        self.findings = tuple(findings)


@dataclass(frozen=True, slots=True)
class Upload:
    """A flow that was read, and what the linter says of it."""

    flow: Flow
    findings: tuple[Finding, ...]


def read_upload(content: bytes) -> Upload:
    """The flow in an uploaded file; UploadError when it is too large, no JSON, no flow, or of the legacy kind."""
    if len(content) > MAX_BYTES:
        words = _("The file has over 4 MiB."), _("Upload one flow at a time: no flow is as large.")
        raise UploadError([Finding("UNREADABLE_FILE", "", "error", *words)])
    try:
        flow = parse_flow(content)
    except FlowError as error:
        raise UploadError([Finding(error.rule, error.action, "error", str(error), error.advice)]) from error
    return Upload(flow, tuple(lint(flow)))


def describe_upload(row: UploadedFlow, upload: Upload, *, content: bytes, file_name: str) -> None:
    """Puts into the unsaved row what the file says."""
    counts = Counter(finding.severity for finding in upload.findings)
    row.content = content
    row.name = make_storable(row.name or upload.flow.name or file_name.removesuffix(".json"))[:200]
    row.type = upload.flow.type
    row.actions = len(upload.flow.actions)
    row.modules = make_storable(find_modules(upload.flow))
    row.errors, row.warnings, row.infos = counts["error"], counts["warning"], counts["info"]


def find_modules(flow: Flow) -> list[str]:
    """The modules that the flow invokes, each once, as it names them."""
    named = (a.parameters.get("FlowModuleId") for a in flow.actions if a.type == "InvokeFlowModule")
    return list(dict.fromkeys(str(name) for name in named if name))


def parse_uploaded(row: UploadedFlow) -> Flow:
    """The flow of a row; FlowError where a later version reads more strictly than the one that took it."""
    return parse_flow(bytes(row.content))
