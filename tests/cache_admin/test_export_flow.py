"""`manage.py export_flow`: a topic's flow as a file, or a clear word about what is missing."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from cache_admin.models import Topic, TopicLanguage, WaitPolicy, WaitPrompt
from flows.flow_types import CONTACT_FLOW, CUSTOMER_QUEUE, MODULE
from flows.generate import MODES
from flows.language import parse_flow
from flows.linter import lint
from flows.rehearsal import EXAMPLE_ARNS

PRODUCER = ("--producer-arn", EXAMPLE_ARNS["producer_arn"])
QUEUE = ("--queue-arn", EXAMPLE_ARNS["queue_arn"])


@pytest.fixture
def faq(db: None) -> Topic:
    """A topic in two languages."""
    policy = WaitPolicy.objects.create(name="calm")
    WaitPrompt.objects.create(policy=policy, text="One moment please.", position=1)
    topic = Topic.objects.create(name="faq")
    for language in ("en-US", "de-DE"):
        TopicLanguage.objects.create(topic=topic, language=language, wait_policy=policy)
    return topic


def export(*arguments: object) -> str:
    out = StringIO()
    call_command("export_flow", *map(str, arguments), stdout=out)
    return out.getvalue()


@pytest.mark.parametrize("module", [(), ("--module",)])
@pytest.mark.parametrize("mode", MODES)
def test_every_mode_is_exported_without_a_finding(mode: str, module: tuple[str, ...], faq: Topic) -> None:
    flow = parse_flow(export("--mode", mode, "--topic", "faq", *PRODUCER, *QUEUE, *module).encode())
    assert lint(flow) == []
    assert flow.type == (MODULE if module else CUSTOMER_QUEUE if mode == "queue" else CONTACT_FLOW)
    assert flow.by_id["Ask"].parameters["LambdaInvocationAttributes"]["topic"] == "faq"


def test_a_language_fixes_language_and_voice(faq: Topic) -> None:
    flow = parse_flow(export("--topic", "faq", "--language", "de-DE", *PRODUCER, *QUEUE).encode())
    assert flow.by_id["SetLanguage"].parameters == {"LanguageCode": "de-DE"}


def test_the_policys_prompts_are_played_in_native_mode(faq: Topic) -> None:
    assert "One moment please." in export("--mode", "native", "--topic", "faq", *PRODUCER, *QUEUE)


def test_a_file_is_written_with_a_word_on_where_it_belongs(faq: Topic, tmp_path: Path) -> None:
    path = tmp_path / "flow.json"
    said = export("--topic", "faq", *PRODUCER, *QUEUE, "--output", path)
    assert f"Written to {path}" in said
    assert "Import it into an inbound flow" in said
    assert lint(parse_flow(path.read_bytes())) == []


def test_the_issues_name_for_the_lambda_is_taken_too(faq: Topic) -> None:
    assert EXAMPLE_ARNS["producer_arn"] in export(
        "--topic", "faq", "--lambda-arn", EXAMPLE_ARNS["producer_arn"], *QUEUE
    )


def test_a_pipelines_placeholder_is_taken_for_an_arn(faq: Topic) -> None:
    arns = ("--producer-arn", "${ProducerArn}", "--consumer-arn", "${ConsumerArn}", "--queue-arn", "${QueueArn}")
    assert "${ConsumerArn}" in export("--topic", "faq", *arns)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((*PRODUCER, *QUEUE), "--topic is missing, for example --topic store-faq"),
        (("--topic", "faq", *QUEUE), "--producer-arn is missing, for example --producer-arn arn:aws:lambda:"),
        (("--topic", "faq", *PRODUCER), "--queue-arn is missing, for example --queue-arn arn:aws:connect:"),
        (
            ("--topic", "faq", "--producer-arn", "arn:aws:lambda:us-east-1:1:function:ask", *QUEUE),
            "--consumer-arn is missing",
        ),
        (("--topic", "faq", "--producer-arn", "my-producer", *QUEUE), "--producer-arn is no ARN: 'my-producer'"),
        (("--topic", "nope", *PRODUCER, *QUEUE), "There is no topic 'nope'; there are: faq"),
        (("--topic", "faq", "--language", "fr-FR", *PRODUCER, *QUEUE), "cannot be asked in fr-FR"),
        (("--topic", "faq", "--mode", "push", *PRODUCER, *QUEUE), "invalid choice: 'push'"),
        (("--topic", "faq", "--question", "Why?", *PRODUCER, *QUEUE), "the question is a reference such as"),
        (("--topic", "faq", *PRODUCER, *QUEUE, "--output", "/nowhere/f.json"), "/nowhere/f.json: No such file"),
    ],
)
def test_what_is_missing_or_wrong_is_said_with_an_example(arguments: tuple[str, ...], said: str, faq: Topic) -> None:
    with pytest.raises(CommandError, match=said):
        export(*arguments)
