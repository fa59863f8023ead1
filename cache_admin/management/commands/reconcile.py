"""`manage.py reconcile [--repair]`: proves, or restores, that the mirror shows what callers hear."""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from cache_admin import gateways
from cache_admin.audit.commands import AuditedCommand
from cache_admin.models import Reconciliation
from cache_admin.services.drift import run_reconciliation, wish_for_reconciliation

COUNTS = ("compared", "missing", "outdated", "different", "ahead", "vanished")


class Command(AuditedCommand):
    """Compares everything; exit status 1 when something differs and was not repaired."""

    noted_options = ("repair",)
    help = (
        "Compare every answer and call in DynamoDB with its row; exit status 1 when they differ. Reads the whole table."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Whether to put right what is wrong."""
        parser.add_argument("--repair", action="store_true", help="bring the rows to what DynamoDB holds")

    def handle(self, *_: Any, **options: Any) -> None:
        """Prints one line for each count, and keeps them for the admin; CommandError when nothing could be compared."""
        origin, repair = Reconciliation.Origin.COMMAND, options["repair"]
        run = wish_for_reconciliation(origin=origin, repair=repair, now=timezone.now())
        if run is None or not run_reconciliation(run, gateways.answer_store(), clock=timezone.now):
            raise CommandError("Another comparison is under way; its result will be in the admin, under Drift.")
        if run.state == Reconciliation.State.FAILED:
            raise CommandError(f"Nothing was compared to the end. {run.error}")
        for name in COUNTS:
            self.stdout.write(f"{name:10} {getattr(run, name)}")
        if run.drifted and not repair:
            sys.exit(1)
