"""`manage.py forget_second_factor NAME`: for the last administrator, whose phone and paper are gone."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import CommandError, CommandParser

from cache_admin.audit.commands import AuditedCommand
from cache_admin.people.second_factor import remove_second_factor


class Command(AuditedCommand):
    """The next sign-in needs the password only."""

    noted_options = ("name",)
    help = (
        "Forget a person's second factor, with the codes on paper; supervisors' site: Users, the action of that name."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Whose."""
        parser.add_argument("name", help="the person's user name")

    def handle(self, *_: Any, name: str, **__: Any) -> None:
        """Says whether there was one."""
        person = User.objects.filter(username=name).first()
        if person is None:
            raise CommandError(f"There is nobody called {name}.")
        self.stdout.write(f"{name}: {'forgotten' if remove_second_factor(person) else 'there was none'}")
