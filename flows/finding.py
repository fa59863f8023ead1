"""What the linter says: one finding of one rule at one action."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from flows.rules import RULES

Severity = Literal["error", "warning", "info"]
SEVERITIES: Final[tuple[Severity, ...]] = ("error", "warning", "info")


@dataclass(frozen=True, slots=True)
class Finding:
    """A rule that a flow breaks: where ("" for the flow as a whole), how gravely, why, and what to do."""

    rule: str
    action: str
    severity: Severity
    message: str
    fix: str

    def __post_init__(self) -> None:
        if self.severity not in RULES[self.rule].severities:
            raise ValueError(f"{self.rule} is never {self.severity}")
