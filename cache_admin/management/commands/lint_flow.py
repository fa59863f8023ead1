"""`manage.py lint_flow FILE... [--json] [--strict]`."""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from flows.report import add_arguments, fit_encoding, lint_files, render_json, render_text


class Command(BaseCommand):
    """Says what is wrong with exported flows."""

    help = "Check exported Amazon Connect flows (docs/flow-linter.md); ends with status 1 if there is an error."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Which files, and in which form."""
        add_arguments(parser)

    def handle(self, *_: Any, **options: Any) -> None:
        """Writes the findings; ends the program with the exit status."""
        findings, status = lint_files(options["files"], strict=options["strict"])
        text = render_json(findings) if options["json"] else render_text(findings, files=len(options["files"]))
        self.stdout.write(fit_encoding(text, sys.stdout.encoding))
        sys.exit(status)
