"""`manage.py redrive`: looks at the parked messages, and sends them back or discards them."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser

from cache_admin import gateways
from cache_admin.audit.commands import AuditedCommand
from cache_admin.dead_letters import DeadLetters, Parked, UnknownQueueError
from connectgenai.wire.queue import QueueUnavailableError


class Command(AuditedCommand):
    """Prints ids and reasons, never a message's words."""

    noted_options = ("replay", "discard", "reason", "limit")
    help = "List the messages in the dead-letter queue; --replay sends them back to where they came from, --discard deletes them."

    def add_arguments(self, parser: CommandParser) -> None:
        """What to do, and with which messages."""
        wish = parser.add_mutually_exclusive_group()
        wish.add_argument("--replay", action="store_true", help="send each back to the queue that it came from")
        wish.add_argument("--discard", action="store_true", help="delete each for good")
        parser.add_argument(
            "--reason", default="", help="only those parked for this reason, for example failed or not_json"
        )
        parser.add_argument("--limit", type=int, default=100, help="at most so many (100)")

    def handle(self, *_: Any, **options: Any) -> None:
        """One line a message; CommandError when SQS does not serve."""
        letters = gateways.dead_letters()
        try:
            for parked in list(letters.take(limit=options["limit"])):  # all first: what is kept would come again
                done = self._decide(letters, parked, options)
                self.stdout.write(
                    f"{parked.sent_at:%Y-%m-%d %H:%M}  {parked.message_id}  {parked.queue or '-':18}  {parked.reason:16}  {done}"
                )
        except QueueUnavailableError as error:
            raise CommandError(f"SQS does not serve. ({error})") from error

    def _decide(self, letters: DeadLetters, parked: Parked, options: dict[str, Any]) -> str:
        is_meant = options["reason"] in ("", parked.reason)
        if is_meant and options["discard"]:
            letters.discard(parked)
            return "discarded"
        try:
            if is_meant and options["replay"]:
                letters.replay(parked)
                return "sent back"
        except UnknownQueueError:
            letters.release([parked.receipt])
            return "kept: it does not say where it came from"
        letters.release([parked.receipt])
        return "kept"
