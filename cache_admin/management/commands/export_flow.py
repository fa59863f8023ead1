"""`manage.py export_flow --mode poll|native|queue --topic T --producer-arn ARN --queue-arn ARN [--output FILE]`."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError, CommandParser

from cache_admin.models import Topic
from cache_admin.phone.choices import ChoiceError, generate_for
from flows.flow_types import WORDS
from flows.generate import MODES, QUESTION, QUEUE, find_consumer_arn
from flows.language import Flow
from flows.rehearsal import EXAMPLE_ARNS

EXAMPLES: Final = {"topic": "store-faq", **EXAMPLE_ARNS}
# What stands for an ARN where a pipeline puts it in later
PLACEHOLDERS = ("arn:", "${", "{{", "<")


class Command(BaseCommand):
    """Writes a topic's flow as a file that Connect imports."""

    help = (
        "Export a topic's flow, or flow module, for Amazon Connect (docs/flows.md); without --output to the terminal."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """The topic, the way to wait, and the instance's ARNs."""
        parser.add_argument("--mode", choices=MODES, default=MODES[0], help="how callers wait (poll unless you say)")
        parser.add_argument("--module", action="store_true", help="as a flow module, which a flow of yours calls")
        parser.add_argument("--topic", default="", help="the topic's name, for example store-faq")
        parser.add_argument(
            "--language", default="", help="BCP 47, as in en-US; without it each contact's own is taken"
        )
        parser.add_argument("--producer-arn", "--lambda-arn", default="", help="the Producer's ARN, with its alias")
        parser.add_argument(
            "--consumer-arn", default="", help="the Consumer's; told from the Producer's if named alike"
        )
        parser.add_argument(
            "--queue-arn", default="", help="the queue that callers without an answer are handed over to"
        )
        parser.add_argument("--question", default=QUESTION, help=f"where the caller's words are ({QUESTION})")
        parser.add_argument("--hold-prompt-arn", default="", help="queue mode: the library prompt that callers hear")
        parser.add_argument("--output", type=Path, help="the file to write")

    def handle(self, *_: Any, **options: Any) -> None:
        """Writes the flow; CommandError says what is missing, with an example."""
        check(options)
        try:
            flow = generate_for(find_topic(options["topic"]), mode=options["mode"], **read_settings(options))
        except ChoiceError as error:
            raise CommandError(f"{error}.".replace("..", ".")) from error
        if options["output"] is None:
            self.stdout.write(flow.to_json(indent=2))
        else:
            self._write(flow, options["output"])

    def _write(self, flow: Flow, path: Path) -> None:
        try:
            path.write_text(flow.to_json(indent=2) + "\n", encoding="utf-8")
        except OSError as error:
            raise CommandError(f"{path}: {error.strerror}") from error
        kind = WORDS[flow.type]
        self.stdout.write(f"Written to {path}: {len(flow.actions)} actions. Import it into {kind} (docs/flows.md).")


def check(options: dict[str, Any]) -> None:
    """CommandError for what is missing, or no ARN."""
    needed = ["topic", "producer_arn"]
    if not find_consumer_arn(options["producer_arn"]) and options["producer_arn"]:
        needed.append("consumer_arn")
    if not options["module"] and options["mode"] != QUEUE:
        needed.append("queue_arn")
    missing = [name for name in needed if not options[name]]
    if missing:
        raise CommandError(" ".join(f"{_flag(name)} is missing, for example {_example(name)}." for name in missing))
    for name in ("producer_arn", "consumer_arn", "queue_arn", "hold_prompt_arn"):
        if options[name] and not options[name].startswith(PLACEHOLDERS):
            raise CommandError(f"{_flag(name)} is no ARN: {options[name]!r}. An example: {_example(name)}.")


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _example(name: str) -> str:
    return f"{_flag(name)} {EXAMPLES.get(name, 'arn:aws:connect:us-east-1:111122223333:instance/example/prompt/Music')}"


def find_topic(name: str) -> Topic:
    """The topic; CommandError names those that there are."""
    topic = Topic.objects.filter(name=name).first()
    if topic is None:
        known = ", ".join(Topic.objects.order_by("name").values_list("name", flat=True)) or "none yet"
        raise CommandError(f"There is no topic {name!r}; there are: {known}.")
    return topic


def read_settings(options: dict[str, Any]) -> dict[str, Any]:
    """The options as flows.generate.build_flow names them."""
    names = ("language", "producer_arn", "consumer_arn", "queue_arn", "question", "hold_prompt_arn")
    return {**{name: options[name] for name in names}, "is_module": options["module"]}
