"""`manage.py verify_audit`: proves that the audit trail is as it was written."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from cache_admin.audit.verifying import Anchor, BrokenError, verify_chain


class Command(BaseCommand):
    """One line; exit status 1 when something is wrong."""

    help = (
        "Walk the audit trail and prove that no entry was changed, removed, inserted, moved or cut off (docs/audit.md)."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """From where, and what is known from earlier."""
        parser.add_argument(
            "--since", type=int, default=1, metavar="N", help="begin with entry N, and believe the one before"
        )
        parser.add_argument("--anchor", type=Path, metavar="FILE", help="compare with the end that FILE holds")
        parser.add_argument(
            "--write-anchor", type=Path, metavar="FILE", help="write the end into FILE, to keep elsewhere"
        )

    def handle(self, *_: Any, **options: Any) -> None:
        """Says that it is intact, with its end, or names the first entry that is wrong."""
        anchor = _read_anchor(options["anchor"]) if options["anchor"] else None
        try:
            count, end = verify_chain(since=max(1, options["since"]), anchor=anchor)
        except BrokenError as broken:
            self.stdout.write(str(broken))
            sys.exit(1)
        self.stdout.write(f"Intact: {count} entries. The end: {end.sequence} {end.digest}")
        if options["write_anchor"]:
            options["write_anchor"].write_text(f"{end.sequence} {end.digest}\n")


def _read_anchor(path: Path) -> Anchor:
    try:
        sequence, digest = path.read_text().split()
        return Anchor(int(sequence), digest)
    except (OSError, ValueError) as error:
        raise CommandError(f"{path} holds no anchor: a number and a digest, as --write-anchor leaves them.") from error
