"""`manage.py ensure_roles`: the groups, with the rights that this version knows."""

from __future__ import annotations

from typing import Any

from cache_admin.audit.commands import AuditedCommand
from cache_admin.roles import ROLES, give_role


class Command(AuditedCommand):
    """Makes the groups and adds what they lack; takes nothing away."""

    help = "Make the groups Viewers, Reviewers, Supervisors and Administrators, and add the rights that an upgrade has brought."

    def handle(self, *_: Any, **__: Any) -> None:
        """Says how many rights each group has got."""
        for name in ROLES:
            self.stdout.write(f"{name}: {give_role(name)} rights added")
