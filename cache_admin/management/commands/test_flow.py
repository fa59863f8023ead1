"""`manage.py test_flow SCENARIOS... [--flow EXPORTED.json] [--module NAME=FILE] [--json]`."""

from __future__ import annotations

import logging
import sys
from argparse import ArgumentTypeError
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from connectgenai.wire.store import AnswerStore
from flows.rehearsal_report import RehearsalError, rehearse_file, render_json, render_text
from flows.report import fit_encoding
from local.memory_dynamodb import MemoryDynamoDB


def read_module(text: str) -> tuple[str, Path]:
    """A module's name and file, of NAME=FILE."""
    name, equals, path = text.partition("=")
    if not (name and equals and path):
        raise ArgumentTypeError(f"{text!r} is not NAME=FILE, such as greeting=greeting.json")
    return name, Path(path)


def make_store() -> AnswerStore:
    """An empty store in memory: nothing of a rehearsal reaches DynamoDB."""
    return AnswerStore(MemoryDynamoDB(), table="rehearsal")


class Command(BaseCommand):
    """Calls a flow by a script, in virtual time, and says whether it was heard what must be heard."""

    help = (
        "Rehearse an exported flow by scenarios (docs/flows.md), in virtual time and without AWS; ends with status 1 if a"
        " scenario failed."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Which scenarios, and in which flow."""
        parser.add_argument("scenarios", nargs="+", type=Path, metavar="SCENARIOS", help="a YAML file of scenarios")
        parser.add_argument("--flow", type=Path, help="an exported flow; without it, the one that the file names")
        parser.add_argument("--module", type=read_module, action="append", default=[], metavar="NAME=FILE",
                            help="a flow module by the name or id that the flow calls it by; may be repeated")  # fmt: skip
        parser.add_argument("--json", action="store_true", help="write the results, with every event, as a JSON list")

    def handle(self, *_: Any, **options: Any) -> None:
        """Writes what came of it; ends the program with the exit status."""
        modules = dict(options["module"])
        logging.disable(logging.INFO)  # the Lambdas' own lines, which are of calls that nobody placed
        try:
            files = [
                rehearse_file(path, make_store=make_store, flow_path=options["flow"], modules=modules)
                for path in options["scenarios"]
            ]
        except RehearsalError as error:
            raise CommandError(str(error)) from error
        finally:
            logging.disable(logging.NOTSET)
        text = render_json(files) if options["json"] else render_text(files, is_detailed=options["verbosity"] > 1)
        self.stdout.write(fit_encoding(text, sys.stdout.encoding))
        sys.exit(int(any(file.failed for file in files)))
