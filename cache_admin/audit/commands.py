"""Commands that an engineer runs leave an entry too: which, under whose login, and whether it came to its end."""

from __future__ import annotations

import getpass
from collections.abc import Sequence
from typing import Any

from django.core.management.base import BaseCommand

from cache_admin.audit import intents
from cache_admin.audit.recording import record


class AuditedCommand(BaseCommand):
    """A command whose `noted_options` go into the trail; never one that may hold a caller's number or a secret."""

    noted_options: Sequence[str] = ()

    def execute(self, *args: Any, **options: Any) -> str | None:
        """Notes that it begins, runs it, and enters how it ended."""
        name = type(self).__module__.rpartition(".")[2]
        intent = intents.begin(None, f"manage.py {name}", user_name=_read_login())
        facts = {option: str(options[option])[:200] for option in self.noted_options if options.get(option)}
        outcome = "failed"
        try:
            said = super().execute(*args, **options)
            outcome = "done"
        except SystemExit as ended:  # a command that has found something ends so
            outcome = f"exit status {ended.code}"
            raise
        finally:
            record(
                None,
                f"command.{name}",
                after={**facts, "outcome": outcome},
                user_name=intent.user_name,
                deed=intent.deed,
            )
            intents.finish(intent)
        return said


def _read_login() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container's user may have no name
        return "nobody"
