"""`manage.py ensure_supervisor NAME`: a login for the first start."""

from __future__ import annotations

import os
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import CommandError, CommandParser

from cache_admin.audit.commands import AuditedCommand


class Command(AuditedCommand):
    """Makes sure that a superuser exists, with the password in SUPERVISOR_PASSWORD when it has to be made."""

    noted_options = ("name",)
    help = "Create a superuser unless there is one of that name; the password is read from SUPERVISOR_PASSWORD."

    def add_arguments(self, parser: CommandParser) -> None:
        """The login's name."""
        parser.add_argument("name")

    def handle(self, *_: Any, **options: Any) -> None:
        """Creates the login; an existing one, and its password, are left alone."""
        users = get_user_model().objects
        if users.filter(username=options["name"]).exists():
            return
        password = os.environ.get("SUPERVISOR_PASSWORD", "")
        if not password:
            raise CommandError("Set SUPERVISOR_PASSWORD to the new login's password.")
        users.create_superuser(options["name"], password=password)
