"""`manage.py topics import|export FILE.yaml`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from cache_admin import gateways
from cache_admin.services.topics_file import TopicsFileError, export_topics, import_topics
from connectgenai.wire.store import StoreError


class Command(BaseCommand):
    """Keeps topics as a file."""

    help = (
        "Import or export topics, with their documents, wait policies and sounds, as a YAML file (docs/topics-file.md)."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """What to do, and with which file."""
        parser.add_argument("action", choices=("import", "export"))
        parser.add_argument("file", type=Path)

    def handle(self, *_: Any, **options: Any) -> None:
        """Imports and publishes, or exports; CommandError says what is wrong."""
        path: Path = options["file"]
        try:
            if options["action"] == "import":
                done = import_topics(path, store=gateways.answer_store(), now=timezone.now())
            else:
                done = export_topics(path)
        except TopicsFileError as error:
            raise CommandError(str(error)) from error
        except StoreError as error:
            raise CommandError(f"DynamoDB could not be reached, so nothing was published: {error}") from error
        except OSError as error:
            raise CommandError(f"{path}: {error.strerror}") from error
        self.stdout.write(
            f"{options['action']}ed {len(done.policies)} wait policies and {len(done.topics)} topics: {', '.join(done.topics)}"
        )
