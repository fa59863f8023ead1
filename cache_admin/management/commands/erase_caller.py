"""`manage.py erase_caller`: forgets one caller; the number is read from the terminal, so that no shell history keeps it."""

from __future__ import annotations

from getpass import getpass
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from cache_admin import gateways
from cache_admin.audit.commands import AuditedCommand
from cache_admin.services.erasing import erase_caller
from connectgenai.wire.config import read_caller_keys
from connectgenai.wire.store import StoreError


class Command(AuditedCommand):
    """Prints how much there was, never what."""

    help = "Erase all that is kept for one caller's number or chat address; it is asked for, or given by --number."

    def add_arguments(self, parser: CommandParser) -> None:
        """Whose records."""
        parser.add_argument("--number", default="", help="as in +15550100; without it you are asked, unseen")

    def handle(self, *_: Any, **options: Any) -> None:
        """Erases; CommandError when the number is none or DynamoDB does not serve."""
        number = options["number"] or getpass("Caller's number: ")
        try:
            erased = erase_caller(number, keys=read_caller_keys(), store=gateways.answer_store(), now=timezone.now())
        except ValueError as error:
            raise CommandError(str(error)) from error
        except StoreError as error:
            raise CommandError(
                f"DynamoDB does not serve; run this again, it may have erased a part. ({error})"
            ) from error
        self.stdout.write(f"Erased {erased.answers} answers, and the caller from {erased.calls} calls.")
