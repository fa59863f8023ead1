"""`manage.py reconcile [--repair]`: proves, or restores, that the mirror shows what callers hear."""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from cache_admin import gateways
from cache_admin.services.reconcile import reconcile
from connectgenai.wire.store import StoreError


class Command(BaseCommand):
    """Compares everything; exit status 1 when something differs and was not repaired."""

    help = (
        "Compare every answer and call in DynamoDB with its row; exit status 1 when they differ. Reads the whole table."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Whether to put right what is wrong."""
        parser.add_argument("--repair", action="store_true", help="bring the rows to what DynamoDB holds")

    def handle(self, *_: Any, **options: Any) -> None:
        """Prints one line for each count; CommandError when DynamoDB does not serve."""
        try:
            drift = reconcile(gateways.answer_store(), repair=options["repair"], now=timezone.now())
        except StoreError as error:
            raise CommandError(f"DynamoDB does not serve, so nothing was compared or repaired. ({error})") from error
        for name, count in asdict(drift).items():
            self.stdout.write(f"{name:10} {count}")
        if not drift.is_none and not options["repair"]:
            sys.exit(1)
