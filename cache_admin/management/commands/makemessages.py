"""`manage.py makemessages`: Django's, told what our sources are; texts of programs that only developers meet stay English."""

from __future__ import annotations

from typing import Any

from django.core.management.commands import makemessages

# Folders without texts for people, and what others wrote
IGNORED = ("tests", "benchmarks", "local", "lambdas", "build", "staticfiles", "vendor", ".*")


class Command(makemessages.Command):
    """Notes each text's file but no line, which would change with every edit, and keeps no text that is gone."""

    help = "Brings the catalogs of texts up to date with the sources (docs/languages.md)."

    def handle(self, *args: Any, **options: Any) -> None:
        """Both catalogs, for pages and for scripts; `--locale de` chooses the language."""
        chosen = {"no_wrap": True, "no_obsolete": True, "add_location": "file", "ignore_patterns": [*IGNORED]}
        for domain in ("django", "djangojs"):
            super().handle(*args, **{**options, **chosen, "domain": domain, "extensions": None})
