"""`manage.py call`: one call in the poll flow against the running Lambdas, in real time, as a caller would hear it."""

from __future__ import annotations

import json
import uuid
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from connectgenai.wire.config import aws_client
from flows.caller import Dialled, place_call
from flows.lambda_phone import LambdaPhone
from flows.transcript import describe_event


class Command(BaseCommand):
    """Asks a question through the Producer and the Consumer, and prints every invocation and all that is heard."""

    help = "Place one call: ask a question and print what the caller hears, when, and how long the line was silent."

    def add_arguments(self, parser: CommandParser) -> None:
        """The call's parameters."""
        parser.add_argument("--topic", required=True, help="the topic's name, for example store-faq")
        parser.add_argument("--question", required=True, help="the caller's words")
        parser.add_argument("--language", default="en-US", help="BCP 47, for example en-US (the default)")
        parser.add_argument("--caller", default="+15550123", help="the caller's number; empty for a withheld one")
        parser.add_argument("--json", action="store_true", dest="as_json", help="one JSON object for each event")

    def handle(self, *_: Any, **options: Any) -> None:
        """Places the call; CommandError when a Lambda cannot be invoked."""
        phone = LambdaPhone(aws_client("lambda", attempts=1, read_seconds=70), s3=aws_client("s3"))
        dialled = Dialled(
            topic=options["topic"],
            question=options["question"],
            contact_id=str(uuid.uuid4()),
            language=options["language"],
            caller=options["caller"],
        )
        errors = []
        for event in place_call(dialled, invoke=phone.invoke, audio_seconds=phone.audio_seconds):
            errors += [event["error"]] if "error" in event else []
            line = json.dumps(event) if options["as_json"] else describe_event(event)
            self.stdout.write(line or "")
            self.stdout.flush()
        if errors and event["outcome"] == "failed":
            raise CommandError(f"The call broke off: {errors[-1]}")
