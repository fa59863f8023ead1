"""`manage.py topics import|export FILE.yaml`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from cache_admin import gateways
from cache_admin.audit.commands import AuditedCommand
from cache_admin.services.topics_file import FileReport, export_topics, import_topics
from cache_admin.services.topics_reading import TopicsFileError
from connectgenai.wire.store import StoreError


class Command(AuditedCommand):
    """Keeps topics as a file."""

    noted_options = ("action", "file")
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
            done = _import(path) if options["action"] == "import" else export_topics(path)
        except TopicsFileError as error:
            raise CommandError(f"Nothing was imported.\n{error}") from error
        except StoreError as error:
            raise CommandError(f"Not everything is published; import again when DynamoDB serves. ({error})") from error
        except (ClientError, BotoCoreError) as error:
            raise CommandError(f"The bucket does not serve. ({error})") from error
        except OSError as error:
            raise CommandError(f"{path}: {error.strerror}") from error
        action = f"{options['action']}ed".capitalize()
        for what, names in (("wait policies", done.policies), ("topics", done.topics)):
            self.stdout.write(f"{action} {what}: {', '.join(names) or 'none'}")


def _import(path: Path) -> FileReport:
    return import_topics(path, store=gateways.answer_store(), storage=gateways.file_storage(), now=timezone.now())
